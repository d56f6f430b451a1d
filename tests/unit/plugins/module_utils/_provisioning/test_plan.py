# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs, as changes in the order to apply them."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import mapping, plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    UNIVERSAL_SECURITY,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DeletedGroup,
    DesiredGroup,
    DirectoryGroup,
    Nesting,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action, GroupChange
from tests.unit.samples import MANAGED, SUB, cloud_group, cloud_id, converted, guid, link, settings, sid


def born(display_name: str = "Group 1", *, exists: bool = True) -> DesiredGroup:
    around = mapping.Surroundings(exists=exists)
    return mapping.desired_group(cloud_group(1, displayName=display_name), settings().mapper, around)


def as_is(desired: DesiredGroup, **changed: object) -> DirectoryGroup:
    """Return the object that is exactly what is desired, but for what is changed."""
    group = DirectoryGroup(guid(1), sid(2001), f"CN={desired.cn},{desired.container}", dict(desired.attributes))
    return dataclasses.replace(group, **changed)  # type: ignore[arg-type]


def with_values(desired: DesiredGroup, **values: tuple[str, ...]) -> DirectoryGroup:
    return as_is(desired, attributes={**desired.attributes, **values})


def changes(
    desired: DesiredGroup, found: DirectoryGroup | None, *, known: bool = True, nesting: Nesting | None = None
) -> list[GroupChange]:
    return list(plan.group_changes(desired, found, by="anchor", known=known, nesting=nesting))


def test_what_is_not_there_is_created() -> None:
    (change,) = changes(born(exists=False), None)
    assert (change.action, change.guid, change.new_dn) == (Action.CREATE, None, None)
    assert change.dn == f"CN=Group 1_000000000001,{MANAGED}"
    assert (change.before, change.after) == ({}, born(exists=False).attributes)
    assert "sAMAccountName" in change.after
    assert change.writes


def test_a_name_that_needs_escaping_is_created_as_one_rdn() -> None:
    (change,) = changes(born(display_name="a,b+c", exists=False), None)
    assert change.dn == rf"CN=a\,b\+c_000000000001,{MANAGED}"


def test_what_is_as_it_should_be_is_left_alone() -> None:
    assert changes(born(), as_is(born())) == []


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({ANCHOR: (f"GROUP_{cloud_id(1).upper()}",)}, True),
        ({"adminDescription": (f"group_{cloud_id(1)}",)}, True),
        ({"displayName": ("GROUP 1",)}, False),
        ({"displayName": ()}, False),
        ({"displayName": ("Group 1", "more")}, False),
        ({"description": ("kept, since the cloud has none",)}, True),
        ({"sAMAccountName": ("anything",)}, True),
        ({"groupType": ("-2147483640",)}, True),
    ],
)
def test_what_counts_as_a_difference(values: dict[str, tuple[str, ...]], same: bool) -> None:
    assert (changes(born(), with_values(born(), **values)) == []) is same


def test_an_update_holds_before_and_after_of_what_differs() -> None:
    (change,) = changes(born(), with_values(born(), displayName=("Old",), description=("kept",)))
    assert change.action is Action.UPDATE
    assert (change.before, change.after) == ({"displayName": ("Old",)}, {"displayName": ("Group 1",)})
    assert "displayName" in change.reason


def test_an_attribute_that_is_to_be_cleared_differs_while_it_has_a_value() -> None:
    desired = dataclasses.replace(born(), attributes={**born().attributes, "info": ()})
    (change,) = changes(desired, with_values(born(), info=("x",)))
    assert (change.before, change.after) == ({"info": ("x",)}, {"info": ()})
    assert changes(desired, with_values(born())) == []


def test_an_object_that_the_journal_does_not_know_is_adopted() -> None:
    (change,) = changes(born(), as_is(born()), known=False)
    assert (change.action, change.after, change.reason) == (Action.ADOPT, {}, "tied by anchor")
    assert not change.writes
    (change,) = changes(born(), with_values(born(), displayName=("Old",)), known=False)
    assert change.action is Action.ADOPT
    assert change.writes


@pytest.mark.parametrize(
    ("name", "action", "reason"),
    [
        (f"CN=Other,{MANAGED}", Action.RENAME, "name differs"),
        (f"CN=group 1_000000000001,{MANAGED}", Action.RENAME, "name differs"),
        (f"CN=Group 1_000000000001,{SUB}", Action.MOVE, "container differs"),
        (f"CN=Other,{SUB}", Action.RENAME_AND_MOVE, "name and container differ"),
    ],
)
def test_a_born_group_follows_name_and_place(name: str, action: Action, reason: str) -> None:
    (change,) = changes(born(), as_is(born(), dn=name))
    assert (change.action, change.reason, change.dn) == (action, reason, name)
    assert change.new_dn == f"CN=Group 1_000000000001,{MANAGED}"
    assert change.guid == guid(1)


@pytest.mark.parametrize(
    "name", [f"cn=Group 1_000000000001, {MANAGED.lower()}", f"CN=Group\\201_000000000001,{MANAGED}"]
)
def test_another_way_to_write_the_name_is_no_difference(name: str) -> None:
    assert changes(born(), as_is(born(), dn=name)) == []


