# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control lists of a scripted domain, read and changed."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import delegating
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.delegating import Held
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    DACL_CONTROL,
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import delegation, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import Place
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.descriptor_writing import entries_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    ObjectError,
)
from tests.unit.plugins.module_utils._directory.scripted import Operation
from tests.unit.plugins.module_utils._directory.scripted_lists import DELETED, GUID, SCHEMA, Domain
from tests.unit.plugins.module_utils._provisioning.test_rights import ace, descriptor
from tests.unit.samples import BASE, DOMAIN_SID, FOREIGN_SID, MANAGED, OWN_SID, STRANGER_SID

WANTED = list(delegation.grants(OWN_SID, {"member": GUID}, restore=False, units=False))
DENY, INHERITED = ace(1, 0x40, STRANGER_SID), ace(0, 0x10, STRANGER_SID, flags=0x12)
# Protected, so that nothing is inherited from above.
RAW = descriptor(DENY, INHERITED, control=0x9004)


def held(domain: Domain) -> Held:
    (one,) = delegating.read_objects(domain.session, BASE, [MANAGED], restore=False)
    return one


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Domain:
    """A container with an entry that denies and an inherited one."""
    found = Domain(monkeypatch)
    found.lists[MANAGED] = RAW
    return found


def test_entries_are_added_and_owner_group_and_all_others_stay(domain: Domain) -> None:
    delegating.write_entries(domain.session, held(domain), WANTED)
    written = domain.lists[MANAGED] or b""
    _revision, _sbz, control, owner, group, sacl, _dacl = struct.unpack_from("<BBHIIII", written)
    assert (control, owner, group, sacl) == (0x9004, 0, 0, 0)
    entries = entries_of(written)
    assert (entries[0], entries[-1], len(entries)) == (DENY, INHERITED, 2 + len(WANTED))
    assert delegation.missing(rights.parse(written), WANTED) == []
    (change,) = domain.operations("modify")
    assert change.options["controls"] == [DACL_CONTROL, SHOW_DELETED_CONTROL]
    assert all(operation.options["controls"][0] == OWNER_AND_DACL_CONTROL for operation in domain.operations("search"))
    delegating.write_entries(domain.session, held(domain), WANTED)
    assert len(domain.operations("modify")) == 1


def test_what_another_writer_did_since_the_comparison_stays(domain: Domain) -> None:
    one = held(domain)
    other = ace(1, 0x20, STRANGER_SID)
    domain.lists[MANAGED] = descriptor(other, INHERITED)
    delegating.write_entries(domain.session, one, WANTED)
    entries = entries_of(domain.lists[MANAGED] or b"")
    assert other in entries and DENY not in entries


@pytest.mark.parametrize("after", [descriptor(DENY), descriptor(INHERITED), None])
def test_a_list_that_is_another_one_afterwards_is_told(domain: Domain, after: bytes | None) -> None:
    one = held(domain)

    def meanwhile(operation: Operation) -> None:
        if operation.kind == "search" and domain.operations("modify"):
            domain.lists[MANAGED] = after

    domain.before = meanwhile
    with pytest.raises((ObjectError, DirectoryError)) as told:
        delegating.write_entries(domain.session, one, WANTED)
    assert told.value.code == ("descriptor_unread" if after is None else "descriptor_changed")


def test_an_object_that_went_away_is_told_and_a_refusal_too(domain: Domain) -> None:
    one = held(domain)
    domain.refuse_modify = 50
    with pytest.raises(ObjectError) as told:
        delegating.write_entries(domain.session, one, WANTED)
    assert told.value.code == "permission_denied"
    del domain.lists[MANAGED]
    with pytest.raises(ObjectError, match="no longer"):
        delegating.write_entries(domain.session, one, WANTED)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (None, "cannot be read"),
        (b"", "cannot be read"),
        (descriptor(control=0x8000), "everybody may do everything"),
        (struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 0), "everybody may do everything"),
    ],
)
def test_a_list_that_is_hidden_or_not_there_is_an_error(domain: Domain, raw: bytes | None, told: str) -> None:
    domain.lists[MANAGED] = raw
    with pytest.raises(DirectoryError, match=told):
        held(domain)


