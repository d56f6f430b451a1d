# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a domain: what a whole answer is, and what only looks like one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    SHOW_DELETED_CONTROL,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    IncompleteReadError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Link
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
    with_raw,
)
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, OUTSIDE, SISTER_SID, SUB, cloud_id, guid, sid

ROOT = {
    "defaultNamingContext": [BASE],
    "configurationNamingContext": [f"CN=Configuration,{BASE}"],
    "schemaNamingContext": [f"CN=Schema,CN=Configuration,{BASE}"],
    "dnsHostName": ["dc1.contoso.com"],
}
DELETED_OBJECTS = f"<WKGUID=18e2ea80684f11d2b9aa00c04f79f805,{BASE}>"
Entries: TypeAlias = "Callable[[Operation], list[dict[str, Any]] | None]"


def domain(special: Entries | None = None) -> ScriptedConnection:
    """Return a domain controller that can be used; `special` answers what it does not pass on."""

    def handler(operation: Operation) -> Any:
        base, ldap_filter = operation.arguments[:2]
        found = special(operation) if special else None
        if found is not None:
            return page(found)
        if base == "":
            return page([entry("", **ROOT)])
        if base == BASE and operation.options["search_scope"] == "BASE":
            return page([entry(BASE, objectSid=[identity.sid_to_bytes(DOMAIN_SID)])])
        if base.startswith("CN=Partitions"):
            sister = f"<GUID={guid(1)}>;<SID={SISTER_SID}>;DC=emea,{BASE}"
            return page([entry("CN=1", nCName=[sister]), entry("CN=2", nCName=[f"<GUID={guid(2)}>;CN=x"])])
        if base.startswith("CN=Schema"):
            return page([entry(f"CN=x,{base}")] if ANCHOR in ldap_filter else [])
        return page([entry(base)]) if base in (MANAGED, SUB) else refused(32)

    return ScriptedConnection(handler)


def reader(patch: pytest.MonkeyPatch, special: Entries | None = None) -> tuple[Reader, ScriptedConnection]:
    """Return a reader, and the connection with the questions of the start forgotten."""
    connection = domain(special)
    result = Reader(connect(patch, connection), [MANAGED], ["displayName", "description"])
    connection.asked.clear()
    return result, connection


def group_entry(number: int, container: str = MANAGED, **more: Sequence[bytes | str]) -> dict[str, Any]:
    """Return a group as a search shows it."""
    usual: dict[str, Sequence[bytes | str]] = {
        "objectClass": ["top", "group"],
        "objectGUID": [identity.guid_to_bytes(guid(number))],
        "objectSid": [identity.sid_to_bytes(sid(2000 + number))],
        "msDS__ExternalDirectoryObjectId": [f"Group_{cloud_id(number)}"],
    }
    return entry(f"CN=Group {number},{container}", **{**usual, **more})


def test_the_domain_and_its_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reader(monkeypatch)[0].domain
    assert (found.dn, found.sid, found.server) == (BASE, DOMAIN_SID, "dc1.contoso.com")
    assert found.forest == {DOMAIN_SID: "contoso.com", SISTER_SID: "emea.contoso.com"}


@pytest.mark.parametrize(
    ("special", "code"),
    [
        (lambda operation: [entry("")] if operation.base == "" else None, "not_a_dc"),
        (lambda operation: [] if operation.base == "" else None, "not_a_dc"),
        (lambda operation: [entry(BASE)] if operation.base == BASE else None, "not_a_dc"),
        (lambda operation: [] if operation.base.startswith("CN=Schema") else None, "schema_too_old"),
        (lambda operation: [] if operation.base == MANAGED else None, "managed_container_missing"),
    ],
)
def test_a_server_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, special: Entries, code: str) -> None:
    with pytest.raises(DirectoryError) as caught:
        reader(monkeypatch, special)
    assert caught.value.code == code