def test_a_rename_keeps_the_container_as_it_is_written_there() -> None:
    (change,) = changes(born(), as_is(born(), dn="CN=Other,OU=GROUPS,DC=contoso,DC=com"))
    assert change.new_dn == "CN=Group 1_000000000001,OU=GROUPS,DC=contoso,DC=com"


def test_updates_come_before_the_rename() -> None:
    found = as_is(born(display_name="New"), dn=f"CN=Old,{MANAGED}", attributes=born().attributes)
    assert [change.action for change in changes(born(display_name="New"), found)] == [Action.UPDATE, Action.RENAME]


def test_a_converted_group_keeps_name_and_place() -> None:
    desired = mapping.desired_group(converted(1, sid(2001)), settings().mapper, mapping.Surroundings(exists=True))
    found = DirectoryGroup(guid(1), sid(2001), f"CN=Old name,{SUB}", {"groupType": (UNIVERSAL_SECURITY,)})
    (change,) = changes(desired, found, known=False)
    assert change.action is Action.ADOPT
    assert set(change.after) == {ANCHOR, "adminDescription", "displayName"}
    assert change.after["adminDescription"] == (f"TakenOver_Group_{cloud_id(1)}",)


@pytest.mark.parametrize("marker", [f"TakenOver_Group_{cloud_id(1)}", "a note of an administrator"])
@pytest.mark.parametrize("known", [True, False])
def test_an_object_that_was_not_born_in_the_cloud_keeps_its_name_in_every_run(marker: str, known: bool) -> None:
    """Its adminDescription tells; a first run must not write it so that the second one takes the name away."""
    found = as_is(born(), dn=f"CN=Old name,{SUB}", attributes={**born().attributes, "adminDescription": (marker,)})
    first = changes(born(), found, known=known)
    assert [change.new_dn for change in first if change.new_dn] == []
    written = {name: values for change in first for name, values in change.after.items()}
    after = dataclasses.replace(found, attributes={**found.attributes, **written})
    assert changes(born(), after) == []


@pytest.mark.parametrize("group_type", ["-2147483646", "-2147483644", "2", "0"])
def test_a_group_of_another_scope_is_refused(group_type: str) -> None:
    with pytest.raises(ObjectError) as caught:
        changes(born(), with_values(born(), groupType=(group_type,)))
    assert caught.value.code == "not_universal"


def test_a_group_whose_type_cannot_be_read_is_refused() -> None:
    with pytest.raises(ObjectError):
        changes(born(), as_is(born(), attributes={}))


def test_the_digest_of_links_does_not_depend_on_their_order() -> None:
    assert plan.links_digest([link(1), link(2)]) == plan.links_digest([link(2), link(1)])
    assert plan.links_digest([link(1)]) != plan.links_digest([link(2)])
    assert plan.links_digest([]) != plan.links_digest([link(1)])


def test_the_digest_does_not_change_when_a_member_is_renamed() -> None:
    assert plan.links_digest([dataclasses.replace(link(1), dn="CN=New")]) == plan.links_digest([link(1)])


@pytest.mark.parametrize("group_type", ["-2147483646", "-2147483644"])
@pytest.mark.parametrize("known", [True, False])
def test_a_group_of_another_scope_is_made_universal_first_where_that_is_allowed(group_type: str, known: bool) -> None:
    found = with_values(born(), groupType=(group_type,), displayName=("Old",))
    first, *others = changes(born(), found, known=known, nesting=Nesting())
    assert (first.action, first.before, first.after) == (
        Action.CONVERT,
        {"groupType": (group_type,)},
        {"groupType": (UNIVERSAL_SECURITY,)},
    )
    assert [change.action for change in others] == [Action.UPDATE if known else Action.ADOPT]
    assert "groupType" not in others[0].after


def test_a_neighbour_may_forbid_the_change_of_scope() -> None:
    found = with_values(born(), groupType=("-2147483646",))
    around = Nesting(parents=(("CN=Outer", -2147483646),))
    with pytest.raises(ObjectError, match="CN=Outer") as caught:
        changes(born(), found, nesting=around)
    assert caught.value.code == "scope_not_convertible"


def test_a_distribution_group_becomes_a_security_group() -> None:
    (change,) = changes(born(), with_values(born(), groupType=("8",)))
    assert (change.action, change.after) == (Action.UPDATE, {"groupType": (UNIVERSAL_SECURITY,)})


def test_an_adoption_expects_the_anchor_that_tied_it() -> None:
    (change,) = changes(born(), as_is(born()), known=False)
    assert change.before == {ANCHOR: born().attributes[ANCHOR]}


def test_a_restore_says_where_from_and_where_to() -> None:
    found = with_values(born(), displayName=())
    lost = DeletedGroup(found.guid, found.sid, "CN=gone", "Group 1_000000000001", MANAGED, found.attributes)
    (change,) = plan.group_changes(born(), found, by="anchor", known=False, deleted=lost)
    assert (change.action, change.dn, change.new_dn) == (Action.RESTORE, "CN=gone", found.dn)
    assert change.after == {"displayName": ("Group 1",)}
    assert change.writes