def test_an_empty_list_is_one(domain: Domain) -> None:
    domain.lists[MANAGED] = descriptor()
    assert held(domain).descriptor.aces == ()
    delegating.write_entries(domain.session, held(domain), WANTED)
    assert len(entries_of(domain.lists[MANAGED] or b"")) == len(WANTED)


@pytest.mark.parametrize(("raw", "places"), [(None, 2), (descriptor(), 3)])
def test_deleted_objects_are_left_out_where_their_list_is_hidden(
    domain: Domain, raw: bytes | None, places: int
) -> None:
    domain.lists[DELETED] = raw
    found = list(delegating.read_objects(domain.session, BASE, [MANAGED], restore=True))
    assert [one.place for one in found] == [Place.CONTAINER, Place.DOMAIN, Place.DELETED][:places]


def test_a_container_that_is_not_there_is_an_error(domain: Domain) -> None:
    with pytest.raises(DirectoryError, match="does not exist"):
        list(delegating.read_objects(domain.session, BASE, [MANAGED, f"OU=No,{BASE}"], restore=False))


def test_a_list_that_would_be_too_long_is_told(domain: Domain) -> None:
    many = [WANTED[0].ace] * 2000
    with pytest.raises(ObjectError, match="at most fit"):
        delegating.changed_list(held(domain), many)


@pytest.mark.parametrize(
    ("name", "accounts", "sid"),
    [
        ("svc", {"(sAMAccountName=svc)": [OWN_SID]}, OWN_SID),
        ("a*)(b", {"(sAMAccountName=a\\2a\\29\\28b)": [OWN_SID]}, OWN_SID),
        (OWN_SID.lower(), {"objectSid": [OWN_SID]}, OWN_SID),
        (f"{FOREIGN_SID}-1200", {}, f"{FOREIGN_SID}-1200"),
        ("nobody", {}, "names 0"),
        ("twice", {"twice": [OWN_SID, STRANGER_SID]}, "names 2"),
        # Nobody has this number yet; whoever gets it would have the rights.
        (f"{DOMAIN_SID}-999999", {}, "names 0"),
    ],
)
def test_who_is_named(domain: Domain, name: str, accounts: dict[str, list[str]], sid: str) -> None:
    domain.accounts = accounts
    if sid.startswith("S-1"):
        assert delegating.resolve_account(domain.session, BASE, name) == sid
        return
    with pytest.raises(DirectoryError, match=sid):
        delegating.resolve_account(domain.session, BASE, name)


def test_a_sid_cannot_be_judged_without_that_of_the_domain(domain: Domain) -> None:
    del domain.lists[BASE]
    with pytest.raises(DirectoryError, match="SID of the domain"):
        delegating.resolve_account(domain.session, BASE, OWN_SID)


def test_the_guids_of_the_schema_and_what_it_lacks(domain: Domain) -> None:
    found: dict[str, Any] = delegating.schema_guids(domain.session, SCHEMA, ["MEMBER", "cn"])
    assert found == {"MEMBER": GUID, "cn": GUID} and identity.guid_text(GUID)
    with pytest.raises(DirectoryError, match="noSuchThing"):
        delegating.schema_guids(domain.session, SCHEMA, ["cn", "noSuchThing"])


def test_a_container_with_groups_of_the_system_is_refused(domain: Domain) -> None:
    delegating.refuse_system_groups(domain.session, [MANAGED])
    domain.system_groups = [f"CN=Domain Admins,CN=Users,{BASE}"]
    with pytest.raises(DirectoryError, match="Domain Admins"):
        delegating.refuse_system_groups(domain.session, [MANAGED])
