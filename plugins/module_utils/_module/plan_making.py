# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planning into a file."""

from __future__ import annotations

import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.refusals import breach_text, other_writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import focus as focus_rules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import full_reading
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import limits as limit_rules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import GROUPS_AT_ONCE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import (
    Focus,
    Watermark,
    unsettled_by,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    Breach,
    Size,
    Tally,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_text,
    second_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.on_demand import Chosen, narrow
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, PlanItem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import Reason
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import Retire
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import Waiting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import (
    RunFacts,
    Trace,
    unheard,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile, PlanHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import key_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was just made.

    Parameters:
        file: the plan.
        breaches: the limits it exceeds.
        why_all: why all groups were compared; an empty string where only some were.
        mark: up to where both sides were compared; None where that is not worth remembering.
        unsettled: object ids of the groups that were not as they should be.
    """

    file: PlanFile
    breaches: tuple[Breach, ...]
    why_all: str = ""
    mark: Watermark | None = None
    unsettled: frozenset[str] = frozenset()


def _untold(_item: PlanItem) -> None:
    """Hear of an item of a plan and do nothing."""


def snapshot_of(params: dict[str, Any]) -> Snapshot:
    """Return the snapshot that the options name, verified where they give a key.

    Raises:
        GpadError: it cannot be used, or is not to be trusted.
    """
    return Snapshot(Path(params["snapshot"]), key_of(params["snapshot_key"]))


@contextmanager
def temporary_plan() -> Iterator[Path]:
    """Give the path of a plan that is used at once and then removed."""
    with tempfile.TemporaryDirectory(prefix="gpad-") as folder:
        yield Path(folder) / "plan.jsonl"


def settings_word(params: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return a word that changes when one of these options does."""
    return full_reading.word_of({name: params[name] for name in names})


def make_plan(
    settings: Settings,
    snapshot: Snapshot,
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    with_members: bool = True,
    retry_now: bool = False,
    word: str = "",
    full_after_hours: int = 0,
    chosen: Chosen | None = None,
    trace: Trace | None = None,
    configuration: str = "",
    before_use: Callable[[], None] = lambda: None,
    compared: Callable[[int, int], None] = unheard,
    told: Callable[[PlanItem], None] = _untold,
) -> Planned:
    """Plan into a file and check the limits; without members for who writes groups alone.

    Objects that failed wait for their next try, unless it is asked for now. Groups that an earlier plan found as they
    should be are not looked at again for so many hours unless something changed, as long as the word for the settings
    is the same. Where members are chosen, no others are changed; `trace` takes down what is compared. `before_use` is
    called when the plan is made and about to take its place; what it raises keeps the former one there. `compared` is
    told of how many groups of how many the members were compared, `told` of each item.

    Raises:
        GpadError: the snapshot does not fit, or the directory could not be read to its end.
    """
    header = snapshot.header
    journal.pins.check_tenant(header.tenant_id)
    journal.pins.check_snapshot_key(snapshot.key_id)
    journal.pins.check_domain(reader.domain.dn)
    journal.pins.check_age(header.captured_at)
    held = snapshot.counts()
    size = Size(held["in_scope"], held["memberships"])
    tally = Tally(size=None if header.narrowed else size, size_before=journal.pins.applied_size())
    known = journal.known()
    focus = _focus(settings, snapshot, reader, journal, known, word, full_after_hours)
    if with_members and len(known if focus.ids is None else focus.ids) > GROUPS_AT_ONCE:
        reader.foresee_links()
    plan_header = _plan_header(settings, snapshot, reader, size, focus, configuration, check_mode=check_mode)
    items = build_plan(
        _without_deletions(settings) if journal.doubted else settings,
        snapshot,
        reader,
        known,
        tally,
        _run_facts(journal, compared, retry_now=retry_now),
        with_members=with_members,
        focus=focus,
        trace=trace,
    )
    unsettled: set[str] = set()
    items = unsettled_by(items, unsettled)
    if chosen is not None:
        items = narrow(items, chosen)
    other = other_writer(plan_header)
    if other is not None:
        items = chain((other,), items)
    if journal.fresh:
        items = chain(items, _journal_missing(journal, tally))
    planned = write_plan(path, plan_header, items, tally, settings, before_use, told)
    mark = Watermark(
        word,
        header.fingerprint,
        header.sequence,
        plan_header.database,
        reader.domain.highest_usn,
        focus.mark.full_at if focus.mark else second_text(utc_now()),
        tally.groups,
        max(tally.links, tally.links_before),
    )
    is_worth = with_members and header.is_whole
    return replace(planned, why_all=focus.why, mark=mark if is_worth else None, unsettled=frozenset(unsettled))


def _plan_header(
    settings: Settings,
    snapshot: Snapshot,
    reader: Reader,
    size: Size,
    focus: Focus,
    configuration: str,
    *,
    check_mode: bool,
) -> PlanHeader:
    header = snapshot.header
    return PlanHeader(
        uuid.uuid4().hex,
        moment_text(utc_now()),
        header.tenant_id,
        header.captured_at,
        reader.domain.dn,
        reader.domain.server,
        check_mode or header.check_mode,
        settings.mapper.container_rule,
        header.narrowed,
        size.groups,
        size.memberships,
        invocation_id=reader.domain.invocation_id,
        snapshot_key=snapshot.key_id,
        other_writers=header.other_writers,
        fingerprint=header.fingerprint,
        incomplete=bool(header.incomplete or header.scope_doubt),
        configuration=configuration,
        looked_at=None if focus.ids is None else tuple(sorted(focus.ids)),
    )


def _run_facts(journal: JournalFile, compared: Callable[[int, int], None], *, retry_now: bool) -> RunFacts:
    run = RunFacts(
        utc_now(),
        secrets.randbelow,
        journal.pins.container_rule(),
        journal.fresh,
        journal.undecided(),
        journal.left(),
        journal.added,
        written=journal.written_to.last(),
        compared=compared,
    )
    return run if retry_now else replace(run, waiting=_waiting(journal))


def _focus(
    settings: Settings,
    snapshot: Snapshot,
    reader: Reader,
    journal: JournalFile,
    known: Mapping[str, KnownGroup],
    word: str,
    hours: int,
) -> Focus:
    """Return the groups that have to be looked at."""
    mark = None if journal.fresh or journal.doubted else journal.watermarks.last()
    why = focus_rules.why_all(mark, snapshot, reader.domain, word, utc_now(), hours)
    if mark is None or why:
        return Focus(why=why)
    changed = reader.changed(mark.usn)
    if changed.doubt:
        return Focus(why=changed.doubt)
    # What is put into a group that guards the domain does not change itself.
    changed = replace(changed, guids=changed.guids | reader.protected(settings.protected_groups))
    ids = focus_rules.ids_to_look_at(snapshot, mark, changed, known, journal.watermarks.unsettled())
    if focus_rules.are_most(ids, known):
        return Focus(why=f"{len(ids)} of {len(known)} groups may have changed")
    return Focus(ids, "", mark)


def _waiting(journal: JournalFile) -> Waiting:
    """Return which objects wait for another try.

    None does while a run is let through that is to show whether the failures are over, since it would show nothing.
    """
    now, current = utc_now(), journal.quarantines.current()
    if current is not None and current.reason is Reason.FAILURES and current.is_due(now):
        return Waiting()
    return Waiting(journal.retries.rows(), moment_text(now))


def _without_deletions(settings: Settings) -> Settings:
    """Return settings that empty what others delete: the memory that a deletion rests on may be false."""
    rules = settings.retire
    chosen = {d: Retire.EMPTY if way is Retire.DELETE else way for d, way in rules.by_departure.items()}
    return replace(settings, retire=replace(rules, by_departure=chosen))


def _journal_missing(journal: JournalFile, tally: Tally) -> Iterator[PlanItem]:
    if tally.groups:
        text = "There was no journal: foreign members of groups already there are kept until they are known."
        yield Notice("", str(journal.path), "journal_missing", text)


def write_plan(
    path: Path,
    header: PlanHeader,
    items: Iterable[PlanItem],
    tally: Tally,
    settings: Settings,
    before_use: Callable[[], None],
    told: Callable[[PlanItem], None],
) -> Planned:
    """Write a plan into a file, telling of each item, and check the limits."""
    with planfile.writing(path, header) as writer:
        for item in tally.counted(items):
            writer.add(item)
            told(item)
        breaches = limit_rules.check_limits(tally, settings.limits)
        counts = {kind.value: count for kind, count in tally.counts.items()}
        writer.finish(counts, tuple(breach_text(breach) for breach in breaches))
        before_use()
    return Planned(PlanFile(path), breaches)
