# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps take turns at a connection: one request at the server at a time, in order, whatever each takes to be made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import connection
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

ADD = "MODIFY_ADD"


def pass_time(seconds: float) -> None:
    """Wait, although `connect` makes sleeping short."""
    threading.Event().wait(seconds)


class Wire:
    """What is sent by the connection of a test."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = 0
        self.order: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def carrying(self, data: str) -> Iterator[None]:
        """Carry a request until it is answered."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.order.append(data)
        pass_time(0.02 if "slow" in data else 0.005)
        yield
        with self._lock:
            self.at_once -= 1


class Sending(ScriptedConnection):
    """Takes a while for an answer."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(self._reply)
        self.wire = wire

    def _reply(self, operation: Operation) -> Answer | Result:
        if operation.kind == "search":
            return page([entry("", dsServiceName=["CN=DC1"])])
        with self.wire.carrying(operation.base):
            return refused(53) if "bad" in operation.base else OK


@pytest.fixture
def wire() -> Wire:
    """Return the wire of the sessions that a test opens."""
    return Wire()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> Turns:
    """Return turns at a connection of that wire."""
    return Turns(connect(monkeypatch, Sending(wire)))


def deletion(name: str) -> Callable[[Session], Any]:
    return lambda session: session.delete(name)["result"]


def test_steps_are_sent_in_their_order_and_never_two_at_once(turns: Turns, wire: Wire) -> None:
    names = [f"{number}{'slow' if number % 3 == 0 else ''}" for number in range(20)]
    waits = [turns.begin(deletion(name)) for name in names]
    assert [wait() for wait in waits] == [0] * 20
    turns.close()
    assert (wire.order, wire.most_at_once) == (names, 1)


def test_a_step_keeps_its_turn_to_its_end(turns: Turns, wire: Wire) -> None:
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


def test_a_modify_is_made_ready_while_the_step_before_writes(
    turns: Turns, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = vars(connection)["modify_operation"]
    is_ready = threading.Event()

    def make(*arguments: Any, **options: Any) -> Any:
        is_ready.set()
        return made(*arguments, **options)

    monkeypatch.setattr(connection, "modify_operation", make)

    def before(session: Session) -> bool:
        session.delete("a")
        was_ready = is_ready.wait(5)
        session.delete("b")
        return was_ready

    waits = [
        turns.begin(before),
        turns.begin(lambda session: session.modify("c", {"member": [(ADD, ["x"])]})),
    ]
    assert waits[0]() is True
    assert waits[1]() == OK
    turns.close()
    assert wire.order == ["a", "b", "c"]


def test_a_step_that_sends_nothing_or_fails_lets_the_next_one_go(turns: Turns) -> None:
    def defect(_session: Session) -> None:
        raise ZeroDivisionError

    begun = [turns.begin(step) for step in (deletion("a"), deletion("b"), defect, deletion("c bad"), deletion("d"))]
    assert (begun[0](), begun[1](), begun[3](), begun[4]()) == (0, 0, 53, 0)
    with pytest.raises(ZeroDivisionError):
        begun[2]()
    turns.close()


def test_nothing_is_sent_once_the_directory_went_away(turns: Turns, wire: Wire) -> None:
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


def test_a_step_that_loses_the_directory_before_its_turn_stops_only_later_ones(turns: Turns, wire: Wire) -> None:
    is_lost = threading.Event()

    def lose(_session: Session) -> None:
        is_lost.set()
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    def before(session: Session) -> Any:
        assert is_lost.wait(5)
        pass_time(0.02)
        return session.delete("a")["result"]

    waits = [turns.begin(before), turns.begin(lose), turns.begin(deletion("after"))]
    assert waits[0]() == 0
    for wait in waits[1:]:
        with pytest.raises(DirectoryError):
            wait()
    turns.close()
    assert wire.order == ["a"]


def test_the_connection_may_be_read_meanwhile(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    session = connect(monkeypatch, Sending(wire))
    turns = Turns(session)
    waits = [turns.begin(deletion(f"{number} slow")) for number in range(6)]
    assert next(session.search("", "(objectClass=*)", (), scope="BASE")).texts("dsServiceName") == ("CN=DC1",)
    assert [wait() for wait in waits] == [0] * 6
    turns.close()


def test_a_writer_begins_steps_with_writers_of_their_own(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    writer = Writer(connect(monkeypatch, Sending(wire)))
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
