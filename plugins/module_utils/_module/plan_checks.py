# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a plan may be carried out by this call, in this domain, with this journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.parts import Part, group_changes
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.refusals import refuse_future, refuse_old
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, ownership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import GroupChange
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile


def _check_place(plan: PlanFile, change: GroupChange, managed: Sequence[str]) -> None:
    """Refuse a plan that was made for other containers than this call may write."""
    for place in (change.dn, change.new_dn or change.dn):
        wrong = ownership.container_problem(dn.parent(place), managed)
        if (wrong and change.guid is None) or (wrong and place == change.new_dn):
            raise StoreError(
                f"The plan {plan.path} puts {change.name} into {dn.parent(place)}: {wrong}.",
                "Use the plan of these managed_containers.",
                code="plan_of_other_containers",
            )


def check_domain(plan: PlanFile, reader: Reader) -> None:
    """Refuse a plan of another domain than the one that was opened.

    Raises:
        StoreError: it is.
    """
    if plan.header.domain.lower() != reader.domain.dn.lower():
        raise StoreError(
            f"The plan {plan.path} is for {plan.header.domain}, domain_server serves {reader.domain.dn}.",
            "Use the plan of this domain.",
            code="plan_of_other_domain",
        )


def check_given(
    plan: PlanFile, journal: JournalFile, part: Part, params: Mapping[str, Any], *, check_mode: bool
) -> None:
    """Refuse a plan that does not belong to this journal and these containers, or is not of its time any more.

    Parameters:
        plan: the plan that is given.
        journal: of the target domain.
        part: what is carried out of it.
        params: the module's options.
        check_mode: whether nothing is written.

    Raises:
        GpadError: it must not be carried out.
    """
    header = plan.header
    check_pins(plan, journal)
    for change in group_changes(plan):
        _check_place(plan, change, params["managed_containers"])
    refuse_old(header.captured_at, params["max_snapshot_age"])
    refuse_future("plan", header.created_at)
    if not check_mode:
        check_fresh(plan, check_mode=False)
        journal.pins.check_age(header.captured_at)
        journal.check_plan(part.module, header.plan_id, header.created_at)


def check_pins(plan: PlanFile, journal: JournalFile) -> None:
    """Refuse a plan of another tenant, domain or snapshot key than those that the journal is of.

    Raises:
        StoreError: it is.
    """
    journal.pins.check_tenant(plan.header.tenant_id)
    journal.pins.check_snapshot_key(plan.header.snapshot_key)
    journal.pins.check_domain(plan.header.domain)


def check_fresh(plan: PlanFile, *, check_mode: bool) -> None:
    """Refuse to write by a plan that was made in check mode.

    Raises:
        StoreError: it was.
    """
    if plan.header.check_mode and not check_mode:
        raise StoreError(
            f"The plan {plan.header.plan_id} was made in check mode, or from a snapshot that was.",
            "Run gpad_scope and gpad_plan without check mode.",
            code="plan_of_check_mode",
        )
