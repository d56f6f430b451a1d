# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection: log-on, paging, waiting, what cannot be reached."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import ldap3
import pytest
from ldap3.core.exceptions import (
    LDAPResponseTimeoutError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketOpenError,
    LDAPSocketReceiveError,
)

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import connection as connection_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import session as session_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import (
    ConnectionSettings,
    TlsMode,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
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

CHANGE = {"description": [("MODIFY_REPLACE", ["x"])]}


def pages(*answers: Answer | Result) -> ScriptedConnection:
    """Return a connection that gives these answers one after the other."""
    waiting = list(answers)
    return ScriptedConnection(lambda _operation: waiting.pop(0))


def test_the_password_is_not_shown() -> None:
    assert "Pa$$w0rd" not in repr(ConnectionSettings("dc1", "svc", "Pa$$w0rd"))


@pytest.mark.parametrize(
    ("mode", "port", "expected", "steps"),
    [
        (TlsMode.LDAPS, None, (636, True), ["open", "bind"]),
        (TlsMode.START_TLS, None, (389, False), ["open", "start_tls", "bind"]),
        (TlsMode.LDAPS, 1636, (1636, True), ["open", "bind"]),
    ],
)
def test_the_connection_is_protected_before_the_password_is_sent(
    monkeypatch: pytest.MonkeyPatch, mode: TlsMode, port: int | None, expected: tuple[int, bool], steps: list[str]
) -> None:
    servers: list[dict[str, Any]] = []
    server = ldap3.Server

    def remember(*arguments: Any, **options: Any) -> Any:
        servers.append(options)
        return server(*arguments, **options)

    monkeypatch.setattr(ldap3, "Server", remember)
    connection = pages()
    connect(monkeypatch, connection, ConnectionSettings("dc1", "svc", "x", port, mode))
    assert (servers[0]["port"], servers[0]["use_ssl"]) == expected
    assert servers[0]["tls"].validate == ssl.CERT_REQUIRED
    assert connection.opened == steps


def test_certificate_and_host_name_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def remember(**options: Any) -> ssl.SSLContext:
        contexts.append(create(**options))
        return contexts[-1]

    monkeypatch.setattr(ssl, "create_default_context", remember)
    connection_module._verified_tls(None)
    assert contexts[0].verify_mode is ssl.CERT_REQUIRED
    assert contexts[0].check_hostname


def test_the_name_that_is_checked_is_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        def wrap_socket(self, raw: object, **options: object) -> object:
            return raw, options

    monkeypatch.setattr(ssl, "create_default_context", lambda **_o: Context())
    tls = connection_module._verified_tls(None)

    class Connection:
        socket: object = "raw"
        server = ldap3.Server("dc1.contoso.com")

    connection = Connection()
    tls.wrap_socket(connection)
    assert connection.socket == ("raw", {"server_hostname": "dc1.contoso.com", "do_handshake_on_connect": True})


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(DirectoryError, match="domain_ca_cert") as caught:
        Session.opened(ConnectionSettings("dc1", "svc", "x", ca_cert=str(path)))
    assert caught.value.code == "ca_cert_unreadable"


def test_a_refused_log_on(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages()
    connection.bind_result = refused(49, "80090308: LdapErr: DSID-0C090439, data 775, v4563")
    with pytest.raises(DirectoryError, match="locked"):
        connect(monkeypatch, connection)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("socket connection error while opening: [Errno 111] Connection refused", "directory_unreachable"),
        (
            "socket ssl wrapping error: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
            "directory_not_trusted",
        ),
        ("Certificate is not valid for any domain", "directory_not_trusted"),
    ],
)
def test_a_server_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, text: str, code: str) -> None:
    connection = pages()
    connection.failures = [LDAPSocketOpenError(text)]
    with pytest.raises(DirectoryError, match=r"dc1\.contoso\.com:636") as caught:
        connect(monkeypatch, connection)
    assert caught.value.code == code
    assert "Pa$$w0rd" not in str(caught.value)


