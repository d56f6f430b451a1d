# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that must be free, and what a group is called when they are not."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, naming
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import SAM
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DesiredGroup,
    DirectoryGroup,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.names import (
    CN_LIMIT,
    cn_problem,
    utf16_length,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision, Occupied
from tests.unit.samples import MANAGED, SUB, cloud_id, guid, sid

FAIL, SUFFIX = NameCollision.FAIL, NameCollision.SUFFIX
TAIL = "_000000000001"


def wanted(cn: str = "Sales", container: str = MANAGED, sam: str = "") -> DesiredGroup:
    attributes: dict[str, Values] = {"adminDescription": (f"Group_{cloud_id(1)}",)}
    if sam:
        attributes[SAM] = (sam,)
    return DesiredGroup(cloud_id(1), "Sales", cn, container, attributes)


def there(cn: str, container: str = MANAGED) -> DirectoryGroup:
    return DirectoryGroup(guid(1), sid(2001), dn.child("CN", cn, container), {})


def taken(*cns: str, by: int = 9, container: str = MANAGED, sams: tuple[str, ...] = ()) -> Occupied:
    return Occupied(
        {dn.key(dn.child("CN", cn, container)): guid(by) for cn in cns}, {sam.casefold(): guid(by) for sam in sams}
    )


def settle(
    desired: DesiredGroup,
    found: DirectoryGroup | None = None,
    occupied: Occupied | None = None,
    policy: NameCollision = FAIL,
    claimed: set[object] | None = None,
) -> DesiredGroup:
    return naming.settle(desired, found, occupied or Occupied(), set() if claimed is None else claimed, policy)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Sales", f"Sales{TAIL}"),
        ("x" * 51, "x" * 51 + TAIL),
        ("x" * 64, "x" * 51 + TAIL),
        ("x" * 50 + "\U0001f680" * 2, "x" * 50 + TAIL),
        ("x" * 50 + " y", "x" * 50 + TAIL),
    ],
)
def test_the_suffix_makes_a_name_that_fits(value: str, expected: str) -> None:
    assert naming.alternatives(value, cloud_id(1), CN_LIMIT) == (value, expected)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=80))
def test_a_name_with_a_suffix_is_always_a_name(value: str) -> None:
    first, second = naming.alternatives(value.strip(), cloud_id(1), CN_LIMIT)
    assert first == value.strip()
    assert utf16_length(second) <= CN_LIMIT
    assert second.endswith(TAIL)
    assert cn_problem(second) is None


def test_what_a_group_may_be_called() -> None:
    assert naming.cn_alternatives(wanted()) == ("Sales", f"Sales{TAIL}")
    assert naming.cn_alternatives(wanted(cn="")) == ()
    assert naming.sam_alternatives(wanted(sam="sales")) == ("sales", f"sales{TAIL}")
    assert naming.sam_alternatives(wanted()) == ()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, True),
        (there("Sales"), False),
        (there("Old"), True),
        (there("Sales", SUB), True),
        (dataclasses.replace(there("Old"), attributes={"adminDescription": ("TakenOver_x",)}), False),
    ],
)
def test_who_wants_a_name(found: DirectoryGroup | None, expected: bool) -> None:
    assert naming.wants_name(wanted(), found) is expected


@pytest.mark.parametrize("policy", NameCollision)
def test_a_free_name_is_taken_as_it_is(policy: NameCollision) -> None:
    claimed: set[object] = set()
    assert settle(wanted(sam="sales"), policy=policy, claimed=claimed) == wanted(sam="sales")
    assert claimed == {dn.key(f"CN=Sales,{MANAGED}"), ("sam", "sales")}


@pytest.mark.parametrize("held", ["Sales", "SALES"])
def test_a_name_that_is_taken(held: str) -> None:
    with pytest.raises(ObjectError, match="CN=Sales,OU=Groups") as caught:
        settle(wanted(), occupied=taken(held))
    assert caught.value.code == "name_collision"
    assert "name_collision: suffix" in caught.value.remedy
    assert settle(wanted(), occupied=taken(held), policy=SUFFIX).cn == f"Sales{TAIL}"


def test_the_name_with_the_suffix_may_be_taken_as_well() -> None:
    with pytest.raises(ObjectError) as caught:
        settle(wanted(), occupied=taken("Sales", f"Sales{TAIL}"), policy=SUFFIX)
    assert caught.value.code == "name_collision"


def test_a_name_elsewhere_is_no_collision() -> None:
    assert settle(wanted(), occupied=taken("Sales", container=SUB)).cn == "Sales"


def test_of_two_groups_of_one_run_the_first_gets_the_name() -> None:
    claimed: set[object] = set()
    settle(wanted(), claimed=claimed)
    other = dataclasses.replace(wanted(cn="SALES"), id=cloud_id(2))
    with pytest.raises(ObjectError):
        settle(other, claimed=claimed)
    assert settle(other, claimed=claimed, policy=SUFFIX).cn == "SALES_000000000002"


def test_an_object_s_own_name_is_free_for_it() -> None:
    """Only the case of its letters changes."""
    assert settle(wanted(), there("sales"), taken("sales", by=1)).cn == "Sales"


def test_an_object_that_has_its_suffix_keeps_it_while_the_name_is_taken() -> None:
    here = there(f"Sales{TAIL}")
    own = {**taken("Sales").dns, **taken(f"Sales{TAIL}", by=1).dns}
    assert settle(wanted(), here, Occupied(own), SUFFIX).cn == f"Sales{TAIL}"
    assert settle(wanted(), here, taken(f"Sales{TAIL}", by=1), SUFFIX).cn == "Sales"


def test_an_object_that_is_moved_needs_its_name_there() -> None:
    still = wanted(cn="", container=SUB)
    assert settle(still, there("Old")) == still
    with pytest.raises(ObjectError, match="CN=Old,OU=Sales"):
        settle(still, there("Old"), taken("Old", container=SUB))


def test_an_object_that_is_renamed_stays_in_its_container() -> None:
    stays = wanted(container="")
    with pytest.raises(ObjectError):
        settle(stays, there("Old", SUB), taken("Sales", container=SUB))
    assert settle(stays, there("Old", SUB), taken("Sales")) == stays


def test_an_object_that_keeps_its_name_claims_none() -> None:
    claimed: set[object] = set()
    assert settle(wanted(), there("Sales"), taken("Sales"), claimed=claimed) == wanted()
    assert claimed == set()


def test_an_account_name_that_is_taken() -> None:
    desired = wanted(sam="Sales")
    with pytest.raises(ObjectError, match="sAMAccountName Sales") as caught:
        settle(desired, occupied=taken(sams=("SALES",)))
    assert caught.value.code == "name_collision"
    settled = settle(desired, occupied=taken(sams=("SALES",)), policy=SUFFIX)
    assert (settled.cn, settled.attributes[SAM]) == ("Sales", (f"Sales{TAIL}",))
    with pytest.raises(ObjectError):
        settle(desired, claimed={("sam", "sales")})


def test_the_account_name_of_an_object_that_exists_is_left_alone() -> None:
    desired = wanted(sam="Sales")
    assert settle(desired, there("Old"), taken(sams=("sales",))) == desired