def test_a_managed_container_of_another_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DirectoryError, match="DC=fabrikam") as caught:
        Reader(connect(monkeypatch, domain()), ["OU=Groups,DC=fabrikam,DC=com"], [])
    assert caught.value.code == "managed_container_elsewhere"


def test_each_managed_container_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    containers = [f"OU=Unit {number},{BASE}" for number in range(20)]
    connection = domain(lambda operation: [entry(operation.base)] if operation.base in containers else None)
    Reader(connect(monkeypatch, connection), containers, [])
    assert len([operation for operation in connection.asked if operation.base in containers]) == len(containers)


def test_anchored_groups_are_told_from_anchors_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    user = ["top", "person", "organizationalPerson", "user"]
    answer = [
        group_entry(2, SUB),
        group_entry(1, displayName=["Sales"], description=["a", "b"]),
        group_entry(3, OUTSIDE),
        group_entry(4, objectClass=user),
    ]
    under_test, connection = reader(monkeypatch, lambda op: answer if "Group_*" in op.arguments[1] else None)
    found = under_test.anchored()
    assert [group.guid for group in found.groups] == [guid(1), guid(2)]
    assert found.groups[0].attributes["description"] == ("a", "b")
    assert found.groups[0].cloud_id == cloud_id(1)
    assert found.groups[1].attributes["displayName"] == ()
    assert found.elsewhere == (
        (f"CN=Group 3,{OUTSIDE}", f"Group_{cloud_id(3)}"),
        (f"CN=Group 4,{MANAGED}", f"Group_{cloud_id(4)}"),
    )
    assert connection.asked[0].base == BASE


def test_guids_and_sids_are_searched_as_escaped_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(
        monkeypatch, lambda op: [group_entry(1)] if "objectGUID=" in op.arguments[1] else None
    )
    assert [group.guid for group in under_test.groups({guid(1)}, {sid(2001)})] == [guid(1)]
    (operation,) = connection.asked
    escaped_guid = "".join(f"\\{byte:02x}" for byte in identity.guid_to_bytes(guid(1)))
    escaped_sid = "".join(f"\\{byte:02x}" for byte in identity.sid_to_bytes(sid(2001)))
    wanted = f"(&(objectClass=group)(|(objectGUID={escaped_guid})(objectSid={escaped_sid})))"
    assert operation.arguments[1] == wanted


def test_groups_outside_the_managed_containers_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = reader(
        monkeypatch, lambda op: [group_entry(1, OUTSIDE)] if "objectGUID=" in op.arguments[1] else None
    )
    assert under_test.groups({guid(1)}, ()) == ()


def test_many_terms_are_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, lambda op: [] if "objectGUID=" in op.arguments[1] else None)
    under_test.groups([guid(number) for number in range(450)], ())
    assert [len(re.findall("objectGUID=", operation.arguments[1])) for operation in connection.asked] == [200, 200, 50]


def test_nothing_to_look_for_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.groups((), ()) == ()
    assert under_test.resolve(()) == {}
    assert list(under_test.links(())) == []
    assert connection.asked == []


def test_deleted_objects_are_found_by_their_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"CN=Sales\\0ADEL:{guid(1)},CN=Deleted Objects,{BASE}"
    tombstone = entry(name, msDS__ExternalDirectoryObjectId=[f"GROUP_{cloud_id(1).upper()}"])

    def special(operation: Operation) -> list[dict[str, Any]] | None:
        if operation.base == DELETED_OBJECTS:
            return [entry(f"CN=Deleted Objects,{BASE}", objectClass=["top", "container"])]
        return [tombstone] if "isDeleted" in operation.arguments[1] else None

    under_test, connection = reader(monkeypatch, special)
    assert under_test.deleted([f"Group_{cloud_id(1)}"]) == {f"Group_{cloud_id(1)}": name}
    assert [operation.options["controls"] for operation in connection.asked] == [[SHOW_DELETED_CONTROL]] * 2


