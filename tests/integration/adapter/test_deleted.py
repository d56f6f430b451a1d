# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting, finding what was deleted, and bringing it back, judged by ldapsearch."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from tests.integration.adapter.domain import Domain


def test_a_deleted_group_is_found_by_anchor_sid_and_guid(domain: Domain) -> None:
    group = domain.create(info=("lost with the deletion",))
    before = domain.search(group.guid, ANCHOR, "sAMAccountName")
    domain.writer().delete(group.guid)
    gone = domain.search(group.guid, "isDeleted", "lastKnownParent", show_deleted=True)
    assert (gone["isDeleted"], gone["lastKnownParent"]) == (["TRUE"], [domain.managed])
    reader = domain.reader()
    (found,) = reader.deleted(before[ANCHOR]) or ()
    assert reader.deleted((), [group.sid]) == reader.deleted((), (), [group.guid]) == (found,)
    assert (found.guid, found.sid, found.parent, found.links) == (group.guid, group.sid, domain.managed, ())
    assert found.name == before["sAMAccountName"][0]
    assert found.attributes[ANCHOR] == tuple(before[ANCHOR])
    assert found.attributes["info"] == found.attributes["adminDescription"] == ()
    assert group.guid in reader.security([group.guid], deleted=True)
    assert reader.security([group.guid]) == {}


def test_a_living_group_is_not_among_the_deleted(domain: Domain) -> None:
    group = domain.create()
    assert domain.reader().deleted((), [group.sid], [group.guid]) == ()


def test_who_may_not_see_deleted_objects_is_told_so(domain: Domain) -> None:
    group = domain.create()
    domain.writer().delete(group.guid)
    assert domain.reader("reader_account").deleted((), (), [group.guid]) is None


def test_a_restored_group_has_its_sid_and_the_values_of_the_same_modify(domain: Domain) -> None:
    group = domain.create(description=("old",))
    anchor = domain.search(group.guid, ANCHOR)[ANCHOR][0]
    domain.writer().delete(group.guid)
    place = f"CN={domain.new_name()},OU=Sales,{domain.base}"
    usn = int(domain.search(group.guid, "uSNChanged", show_deleted=True)["uSNChanged"][0])
    values = {"adminDescription": (anchor,), "displayName": ("Back",), "description": (), "info": ("a",)}
    domain.writer().restore(group.guid, place, values)
    back = domain.search(group.guid)
    assert back["dn"] == [place]
    assert (back["objectGUID"], back["objectSid"]) == ([group.guid], [group.sid])
    assert (back["adminDescription"], back["displayName"], back["info"]) == ([anchor], ["Back"], ["a"])
    assert back[ANCHOR] == [anchor]
    assert "isDeleted" not in back
    assert "description" not in back
    assert "member" not in back
    assert int(back["uSNChanged"][0]) > usn
    assert domain.reader().deleted((), (), [group.guid]) == ()


def test_what_is_not_deleted_cannot_be_restored(domain: Domain) -> None:
    group = domain.create()
    usn = domain.search(group.guid, "uSNChanged")
    with pytest.raises(ObjectError, match="not among the deleted") as caught:
        domain.writer().restore(group.guid, f"CN=Elsewhere,{domain.managed}", {})
    assert caught.value.code == "object_missing"
    assert domain.search(group.guid, "uSNChanged") == usn


def test_a_restore_onto_a_name_that_is_taken(domain: Domain) -> None:
    group, other = domain.create(), domain.create()
    domain.writer().delete(group.guid)
    with pytest.raises(ObjectError) as caught:
        domain.writer().restore(group.guid, other.dn, {})
    assert caught.value.code == "name_collision"
    assert domain.search(group.guid, "isDeleted", show_deleted=True)["isDeleted"] == ["TRUE"]


def test_a_restore_without_the_right(domain: Domain) -> None:
    """The reader sees no deleted objects; somebody who sees them and may not restore gets Samba's error 1."""
    group = domain.create()
    domain.writer().delete(group.guid)
    with pytest.raises(ObjectError) as caught:
        domain.writer("reader_account").restore(group.guid, f"CN=x,{domain.managed}", {})
    assert caught.value.code == "object_missing"
    with pytest.raises(ObjectError, match="Restoring") as caught:
        domain.writer().restore(group.guid, f"CN=x,OU=People,{domain.base}", {})
    assert "Reanimate-Tombstones" in caught.value.remedy
    assert domain.search(group.guid, "isDeleted", show_deleted=True)["isDeleted"] == ["TRUE"]


def test_a_deletion_without_the_right(domain: Domain) -> None:
    group = domain.create()
    with pytest.raises(ObjectError, match="Deleting") as caught:
        domain.writer("reader_account").delete(group.guid)
    assert caught.value.code == "permission_denied"
    assert domain.search(group.guid)["dn"] == [group.dn]


@pytest.mark.parametrize("moved", [False, True])
def test_a_group_that_is_protected_from_deletion(domain: Domain, moved: bool) -> None:
    group = domain.create()
    domain.forbid(group.dn, "(D;;SDDT;;;WD)")
    domain.forbid(domain.managed, "(D;;DC;;;WD)") if moved else None
    writer = domain.writer("reader_account")
    with pytest.raises(ObjectError, match="protected from accidental deletion") as caught:
        writer.relocate(group.guid, f"CN=Moved,OU=Sales,{domain.base}") if moved else writer.delete(group.guid)
    assert caught.value.code == "deletion_denied"
    assert group.dn in caught.value.message
    assert domain.search(group.guid)["dn"] == [group.dn]


def test_the_recycle_bin_keeps_links_and_values(recycling: Domain) -> None:
    people = [recycling.person(name) for name in ("Britta Simon", "Lola Jacobson")]
    group = recycling.create(info=("kept",), member=tuple(person["dn"][0] for person in people))
    recycling.writer().delete(group.guid)
    (found,) = recycling.reader().deleted((), [group.sid]) or ()
    assert {(link.guid, link.sid, link.dn) for link in found.links} == {
        (person["objectGUID"][0], person["objectSid"][0], person["dn"][0]) for person in people
    }
    assert found.attributes["info"] == ("kept",)
    assert recycling.search(group.guid, "msDS-LastKnownRDN", show_deleted=True)["msDS-LastKnownRDN"] == [found.name]
