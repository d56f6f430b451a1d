# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two connections read at once, if both lead to the same server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

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


def test_what_is_read_goes_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = server("CN=DC1"), server("CN=DC1")
    session = connect(monkeypatch, first)
    connect(monkeypatch, second)
    second.opened.clear()
    ahead = ReadAhead(session)
    assert [wait() for wait in [ahead.begin(reading(name)) for name in "abcd"]] == list("abcd")
    ahead.close()
    assert sorted(operation.base for operation in first.asked) == ["", "a", "c"]
    assert [operation.base for operation in second.asked] == ["", "b", "d"]
    assert second.opened == ["open", "bind", "unbind"]
    assert session.operations == {"bind": 2, "search": 6}


def test_one_thing_needs_no_second_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, server("CN=DC1"))
    ahead = ReadAhead(session)
    assert ahead.begin(reading("a"))() == "a"
    ahead.close()
    assert session.operations["bind"] == 1


def test_two_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = ReadAhead(connect(monkeypatch, server("CN=DC1")))
    both = threading.Barrier(2, timeout=5)
    waits = [ahead.begin(lambda _session: both.wait()) for _time in range(2)]
    assert sorted(wait() for wait in waits) == [0, 1]
    ahead.close()


@pytest.mark.parametrize("service", ["CN=DC2", None], ids=["another server", "one that does not say who it is"])
def test_only_the_same_server_is_read(monkeypatch: pytest.MonkeyPatch, service: str | None) -> None:
    first, second = server("CN=DC1"), server(service)
    session = connect(monkeypatch, first)
    connect(monkeypatch, second)
    ahead = ReadAhead(session)
    assert [wait() for wait in [ahead.begin(reading(name)) for name in "abcd"]] == list("abcd")
    ahead.close()
    assert {operation.base for operation in first.asked} == {"", *"abcd"} - ({""} if service is None else set())
    assert second.opened[-1] == "unbind"


def test_without_a_second_connection_all_goes_over_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, server("CN=DC1"))

    def refuse(_self: Session) -> None:
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    monkeypatch.setattr(Session, "another", refuse)
    ahead = ReadAhead(session)
    assert [wait() for wait in [ahead.begin(reading(name)) for name in "abcd"]] == list("abcd")
    ahead.close()
    assert session.operations == {"bind": 1, "search": 4}


def test_what_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = ReadAhead(connect(monkeypatch, server("CN=DC1")))

    def fail(_session: Session) -> None:
        raise DirectoryError("It does not answer.", code="directory_unreachable")

    with pytest.raises(DirectoryError):
        ahead.begin(fail)()
    ahead.close()
