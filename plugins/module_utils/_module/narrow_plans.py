# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans that come from no snapshot: the way back from a run, what precedes a change of authority or a migration."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_making import (
    Planned,
    write_plan,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_plan import (
    MARK,
    Earlier,
    plan_hand_back,
    plan_universal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text, second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import PlanItem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import find_lag, waiting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.undo import plan_undo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_plan import plan_stamp
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanHeader

Items: TypeAlias = Callable[[Tally], Iterator[PlanItem]]


def items_of(params: Mapping[str, Any], settings: Settings, reader: Reader, journal: JournalFile) -> Items:
    """Return what gives the changes of the one source that the options name.

    Parameters:
        params: the options of gpad_plan.
        settings: what the administrator decided.
        reader: the target domain.
        journal: the memory of the directory side.

    Raises:
        ConfigurationError: an entry cannot be understood.
    """
    (name,) = (name for name in SOURCES if params[name] is not None)
    return SOURCES[name](params[name], settings, reader, journal)


def _undo(run: str, settings: Settings, reader: Reader, journal: JournalFile) -> Items:
    return lambda tally: plan_undo(settings, journal.outcomes(run), reader, tally)


def _make_universal(given: list[str], settings: Settings, reader: Reader, _journal: JournalFile) -> Items:
    for entry in given:
        if not identity.is_sid(entry):
            raise ConfigurationError(f"make_universal: {entry!r} is not a SID.", "Give the SID of the AD group.")
    return lambda tally: plan_universal(settings, given, reader, tally)


def _hand_back(given: list[str], settings: Settings, reader: Reader, journal: JournalFile) -> Items:
    ids = _guids("hand_back", given, "an object id", "Give the id of the cloud group.")
    marks = tuple(prefix.lower() for prefix in (identity.GROUP_ANCHOR_PREFIX, identity.TAKEN_OVER_PREFIX))
    earlier = {
        cloud_id: Earlier(done.guid or "", done.name, done.before.get(MARK, ()))
        for cloud_id, done in journal.before(ids, MARK, marks).items()
    }
    return lambda tally: plan_hand_back(settings, ids, earlier, reader, tally)


def _stamp_anchors(given: list[str], settings: Settings, reader: Reader, _journal: JournalFile) -> Items:
    remedy = "Give those that gpad_info returns with gather: [writeback]."
    guids = _guids("stamp_anchors", given, "an objectGUID", remedy)
    return lambda tally: plan_stamp(settings, guids, reader, tally)


def _guids(option: str, given: list[str], what: str, remedy: str) -> list[str]:
    guids = []
    for entry in given:
        guid = identity.guid_text(entry)
        if guid is None:
            raise ConfigurationError(f"{option}: {entry!r} is not {what}.", remedy)
        guids.append(guid)
    return guids


SOURCES: Mapping[str, Callable[[Any, Settings, Reader, JournalFile], Items]] = {
    "undo": _undo,
    "make_universal": _make_universal,
    "hand_back": _hand_back,
    "stamp_anchors": _stamp_anchors,
}


def make_narrow(
    settings: Settings,
    reader: Reader,
    journal: JournalFile,
    path: Path,
    items: Items,
    *,
    check_mode: bool,
    told: Callable[[PlanItem], None],
    before_use: Callable[[], None] = lambda: None,
) -> Planned:
    """Plan changes that come from no snapshot into a file and check the limits.

    Parameters:
        settings: what the administrator decided.
        reader: the target domain.
        journal: the memory of the directory side.
        path: where the plan is written.
        items: gives the changes, and tells the tally what the directory holds.
        check_mode: the plan is not to be applied.
        before_use: called when the plan is made and about to take its place; what it raises keeps the former one there.
        told: called with each item.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    journal.pins.check_domain(reader.domain.dn)
    tally = Tally()
    # What was captured before would do again what this plan takes back, and is refused from then on.
    header = PlanHeader(
        uuid.uuid4().hex,
        moment_text(utc_now()),
        journal.pins.tenant_id(),
        # In the form of snapshots, with whose times it is compared as text.
        second_text(utc_now()),
        reader.domain.dn,
        reader.domain.server,
        check_mode,
        journal.pins.container_rule() or "",
        narrowed=True,
        invocation_id=reader.domain.invocation_id,
        snapshot_key=journal.pins.snapshot_key(),
    )
    lag = find_lag(journal.written_to.last(), journal.known(), reader)
    planned = chain(lag.problems({}), waiting(items(tally), lag))
    return write_plan(path, header, planned, tally, settings, before_use, told)
