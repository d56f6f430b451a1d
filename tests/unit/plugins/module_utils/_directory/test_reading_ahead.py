# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two connections read at once, if both lead to the same server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from ldap3.core.exceptions import LDAPSocketReceiveError

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reading_ahead import ReadAhead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from tests.unit.plugins.module_utils._directory.scripted import ScriptedConnection, connect, entry, page


def server(service: str | None) -> ScriptedConnection:
    """Return a connection to a server that says who it is."""
    names = {"dsServiceName": [service]} if service else {}
    return ScriptedConnection(lambda operation: page([entry(operation.base, **names)]))


def reading(name: str) -> Callable[[Session], str]:
    return lambda session: next(session.search(name, "(objectClass=*)", (), scope="BASE")).dn


def reading_after(before: threading.Event, name: str) -> Callable[[Session], str]:
    """Read once something else has been read."""

    def read(session: Session) -> str:
        assert before.wait(5)
        return reading(name)(session)

    return read


def telling(done: threading.Event, name: str) -> Callable[[Session], str]:
    def read(session: Session) -> str:
        found = reading(name)(session)
        done.set()
        return found

    return read


def asked(connection: ScriptedConnection) -> list[str]:
    return [operation.base for operation in connection.asked]


def test_one_thing_is_read_while_another_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = server("CN=DC1"), server("CN=DC1")
    session = connect(monkeypatch, first)
    connect(monkeypatch, second)
    second.opened.clear()
    ahead, done = ReadAhead(session), threading.Event()
    ahead.foresee()
    ahead.foresee()
    waits = [ahead.begin(step) for step in (reading_after(done, "a"), reading_after(done, "b"), telling(done, "c"))]
    assert [wait() for wait in waits] == ["a", "b", "c"]
    ahead.close()
    assert sorted(asked(first)) == ["", "a", "b"]
    assert asked(second) == ["", "c"]
    assert second.opened == ["open", "bind", "unbind"]
    assert session.operations == {"bind": 2, "search": 5}


def test_a_few_things_need_no_second_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, server("CN=DC1"))
    ahead = ReadAhead(session)
    assert [wait() for wait in [ahead.begin(reading(name)) for name in "abcd"]] == list("abcd")
    assert [ahead.begin(reading(name))() for name in "efgh"] == list("efgh"), "each is read before the next is begun"
    ahead.close()
    assert session.operations["bind"] == 1


def test_many_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, server("CN=DC1"))
    ahead, may_go = ReadAhead(session), threading.Event()
    waits = [ahead.begin(reading_after(may_go, name)) for name in "abcdef"]
    may_go.set()
    assert [wait() for wait in waits] == list("abcdef")
    ahead.close()
    assert session.operations["bind"] == 2


@pytest.mark.parametrize("service", ["CN=DC2", None], ids=["another server", "one that does not say who it is"])
def test_only_the_same_server_is_read(monkeypatch: pytest.MonkeyPatch, service: str | None) -> None:
    first, second = server("CN=DC1"), server(service)
    session = connect(monkeypatch, first)
    connect(monkeypatch, second)
    ahead, may_go = ReadAhead(session), threading.Event()
    ahead.foresee()
    waits = [ahead.begin(reading_after(may_go, name)) for name in "abcd"]
    may_go.set()
    assert [wait() for wait in waits] == list("abcd")
    ahead.close()
    assert {*asked(first)} - {""} == {*"abcd"}
    assert second.opened[-1] == "unbind"


def test_without_a_second_connection_all_goes_over_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, server("CN=DC1"))

    def refuse(_self: Session) -> None:
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    monkeypatch.setattr(Session, "another", refuse)
    ahead = ReadAhead(session)
    ahead.foresee()
    assert [wait() for wait in [ahead.begin(reading(name)) for name in "abcd"]] == list("abcd")
    ahead.close()
    assert session.operations == {"bind": 1, "search": 4}


def test_what_the_second_connection_loses_the_first_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = server("CN=DC1"), server("CN=DC1")
    session = connect(monkeypatch, first)
    connect(monkeypatch, second)
    ahead, may_go = ReadAhead(session), threading.Event()
    ahead.foresee()
    waits = [ahead.begin(reading_after(may_go, name)) for name in "ab"]
    while not asked(second):
        threading.Event().wait(0.01)
    second.opened.clear()
    second.failures = [LDAPSocketReceiveError("gone")]
    done = ahead.begin(reading("c"))
    assert done() == "c"
    may_go.set()
    assert [wait() for wait in waits] == ["a", "b"]
    assert ahead.begin(reading("d"))() == "d"
    ahead.close()
    assert asked(second) == ["", "c"]
    assert second.opened == ["unbind"], "it is not opened again, where the name may lead to another server"
    assert {*"abcd"} <= {*asked(first)}


def test_what_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = ReadAhead(connect(monkeypatch, server("CN=DC1")))

    def fail(_session: Session) -> None:
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    with pytest.raises(DirectoryError):
        ahead.begin(fail)()
    ahead.close()


def test_what_nobody_waits_for_any_more_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = server("CN=DC1")
    ahead, may_go = ReadAhead(connect(monkeypatch, connection)), threading.Event()
    for name in "abc":
        ahead.begin(reading_after(may_go, name))
    threading.Timer(0.05, may_go.set).start()
    ahead.close()
    assert asked(connection) == ["a"]