def test_a_write_whose_connection_breaks_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it was carried out. The next operation gets a new connection."""
    connection = pages(OK)
    session = connect(monkeypatch, connection)
    connection.failures = [LDAPSocketReceiveError("gone")]
    with pytest.raises(DirectoryError) as caught:
        session.modify("CN=a", CHANGE)
    assert caught.value.code == "directory_unreachable"
    assert connection.opened == ["open", "bind"]
    assert session.modify("CN=b", CHANGE) == OK
    assert connection.opened == ["open", "bind"] * 2
    assert session.operations == {"bind": 2, "modify": 2}


def test_a_search_whose_connection_breaks_is_repeated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages(page([entry("CN=1")]))
    session = connect(monkeypatch, connection)
    connection.failures = [LDAPSessionTerminatedByServerError("idle")]
    assert [item.dn for item in session.search("DC=x", "(a=b)", [])] == ["CN=1"]
    assert connection.opened == ["open", "bind"] * 2
    connection.failures = [LDAPSocketReceiveError("gone"), LDAPSocketReceiveError("gone again")]
    with pytest.raises(DirectoryError, match="gone again"):
        list(session.search("DC=x", "(a=b)", []))


def test_a_search_that_has_begun_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie is worth nothing on another connection."""
    connection = pages(page([entry("CN=1")], b"one"))
    session = connect(monkeypatch, connection)
    search = session.search("DC=x", "(a=b)", [])
    assert next(search).dn == "CN=1"
    connection.failures = [LDAPSocketReceiveError("gone")]
    with pytest.raises(DirectoryError, match="gone"):
        next(search)


def test_an_answer_that_does_not_come_is_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages()
    session = connect(monkeypatch, connection)
    connection.failures = [LDAPResponseTimeoutError("no response from server")]
    with pytest.raises(DirectoryError, match="no response"):
        list(session.search("DC=x", "(a=b)", []))
    assert len(connection.asked) == 1


def test_a_connection_that_was_silent_is_tried_before_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages((OK, []), OK, OK)
    session = connect(monkeypatch, connection)
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock + 3600)
    connection.failures = [LDAPSessionTerminatedByServerError("idle")]
    assert session.modify("CN=a", CHANGE) == OK
    assert session.delete("CN=a") == OK
    assert [operation.kind for operation in connection.asked] == ["search", "search", "modify", "delete"]
    assert connection.opened == ["open", "bind"] * 2


def test_how_long_a_connection_was_silent_is_asked_after_the_turn_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages((OK, []), OK)
    session = connect(monkeypatch, connection)
    clock = time.monotonic()
    late = session.waiting(lambda: monkeypatch.setattr(time, "monotonic", lambda: clock + 61))
    assert late.modify("CN=a", CHANGE) == OK
    assert [operation.kind for operation in connection.asked] == ["search", "modify"]


def told_by(service: str) -> Answer:
    return page([entry("", dsServiceName=[service])])


def test_another_domain_controller_behind_the_same_name_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told_by("CN=DC1")
    connection = pages(found, told_by("CN=DC1"), OK, told_by("CN=DC2"), told_by("CN=DC2"), (OK, []))
    session = connect(monkeypatch, connection)
    assert session.stay() == ("CN=DC1",)
    assert session.stay() == ("CN=DC1",), "it is asked once"
    connection.failures = [LDAPSessionTerminatedByServerError("idle")]
    with pytest.raises(DirectoryError):
        session.delete("CN=a")
    assert session.delete("CN=a") == OK
    connection.failures = [LDAPSessionTerminatedByServerError("idle")]
    for _time in range(2):
        with pytest.raises(DirectoryError, match="same domain controller"):
            list(session.search("DC=x", "(a=b)", []))
    with pytest.raises(DirectoryError, match="same domain controller"):
        session.delete("CN=a")
    assert [operation.kind for operation in connection.asked].count("delete") == 2


def test_where_the_server_is_asked_for_in_vain_the_connection_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages()
    session = connect(monkeypatch, connection)
    session.stay(("CN=DC1",))
    connection.failures = [LDAPSessionTerminatedByServerError("idle"), LDAPSocketReceiveError("gone again")]
    with pytest.raises(DirectoryError, match="gone again"):
        list(session.search("DC=x", "(a=b)", []))


