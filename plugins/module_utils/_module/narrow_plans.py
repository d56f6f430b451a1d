# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans that come from no snapshot: the way back from a run, what precedes a change of authority or a migration."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.directory_side import Planned, write_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_plan import (
    MARK,
    Earlier,
    plan_hand_back,
    plan_universal,
)
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


def make_universal(
    settings: Settings,
    sids: list[str],
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    before_use: Callable[[], None] = lambda: None,
) -> Planned:
    """Plan into a file that groups become universal, and check the limits.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    return _make(
        settings,
        reader,
        journal,
        path,
        lambda tally: plan_universal(settings, sids, reader, tally),
        check_mode=check_mode,
        before_use=before_use,
    )


def make_hand_back(
    settings: Settings,
    ids: list[str],
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    before_use: Callable[[], None] = lambda: None,
) -> Planned:
    """Plan into a file that groups get back what the mark of provisioning took the place of, and check the limits.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    marks = tuple(prefix.lower() for prefix in (identity.GROUP_ANCHOR_PREFIX, identity.TAKEN_OVER_PREFIX))
    earlier = {
        cloud_id: Earlier(done.guid or "", done.name, done.before.get(MARK, ()))
        for cloud_id, done in journal.before(ids, MARK, marks).items()
    }
    return _make(
        settings,
        reader,
        journal,
        path,
        lambda tally: plan_hand_back(settings, ids, earlier, reader, tally),
        check_mode=check_mode,
        before_use=before_use,
    )


def make_stamp(
    settings: Settings,
    guids: list[str],
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    before_use: Callable[[], None] = lambda: None,
) -> Planned:
    """Plan into a file that groups of writeback V2 get their anchors, and check the limits.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    return _make(
        settings,
        reader,
        journal,
        path,
        lambda tally: plan_stamp(settings, guids, reader, tally),
        check_mode=check_mode,
        before_use=before_use,
    )


def make_undo(
    settings: Settings,
    run: str,
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    before_use: Callable[[], None] = lambda: None,
) -> Planned:
    """Plan the way back from a run into a file and check the limits.

    Parameters:
        settings: what the administrator decided.
        run: a run_id, or the plan_id of runs, that the journal knows.
        reader: the target domain.
        journal: the memory of the directory side.
        path: where the plan is written.
        check_mode: the plan is not to be applied.
        before_use: called when the plan is made and about to take its place; what it raises keeps the former one there.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    return _make(
        settings,
        reader,
        journal,
        path,
        lambda tally: plan_undo(settings, journal.outcomes(run), reader, tally),
        check_mode=check_mode,
        before_use=before_use,
    )


def _make(
    settings: Settings,
    reader: Reader,
    journal: JournalFile,
    path: Path,
    items_of: Callable[[Tally], Iterator[PlanItem]],
    *,
    check_mode: bool,
    before_use: Callable[[], None],
) -> Planned:
    """Plan changes that come from no snapshot into a file and check the limits.

    Parameters:
        settings: what the administrator decided.
        reader: the target domain.
        journal: the memory of the directory side.
        path: where the plan is written.
        items_of: gives the changes, and tells the tally what the directory holds.
        check_mode: the plan is not to be applied.
        before_use: called when the plan is made and about to take its place; what it raises keeps the former one there.

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
    items = chain(lag.problems({}), waiting(items_of(tally), lag))
    return write_plan(path, header, items, tally, settings, before_use)
