# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The global catalog: opened when needed, counted, and named when it fails."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.catalog import Catalog
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from tests.unit.plugins.module_utils._directory.scripted import (
    Handler,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)


def catalog(patch: pytest.MonkeyPatch, handler: Handler) -> tuple[Catalog, Session, ScriptedConnection]:
    """Return a catalog, the session that counts for it, and its connection."""
    session = connect(patch, ScriptedConnection(lambda _operation: page([])))
    connection = ScriptedConnection(handler)
    return Catalog(lambda: connect(patch, connection), session.operations), session, connection


def test_it_is_opened_once_when_first_asked_and_counts_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, session, connection = catalog(monkeypatch, lambda _operation: page([entry("CN=a")]))
    assert connection.opened == []
    for _time in range(2):
        assert [found.dn for found in under_test.search("", "(a=b)", ["cn"])] == ["CN=a"]
    assert connection.opened == ["open", "bind"]
    assert session.operations == {"bind": 2, "search": 2}
    under_test.close()
    assert connection.opened[-1] == "unbind"


def test_one_that_was_never_asked_is_not_opened_to_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _session, connection = catalog(monkeypatch, lambda _operation: page([]))
    under_test.close()
    assert connection.opened == []


def test_a_refusal_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _session, _connection = catalog(monkeypatch, lambda _operation: refused(53, "no"))
    with pytest.raises(DirectoryError, match=r"global_catalog_server: .*no") as caught:
        list(under_test.search("", "(a=b)", ["cn"]))
    assert caught.value.code == "directory_rejected"


def test_so_does_one_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _session, connection = catalog(monkeypatch, lambda _operation: page([]))
    connection.bind_result = refused(49)
    with pytest.raises(DirectoryError, match="global_catalog_server") as caught:
        list(under_test.search("", "(a=b)", ["cn"]))
    assert caught.value.code == "directory_log_on_refused"
