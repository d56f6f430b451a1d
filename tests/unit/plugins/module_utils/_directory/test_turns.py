# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two connections take turns: one request at the server at a time, in order, whatever each step takes to be made."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.turns import Turns
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    ObjectError,
)
from tests.unit.plugins.module_utils._directory.scripted import (
    OK,
    Answer,
    Operation,
    Result,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)


def pass_time(seconds: float) -> None:
    """Wait, although `connect` makes sleeping short."""
    threading.Event().wait(seconds)


def nothing() -> None:
    """Do nothing."""


class Wire:
    """What is sent by the connections of a test: each asks its socket before it is answered, as ldap3 does."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = 0
        self.order: list[str] = []
        self.binds = 0
        self.services = ["CN=DC1"]
        self._lock = threading.Lock()

    def sendall(self, data: bytes) -> None:
        """Take a request."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.order.append(data.decode())

    def answered(self) -> None:
        """Give an answer."""
        with self._lock:
            self.at_once -= 1


class Sending(ScriptedConnection):
    """Makes a request, which takes as long as its name says, sends it, and waits for the answer."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(self._reply)
        self.wire = wire
        self.socket: Any = wire

    def _reply(self, operation: Operation) -> Answer | Result:
        if operation.kind == "search":
            return page([entry("", dsServiceName=self.wire.services[:1])])
        pass_time(0.02 if "slow" in operation.base else 0)
        self.socket.sendall(operation.base.encode())
        pass_time(0.005)
        self.wire.answered()
        return refused(53) if "bad" in operation.base else OK


@pytest.fixture
def wire() -> Wire:
    """Return the wire of the sessions that a test opens."""
    return Wire()


def opened(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> Session:
    """Return a session whose second connection is on the same wire."""
    session = connect(monkeypatch, Sending(wire))
    monkeypatch.setattr(Session, "another", lambda _self: connect(monkeypatch, Sending(wire)))
    return session


def deletion(name: str) -> Callable[[Session], Any]:
    return lambda session: session.delete(name)["result"]


def test_steps_are_sent_in_their_order_and_never_two_at_once(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    session = opened(monkeypatch, wire)
    turns = Turns(session, few=2)
    names = [f"{number}{'slow' if number % 3 == 0 else ''}" for number in range(20)]
    waits = [turns.begin(deletion(name)) for name in names]
    assert [wait() for wait in waits] == [0] * 20
    turns.close()
    assert (wire.order, wire.most_at_once) == (names, 1)
    assert session.operations["delete"] == 20, "those of both connections"


def test_a_step_keeps_its_turn_to_its_end(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    turns = Turns(opened(monkeypatch, wire), few=2)

    def twice(name: str) -> Callable[[Session], None]:
        def step(session: Session) -> None:
            session.delete(f"{name} first")
            pass_time(0.01)
            session.delete(f"{name} second")

        return step

    for wait in [turns.begin(twice(name)) for name in "abcdef"]:
        wait()
    turns.close()
    assert wire.order == [f"{name} {part}" for name in "abcdef" for part in ("first", "second")]


def test_a_step_that_writing_ended_lets_the_next_one_go(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    turns = Turns(opened(monkeypatch, wire), few=1)
    is_next_there = threading.Event()

    def create(session: Session) -> bool:
        session.delete("a")
        session.end_writing()
        pass_time(0.01)
        session.delete("a read")
        return is_next_there.wait(5)

    def following(session: Session) -> None:
        session.delete("b")
        is_next_there.set()
        pass_time(0.01)
        session.delete("b again")

    waits = [turns.begin(step) for step in (create, following, deletion("c"))]
    assert waits[0](), "the next one is sent before the end of this one"
    assert [wait() for wait in waits[1:]] == [None, 0]
    turns.close()
    assert wire.order == ["a", "a read", "b", "b again", "c"]


def test_a_step_that_sends_nothing_or_fails_lets_the_next_one_go(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    turns = Turns(opened(monkeypatch, wire), few=2)

    def defect(_session: Session) -> None:
        raise ZeroDivisionError

    begun = [turns.begin(step) for step in (deletion("a"), deletion("b"), defect, deletion("c bad"), deletion("d"))]
    assert (begun[0](), begun[1](), begun[3](), begun[4]()) == (0, 0, 53, 0)
    with pytest.raises(ZeroDivisionError):
        begun[2]()
    turns.close()


def test_nothing_is_sent_once_the_directory_went_away(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    turns = Turns(opened(monkeypatch, wire), few=2)

    def lose(session: Session) -> None:
        session.delete("lost")
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    begun = [turns.begin(step) for step in (deletion("a"), deletion("b"), lose, deletion("c"), deletion("d"))]
    assert (begun[0](), begun[1]()) == (0, 0)
    for after in begun[2:]:
        with pytest.raises(DirectoryError):
            after()
    turns.close()
    assert wire.order == ["a", "b", "lost"]


def test_the_main_connection_may_be_read_meanwhile(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    session = opened(monkeypatch, wire)
    turns = Turns(session, few=2)
    waits = [turns.begin(deletion(f"{number} slow")) for number in range(6)]
    assert next(session.search("", "(objectClass=*)", (), scope="BASE")).texts("dsServiceName") == ("CN=DC1",)
    assert [wait() for wait in waits] == [0] * 6
    turns.close()


def test_another_connection_is_of_the_same_server(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    session = connect(monkeypatch, Sending(wire))
    other = Wire()
    for service, is_same in (("CN=DC1", True), ("CN=DC2", False)):
        other.services = [service]
        connect(monkeypatch, Sending(other))
        another = session.another()
        assert (another is not None) is is_same


def test_a_server_that_does_not_say_who_it_is_gets_no_second_connection(
    monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    """Behind one name, two that say nothing may be two servers."""
    wire.services = []
    assert connect(monkeypatch, Sending(wire)).another() is None


def test_a_write_that_waited_for_its_turn_too_long_finds_out_first_whether_the_connection_is_there(
    monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    connection = Sending(wire)
    session = connect(monkeypatch, connection)
    now = time.monotonic()

    def wait(seconds: float) -> Callable[[], None]:
        return lambda: monkeypatch.setattr(time, "monotonic", lambda: now + seconds)

    with session.sending_after(wait(59), nothing):
        session.delete("soon")
    with session.sending_after(wait(59 + 61), nothing):
        session.delete("late")
    assert [one.kind for one in connection.asked] == ["delete", "delete", "search", "delete"]
    assert (wire.order, session.operations["delete"]) == (["soon", "late"], 2)
    # Of a silent connection that is ended, no gate stands in the way.
    wait(1000)()
    session.close()


def test_without_a_second_connection_all_goes_over_the_first(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    session = connect(monkeypatch, Sending(wire))
    monkeypatch.setattr(Session, "another", lambda _self: None)
    turns = Turns(session, few=2)
    assert [wait() for wait in [turns.begin(deletion(name)) for name in "abcde"]] == [0] * 5
    turns.close()
    assert wire.order == list("abcde")


def test_a_writer_begins_steps_with_writers_of_their_own(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    writer = Writer(opened(monkeypatch, wire))
    names = ("a", "b", "c bad", "d")

    def delete(name: str) -> Callable[[Writer], None]:
        return lambda own: own.delete(name)

    waits = [writer.begin(delete(name)) for name in names]
    for good in (0, 1, 3):
        waits[good]()
    with pytest.raises(ObjectError):
        waits[2]()
    writer.close()
    writer.close()
    assert wire.order == [f"<GUID={name}>" for name in names]