@pytest.mark.parametrize("shown", [[], [entry(f"CN=Deleted Objects,{BASE}")]])
def test_deleted_objects_that_the_account_may_not_see_are_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch, shown: list[dict[str, Any]]
) -> None:
    """Samba shows the container without anything in it."""
    under_test, connection = reader(monkeypatch, lambda op: shown if op.base == DELETED_OBJECTS else None)
    assert under_test.deleted([f"Group_{cloud_id(1)}"]) is None
    assert len(connection.asked) == 1


def test_which_containers_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader(monkeypatch)[0].containers([MANAGED, SUB, f"OU=None,{BASE}"]) == {MANAGED, SUB}


def member(number: int, security_identifier: str | None = "") -> bytes:
    """Return a value of `member` as the extended-DN control shows it."""
    held = sid(5000 + number) if security_identifier == "" else security_identifier
    middle = f";<SID={held}>" if held else ""
    return f"<GUID={guid(number).upper()}>{middle};CN=User\\, {number},{OUTSIDE}".encode()


def ranged(number: int, raw: Mapping[str, Sequence[bytes]], usn: int = 7) -> dict[str, Any]:
    """Return a group with member ranges."""
    found = entry(
        f"CN=Group {number},{MANAGED}", objectGUID=[identity.guid_to_bytes(guid(number))], uSNChanged=[str(usn)]
    )
    return with_raw(found, raw)


