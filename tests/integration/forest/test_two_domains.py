# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A forest of two domains: members of the other one are found in the global catalog, or left as they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.forest.sides import NO_CATALOG, ForestTarget
from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.scenario import object_id

BRITTA, LOLA, ELSA, ENZO, CORA = "Britta Simon", "Lola Jacobson", "Elsa Mayer", "Enzo Russo", "Cora Cloud"


@pytest.mark.parametrize("lower", [False, True], ids=["from the upper domain", "from the lower domain"])
def test_members_of_both_domains_come_and_go(corp: ForestTarget, emea: ForestTarget, *, lower: bool) -> None:
    target, other = (emea, corp) if lower else (corp, emea)
    (own,), (stays, leaves) = ([ELSA], [BRITTA, LOLA]) if lower else ([BRITTA], [ELSA, ENZO])
    cloud_id = target.admin.create_group(unique("Joint"), [object_id(name) for name in (own, stays, leaves, CORA)])
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert objects.skipped(plan, cloud_id) == {(object_id(CORA), "cloud_only_user")}
    assert target.shown(cloud_id) == {target.person(own), other.person(stays), other.person(leaves)}
    assert target.stored(cloud_id) == {own, other.sid(other.person(stays)), other.sid(other.person(leaves))}
    before = target.usn()
    target.snapshot_of(cloud_id)
    assert not target.apply_plan()["would_change"]
    assert target.usn() == before
    target.admin.remove_member(cloud_id, object_id(leaves))
    target.provision(cloud_id)
    assert target.shown(cloud_id) == {target.person(own), other.person(stays)}
    assert target.stored(cloud_id) == {own, other.sid(other.person(stays))}


def test_without_a_catalog_the_other_domain_is_left_as_it_is(corp: ForestTarget, emea: ForestTarget) -> None:
    cloud_id = corp.admin.create_group(unique("Blind"), [object_id(name) for name in (BRITTA, ELSA)])
    corp.snapshot_of(cloud_id)
    plan = corp.apply_plan(**NO_CATALOG)
    assert objects.skipped(plan, cloud_id) == {(object_id(ELSA), "other_domain")}
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}
    # One listed, one that no cloud knows in this group, and a foreign one of the own domain, which goes.
    corp.link_by_hand(cloud_id, emea.person(ELSA), emea.person(ENZO), corp.person(LOLA))
    plan = corp.apply_plan(**NO_CATALOG)
    kept = [(notice["code"], notice["reason"]) for notice in plan["notices"] if notice["id"] == cloud_id]
    assert [code for code, _reason in kept] == ["unread_domain"]
    assert emea.person(ENZO) in kept[0][1]
    assert corp.shown(cloud_id) == {corp.person(BRITTA), emea.person(ELSA), emea.person(ENZO)}


def test_with_a_catalog_an_unlisted_member_of_the_other_domain_goes(corp: ForestTarget, emea: ForestTarget) -> None:
    cloud_id = corp.admin.create_group(unique("Seeing"), [object_id(name) for name in (BRITTA, ELSA)])
    corp.provision(cloud_id)
    corp.link_by_hand(cloud_id, emea.person(ENZO))
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA), emea.person(ELSA)}


def test_a_foreign_link_to_the_other_domain_of_an_adopted_group_stays(corp: ForestTarget, emea: ForestTarget) -> None:
    dn = objects.add_group(corp, unique("Adopted"))
    nobody = objects.add_user(emea, unique("Nobody"))
    cloud_id = objects.converted_group(corp, dn, (object_id(BRITTA),))
    record = f"dn: {dn}\nchangetype: modify\nadd: member\nmember: {nobody}\n"
    corp.lab.ldapmodify(corp.domain, record, direct=False)
    corp.snapshot_of(cloud_id)
    plan = corp.apply_plan()
    assert "foreign_member" in objects.noticed(plan, cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA), nobody}
    assert corp.accept(cloud_id)["changed"]
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}


def _arm_refused_log_on(policy: PolicyAdmin) -> dict[str, Any]:
    # The first log-on is that to the domain itself.
    policy.add_fault("refuse", kind="bind", skip=1, times=0, code=49, message="80090308: LdapErr, data 52e, v4563")
    return {}


def _arm_nothing(_policy: PolicyAdmin) -> dict[str, Any]:
    return {"global_catalog_port": 3270}


@pytest.mark.parametrize(
    ("arm", "code"),
    [(_arm_nothing, "directory_unreachable"), (_arm_refused_log_on, "directory_log_on_refused")],
    ids=["nobody listens", "the log-on is refused"],
)
def test_a_catalog_that_is_down_is_told_and_nothing_is_removed(
    corp: ForestTarget, emea: ForestTarget, corp_policy: PolicyAdmin, arm: Any, code: str
) -> None:
    cloud_id = corp.admin.create_group(unique("Dark"), [object_id(name) for name in (BRITTA, LOLA, ELSA)])
    corp.provision(cloud_id)
    for name in (LOLA, ELSA):
        corp.admin.remove_member(cloud_id, object_id(name))
    corp.snapshot_of(cloud_id)
    before = corp.usn()
    options = arm(corp_policy)
    result = corp.membership(snapshot=str(corp.snapshot), **options)
    assert (result["outcome"], result["changed"]) == ("fatal", False)
    (error,) = result["errors"]
    assert error["code"] == code and error["reason"].startswith("global_catalog_server:")
    assert corp.usn() == before
    corp_policy.reset()
    assert result["quarantine"]["active"] == (code == "directory_log_on_refused")
    corp.keep(released=["quarantine"])
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}