def test_after_a_defect_the_connection_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer that nobody took would be taken for that to the next request."""
    connection = pages(OK)
    session = connect(monkeypatch, connection)
    connection.failures = [IndexError("of the decoder")]
    with pytest.raises(IndexError):
        session.delete("CN=a")
    assert session.delete("CN=b") == OK
    assert connection.opened == ["open", "bind"] * 2


def test_what_was_closed_is_not_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages()
    session = connect(monkeypatch, connection)
    session.close()
    with pytest.raises(DirectoryError, match="has ended"):
        session.delete("CN=a")
    assert connection.asked == []


def test_a_modify_of_nothing_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, pages())
    with pytest.raises(ValueError, match="nothing"):
        session.modify("CN=a", {"member": []})


def test_closing_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = pages()
    session = connect(monkeypatch, connection)
    session.close()
    connection.failures = [LDAPSocketReceiveError("gone")]
    session.close()
    assert connection.opened[-2:] == ["unbind", "unbind"]


def test_pages_are_read_to_the_last_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    referral = {"type": "searchResRef", "uri": ["ldap://x"]}
    connection = pages(page([entry("CN=1"), referral], b"one"), page([], b"two"), page([entry("CN=2")], b""))
    session = connect(monkeypatch, connection)
    found = [item.dn for item in session.search("DC=x", "(a=b)", ["cn"])]
    assert found == ["CN=1", "CN=2"]
    assert [operation.options["paged_cookie"] for operation in connection.asked] == [None, b"one", b"two"]
    assert {operation.options["paged_size"] for operation in connection.asked} == {session_module.PAGE_SIZE}
    assert session.operations["search"] == 3


def test_a_page_that_fails_fails_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, pages(page([entry("CN=1")], b"one"), refused(4, "", "sizeLimitExceeded")))
    search = session.search("DC=x", "(a=b)", ["cn"])
    assert next(search).dn == "CN=1"
    with pytest.raises(DirectoryError, match="sizeLimitExceeded"):
        next(search)


def test_a_base_that_is_missing_is_nothing_for_a_base_search_only(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, pages(refused(32), refused(32)))
    assert list(session.search("CN=a", "(a=b)", [], scope="BASE")) == []
    with pytest.raises(DirectoryError):
        list(session.search("CN=a", "(a=b)", []))


def test_a_base_search_is_not_paged_and_asks_for_nothing_when_nothing_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = pages((OK, []))
    list(connect(monkeypatch, connection).search("CN=a", "(a=b)", [], scope="BASE"))
    options = connection.asked[0].options
    assert (options["paged_size"], options["attributes"], options["controls"]) == (None, ["1.1"], None)


def test_attribute_names_are_found_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    session = connect(monkeypatch, pages(page([entry("CN=1", displayname=["x"], mail=[])])))
    (found,) = session.search("DC=x", "(a=b)", ["displayName"])
    assert (found.texts("displayName"), found.first("DISPLAYNAME")) == (("x",), b"x")
    assert (found.first("mail"), found.texts("info"), found.first("info")) == (None, (), None)


@pytest.mark.parametrize("code", [51, 52])
def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    waits: list[float] = []
    session = connect(monkeypatch, pages(refused(code), refused(code), OK))
    monkeypatch.setattr(time, "sleep", waits.append)
    assert session.modify("CN=a", CHANGE)["result"] == 0
    assert len(waits) == 2
    assert 0 < waits[0] <= waits[1] * 2
    assert session.operations["modify"] == 3


def test_a_server_that_stays_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = ScriptedConnection(lambda _operation: refused(51))
    session = connect(monkeypatch, connection)
    assert session.modify("CN=a", CHANGE)["result"] == 51
    assert len(connection.asked) == 5


def test_writes_reach_the_connection_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = ScriptedConnection(lambda _operation: OK)
    session = connect(monkeypatch, connection)
    session.add("CN=a", "group", {"displayName": ("x",)})
    session.modify("<GUID=1>", {"member": [("MODIFY_ADD", ("a",)), ("MODIFY_DELETE", ("b",))]})
    session.modify_dn("<GUID=1>", "CN=b", "OU=c")
    session.modify("CN=d", {"isDeleted": [("MODIFY_DELETE", ())]}, [SHOW_DELETED_CONTROL])
    session.delete("<GUID=1>")
    assert connection.asked == [
        Operation("add", ("CN=a", "group", {"displayName": ["x"]})),
        Operation("modify", ("<GUID=1>", {"member": [("MODIFY_ADD", ["a"]), ("MODIFY_DELETE", ["b"])]})),
        Operation("modify_dn", ("<GUID=1>", "CN=b"), {"new_superior": "OU=c"}),
        Operation("modify", ("CN=d", {"isDeleted": [("MODIFY_DELETE", [])]}), {"controls": [SHOW_DELETED_CONTROL]}),
        Operation("delete", ("<GUID=1>",)),
    ]