class Ranges:
    """A group whose members come in ranges of at most three; `script` may change it before each answer."""

    def __init__(self, count: int, script: Callable[[int, Ranges], None] = lambda _turn, _group: None) -> None:
        self.members = [member(number) for number in range(count)]
        self.usn = 7
        self.turn = 0
        self.script = script
        self.there = True

    def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Answer a question about members."""
        asked = [name for name in operation.options["attributes"] if name.startswith("member")]
        if not asked:
            return None
        self.turn += 1
        self.script(self.turn, self)
        if not self.there:
            return []
        low = int(asked[0].split("=")[1].split("-")[0])
        part = self.members[low : low + 3]
        last = low + 3 >= len(self.members)
        name = f"member;range={low}-{'*' if last else low + len(part) - 1}" if part else "member"
        return [ranged(1, {name: part}, self.usn)]


def test_members_are_read_with_guid_and_sid(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"member;range=0-*": [member(1), member(2, None)]}
    under_test, connection = reader(
        monkeypatch, lambda op: [ranged(1, raw)] if "uSNChanged" in op.options["attributes"] else None
    )
    assert list(under_test.links([guid(1)])) == [
        (guid(1), (Link(guid(1), sid(5001), f"CN=User\\, 1,{OUTSIDE}"), Link(guid(2), None, f"CN=User\\, 2,{OUTSIDE}")))
    ]
    assert connection.asked[0].options["controls"] == [EXTENDED_DN_CONTROL]


@pytest.mark.parametrize("raw", [{}, {"member": ()}, {"MEMBER;RANGE=0-*": [member(1)]}])
def test_a_group_without_members_and_names_in_any_case(monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> None:
    under_test, _unused = reader(
        monkeypatch, lambda op: [ranged(1, raw)] if "uSNChanged" in op.options["attributes"] else None
    )
    ((found, links),) = under_test.links([guid(1)])
    assert (found, len(links)) == (guid(1), 1 if "MEMBER;RANGE=0-*" in raw else 0)


@pytest.mark.parametrize("count", [3, 4, 6, 7, 20])
def test_a_group_that_one_answer_does_not_hold_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    under_test, _unused = reader(monkeypatch, Ranges(count))
    ((_guid, links),) = under_test.links([guid(1)])
    assert [link.guid for link in links] == [guid(number) for number in range(count)]


@pytest.mark.parametrize(
    "raw",
    [
        {"member;range=0-2": [member(1), member(2)]},
        {"member;range=0-0": [member(1), member(2)]},
        {"member;range=1-*": [member(1)]},
        {"member;range=0-*": []},
        {"member;range=0-1": []},
        {"member": [member(1)]},
        {"member;range=0-1": [member(1), member(2)], "member;range=2-*": [member(3)]},
        {"member;range=0-x": [member(1)], "member": [member(1)]},
    ],
)
def test_an_answer_that_is_no_whole_range_is_no_reading(monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> None:
    under_test, _unused = reader(
        monkeypatch, lambda op: [ranged(1, raw)] if "uSNChanged" in op.options["attributes"] else None
    )
    with pytest.raises(IncompleteReadError):
        list(under_test.links([guid(1)]))


def test_an_empty_plain_member_beside_a_range_is_what_windows_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"member": (), "member;range=0-*": [member(1)]}
    under_test, _unused = reader(
        monkeypatch, lambda op: [ranged(1, raw)] if "uSNChanged" in op.options["attributes"] else None
    )
    ((_guid, links),) = under_test.links([guid(1)])
    assert len(links) == 1


def test_a_gap_in_a_later_range_is_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gap(Ranges):
        def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
            found = super().__call__(operation)
            if found and self.turn == 3:
                return [ranged(1, {"member;range=4-*": self.members[4:]})]
            return found

    under_test, _unused = reader(monkeypatch, Gap(6))
    with pytest.raises(IncompleteReadError, match="whole range"):
        list(under_test.links([guid(1)]))


def test_a_group_that_changes_while_it_is_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(turn: int, group: Ranges) -> None:
        if turn == 3:
            group.members.append(member(100))
            group.usn += 1

    under_test, _unused = reader(monkeypatch, Ranges(5, grow))
    ((_guid, links),) = under_test.links([guid(1)])
    assert [link.guid for link in links] == [guid(number) for number in (0, 1, 2, 3, 4, 100)]


def test_a_group_that_shrinks_while_it_is_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def shrink(turn: int, group: Ranges) -> None:
        if turn == 3:
            del group.members[2:]
            group.usn += 1

    under_test, _unused = reader(monkeypatch, Ranges(5, shrink))
    ((_guid, links),) = under_test.links([guid(1)])
    assert [link.guid for link in links] == [guid(0), guid(1)]


def test_a_group_that_never_rests_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def move(_turn: int, group: Ranges) -> None:
        group.usn += 1

    under_test, _unused = reader(monkeypatch, Ranges(9, move))
    with pytest.raises(IncompleteReadError, match="faster"):
        list(under_test.links([guid(1)]))


def test_a_range_that_ends_early_without_a_change_is_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(turn: int, group: Ranges) -> None:
        if turn == 3:
            del group.members[3:]

    under_test, _unused = reader(monkeypatch, Ranges(6, lose))
    with pytest.raises(IncompleteReadError):
        list(under_test.links([guid(1)]))


def test_a_group_that_goes_away_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(turn: int, group: Ranges) -> None:
        group.there = turn < 3

    under_test, _unused = reader(monkeypatch, Ranges(6, vanish))
    with pytest.raises(IncompleteReadError, match="went away"):
        list(under_test.links([guid(1)]))


def test_a_server_that_ignores_the_control_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"member;range=0-*": [b"CN=User,DC=x"]}
    under_test, _unused = reader(
        monkeypatch, lambda op: [ranged(1, raw)] if "uSNChanged" in op.options["attributes"] else None
    )
    with pytest.raises(IncompleteReadError, match="extended-DN"):
        list(under_test.links([guid(1)]))


def test_accounts_are_found_by_their_sid(monkeypatch: pytest.MonkeyPatch) -> None:
    account = entry(
        f"CN=User 1,{OUTSIDE}",
        objectGUID=[identity.guid_to_bytes(guid(1))],
        objectSid=[identity.sid_to_bytes(sid(5001))],
    )
    half = entry("CN=half", objectGUID=[identity.guid_to_bytes(guid(2))])
    under_test, connection = reader(
        monkeypatch, lambda op: [account, half] if "objectSid=" in op.arguments[1] else None
    )
    assert under_test.resolve({sid(5001), sid(5002)}) == {sid(5001): Link(guid(1), sid(5001), f"CN=User 1,{OUTSIDE}")}
    assert connection.asked[0].arguments[1].startswith("(&(objectClass=user)(|")


def test_what_tells_whose_a_linked_object_is(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [
        entry(
            "CN=1",
            objectGUID=[identity.guid_to_bytes(guid(1))],
            objectClass=["top", "person", "user"],
            sIDHistory=[identity.sid_to_bytes(sid(9)), identity.sid_to_bytes(sid(8))],
            msDS__ExternalDirectoryObjectId=[f"User_{cloud_id(1)}"],
        ),
        entry("CN=2", objectGUID=[identity.guid_to_bytes(guid(2))], objectClass=["top", "contact"]),
        entry("CN=3"),
    ]
    under_test, _unused = reader(monkeypatch, lambda op: answer if "objectGUID=" in op.arguments[1] else None)
    found = under_test.facts([guid(1), guid(2), guid(2)])
    assert set(found) == {guid(1), guid(2)}
    assert (found[guid(1)].object_class, found[guid(1)].sid_history) == ("user", (sid(9), sid(8)))
    assert found[guid(1)].anchor == f"User_{cloud_id(1)}"
    assert (found[guid(2)].object_class, found[guid(2)].sid_history, found[guid(2)].anchor) == ("contact", (), None)


def test_groups_are_found_by_their_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, lambda op: [group_entry(1)] if ANCHOR in op.arguments[1] else None)
    assert [group.guid for group in under_test.groups((), (), {f"Group_{cloud_id(1)}"})] == [guid(1)]
    assert connection.asked[0].arguments[1] == f"(&(objectClass=group)(|({ANCHOR}=Group_{cloud_id(1)})))"


def test_a_group_that_two_parts_of_a_question_find_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _connection = reader(monkeypatch, lambda op: [group_entry(1)] if "(|" in op.arguments[1] else None)
    assert len(under_test.groups([guid(number) for number in range(250)], ())) == 1


def test_the_schema_is_asked_where_the_server_says_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    attribute = entry("CN=Info", lDAPDisplayName=["info"], attributeSyntax=["2.5.5.12"], isSingleValued=["TRUE"])
    under_test, connection = reader(
        monkeypatch, lambda op: [attribute] if "lDAPDisplayName=info" in op.arguments[1] else None
    )
    assert under_test.schema(["info"])["info"].name == "info"
    assert {operation.base for operation in connection.asked} == set(ROOT["schemaNamingContext"])


def test_values_that_are_taken_are_given_as_they_are_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [entry(f"CN=1,{OUTSIDE}", info=["SALES", "more"])]
    under_test, connection = reader(monkeypatch, lambda op: answer if "info=" in op.arguments[1] else None)
    assert under_test.taken("info", {"Sales", "a*"}) == {"SALES", "more"}
    (operation,) = connection.asked
    assert (operation.base, operation.arguments[1]) == (BASE, r"(|(info=Sales)(info=a\2a))")


def test_names_that_are_occupied(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [
        entry(f"CN=Sales,{SUB}", objectGUID=[identity.guid_to_bytes(guid(1))], sAMAccountName=["SALES"]),
        entry(f"OU=Sales,{BASE}", objectGUID=[identity.guid_to_bytes(guid(2))]),
    ]
    under_test, connection = reader(monkeypatch, lambda op: answer if "(name=" in op.arguments[1] else None)
    found = under_test.occupied({"Sales"}, {"sales("})
    assert found.dns == {dn.key(f"CN=sales,{SUB}"): guid(1), dn.key(f"OU=Sales,{BASE}"): guid(2)}
    assert found.sams == {"sales": guid(1)}
    (operation,) = connection.asked
    assert (operation.base, operation.arguments[1]) == (BASE, r"(|(name=Sales)(sAMAccountName=sales\28))")


def test_no_names_ask_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.occupied((), ()).dns == {}
    assert under_test.taken("info", ()) == frozenset()
    assert connection.asked == []
