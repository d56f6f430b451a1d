# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the configuration may write: one that is in use is enabled by a reviewed plan, and disabled by a change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, ownership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration that a journal holds.

    Parameters:
        digest: of the configuration, empty when none is in use.
        enabled_by: checksum of the reviewed plan, empty while it is disabled.
        changed: whether this call changed one of them, or would in check mode.
    """

    digest: str
    enabled_by: str
    changed: bool


def digests(params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the options configured and enabled_by.

    Raises:
        ConfigurationError: a value is no digest.
    """
    digest, checksum = (params[name] and params[name].strip().lower() for name in ("configured", "enabled_by"))
    for name, value in (("configured", digest), ("enabled_by", checksum)):
        if value is not None and not _DIGEST.fullmatch(value):
            raise ConfigurationError(f"{name}: {value!r} is no SHA-256.", "Give 64 hexadecimal digits.")
    return digest, checksum


def configure(params: Mapping[str, Any], journal: JournalFile, *, check_mode: bool) -> Configuration:
    """Take over a configuration: a new one is disabled, a known one enabled by the plan that was reviewed.

    Parameters:
        params: configured, enabled_by, plan.
        journal: the journal, open for writing unless in check mode.
        check_mode: nothing is written.

    Raises:
        ConfigurationError: a value is no digest.
        BlockedError: the plan is not the reviewed one, or was made under another configuration.
    """
    before = Configuration(journal.pins.configuration(), journal.pins.enabled_by(), False)
    digest, checksum = digests(params)
    if digest is None:
        return before
    same = digest == before.digest
    if not same and not check_mode:
        # Whatever follows: what was enabled is not this.
        journal.pins.configure(digest)
    if checksum is not None and not (same and checksum == before.enabled_by):
        _check_reviewed(Path(params["plan"]), digest, checksum)
    if not check_mode:
        journal.pins.enable(checksum)
    return Configuration(digest, checksum or "", not same or (checksum or "") != before.enabled_by)


def check_places(params: Mapping[str, Any]) -> None:
    """Refuse containers that no group could be created in; those that an expression gives are known in a run only.

    Parameters:
        params: managed_containers, target_container, container_default.

    Raises:
        ConfigurationError: one lies outside the managed containers.
    """
    for option in ("target_container", "container_default"):
        place = params[option]
        if isinstance(place, str) and dn.is_dn(place):
            wrong = ownership.container_problem(place, params["managed_containers"])
            if wrong:
                raise ConfigurationError(f"{option}: {wrong}.", "Name one inside managed_containers.")


def _check_reviewed(path: Path, digest: str, checksum: str) -> None:
    with closing(PlanFile(path)) as plan:
        if plan.footer.checksum != checksum:
            raise BlockedError(
                f"enabled_by: {checksum} is not the checksum of the plan {path}, which is {plan.footer.checksum}.",
                "Review the plan that is there, then give its checksum.",
                code="plan_not_approved",
            )
        if plan.header.check_mode or plan.header.narrowed:
            raise StoreError(
                f"The plan {path} was made in check mode, or for a few named groups, and does not show what runs do.",
                "Run the playbook plan without check mode.",
                code="plan_not_whole",
            )
        if plan.header.configuration != digest:
            raise _other_configuration(plan)


def _other_configuration(plan: PlanFile) -> BlockedError:
    return BlockedError(
        f"The plan {plan.path} was not made under the configuration that gpad_configure holds.",
        "Run gpad_configure with the present variables, then the playbook plan, and review it.",
        code="plan_of_other_configuration",
    )


def tell_or_refuse(plan: PlanFile, journal: JournalFile, report: Report, *, check_mode: bool) -> None:
    """Stop before the first write where a configuration is in use and this plan is not of it, or it is disabled.

    What comes from no snapshot, such as the way back from a run, does not depend on it. Check mode only tells.

    Raises:
        BlockedError: the configuration does not let the plan through.
    """
    wanted = journal.pins.configuration()
    if not wanted or not plan.header.fingerprint:
        return
    refusal = None
    if plan.header.configuration != wanted:
        refusal = _other_configuration(plan)
    elif not journal.pins.enabled_by():
        refusal = BlockedError(
            "The configuration is disabled: nobody has enabled it after a review of its plan, or it was changed since.",
            f"Review the plan; if it is right, run gpad_configure with gpad_configure_enabled: true and "
            f"gpad_configure_reviewed: {plan.footer.checksum}.",
            code="configuration_disabled",
        )
    if refusal is not None and not check_mode:
        raise refusal
    if refusal is not None:
        report.remark(Notice("", str(journal.path), refusal.code, refusal.message))
