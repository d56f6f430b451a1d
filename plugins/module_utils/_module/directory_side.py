# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of the directory side share: options to settings, opening, planning into a file."""

from __future__ import annotations

import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    LDAP3_IMPORT_ERROR,
    ConnectionSettings,
    Session,
    TlsMode,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.mapping_options import attribute_mappings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import limits as limit_rules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Breach,
    Kind,
    Limit,
    Limits,
    Size,
    Tally,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    CN,
    DEFAULT_MAPPINGS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_of,
    moment_text,
    second_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, PlanItem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import (
    Moves,
    Settings,
    compile_settings,
    managed_containers,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.undo import plan_undo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile, PlanHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

LIBRARIES = {"ldap3": LDAP3_IMPORT_ERROR}

_CATALOG_PORTS = {TlsMode.LDAPS: 3269, TlsMode.START_TLS: 3268}

# What the default mappings write beside the name.
MAPPED = tuple(m.target for m in DEFAULT_MAPPINGS if m.target != CN)


def settings_of(params: dict[str, Any]) -> Settings:
    """Return the settings that the options describe.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    by_kind = dict(DEFAULT_LIMITS)
    for kind, given in (params["limits"] or {}).items():
        if given is not None:
            by_kind[Kind(kind)] = _limit(kind, given)
    if params["max_members"] < 1:
        raise ConfigurationError(f"max_members: {params['max_members']} is less than 1.", "Give a positive number.")
    return compile_settings(
        params["managed_containers"],
        params["target_container"],
        container_default=params["container_default"] or "",
        attribute_mappings=attribute_mappings(params["attribute_mappings"]),
        foreign_members=ForeignMembers(params["foreign_members"]),
        protected_groups=params["protected_groups"],
        protected_members=params["protected_members"],
        max_members=params["max_members"],
        limits=Limits(by_kind),
        moves=Moves(params["moves"]),
        create_containers=params["create_containers"],
        name_collision=NameCollision(params["name_collision"]),
        convert_scope=params["convert_scope"],
        trusted_writers=params["trusted_writers"],
        adopt_objects=params["adopt_objects"],
        ignore_objects=params["ignore_objects"],
        retire=_retire(params["retire"] or {}),
    )


def _retire(given: dict[str, Any]) -> RetireRules:
    chosen = {departure: Retire(given[departure.value]) for departure in Departure if given.get(departure.value)}
    days = given.get("grace_days")
    rules = RetireRules({**DEFAULT_RETIRE, **chosen}, container=given.get("container") or "")
    return rules if days is None else replace(rules, grace_days=days)


def _limit(kind: str, given: dict[str, Any]) -> Limit:
    for name, value in given.items():
        if value is not None and value < 0:
            raise ConfigurationError(f"limits: {kind}.{name} is {value}.", "Give zero or more.")
    return Limit(given["count"], given["percent"], given["floor"])


@contextmanager
def open_directory(params: dict[str, Any], attributes: Iterable[str] = ()) -> Iterator[tuple[Session, Reader]]:
    """Give a session and a reader of the target domain.

    Parameters:
        params: the module's options.
        attributes: LDAP names of the attributes that the mappings write, beside the default ones.

    Raises:
        GpadError: a container is no DN, or the domain controller cannot be used.
    """
    containers = managed_containers(params["managed_containers"])
    session = Session(_connection(params, params["domain_server"], params["domain_port"]))
    try:
        reader = Reader(session, containers, (*MAPPED, *attributes), _catalog(params))
        try:
            yield session, reader
        finally:
            reader.close()
    finally:
        session.close()


def _connection(params: dict[str, Any], server: str, port: int | None) -> ConnectionSettings:
    return ConnectionSettings(
        server,
        params["domain_username"],
        params["domain_password"],
        port,
        TlsMode(params["domain_tls_mode"]),
        params["domain_ca_cert"],
    )


def _catalog(params: dict[str, Any]) -> Callable[[], Session] | None:
    """Return what opens a connection to the global catalog, or None where there is none."""
    server = params["global_catalog_server"]
    if not server:
        return None
    port = params["global_catalog_port"] or _CATALOG_PORTS[TlsMode(params["domain_tls_mode"])]

    def open_catalog() -> Session:
        return Session(_connection(params, server, port))

    return open_catalog


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was just made.

    Parameters:
        file: the plan.
        breaches: the limits it exceeds.
    """

    file: PlanFile
    breaches: tuple[Breach, ...]


def make_plan(
    settings: Settings,
    snapshot: Snapshot,
    reader: Reader,
    journal: JournalFile,
    path: Path,
    *,
    check_mode: bool,
    with_members: bool = True,
) -> Planned:
    """Plan into a file and check the limits; without members for who writes groups alone.

    Raises:
        GpadError: the snapshot does not fit, or the directory could not be read to its end.
    """
    header = snapshot.header
    journal.pins.check_tenant(header.tenant_id)
    journal.pins.check_domain(reader.domain.dn)
    journal.pins.check_age(header.captured_at)
    held = snapshot.counts()
    size = Size(held["in_scope"], held["memberships"])
    tally = Tally(size=None if header.narrowed else size, size_before=journal.pins.applied_size())
    plan_header = PlanHeader(
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
    )
    known = journal.known()
    run = RunFacts(
        utc_now(),
        secrets.randbelow,
        journal.pins.container_rule(),
        journal.fresh,
        journal.undecided(),
        journal.left(),
        journal.added,
    )
    items = build_plan(settings, snapshot, reader, known, tally, run, with_members=with_members)
    if journal.fresh:
        items = chain(items, _journal_missing(journal, tally))
    return _write(path, plan_header, items, tally, settings)


def _journal_missing(journal: JournalFile, tally: Tally) -> Iterator[PlanItem]:
    if tally.groups:
        text = "There was no journal: foreign members of groups already there are kept until they are known."
        yield Notice("", str(journal.path), "journal_missing", text)


def make_undo(
    settings: Settings, run: str, reader: Reader, journal: JournalFile, path: Path, *, check_mode: bool
) -> Planned:
    """Plan the way back from a run into a file and check the limits.

    Parameters:
        settings: what the administrator decided.
        run: a run_id, or the plan_id of runs, that the journal knows.
        reader: the target domain.
        journal: the memory of the directory side.
        path: where the plan is written.
        check_mode: the plan is not to be applied.

    Raises:
        GpadError: the directory could not be read to its end.
    """
    journal.pins.check_domain(reader.domain.dn)
    tally = Tally()
    # What was captured before the undo would do again what is undone, and is refused from then on.
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
    )
    return _write(path, header, plan_undo(settings, journal.outcomes(run), reader, tally), tally, settings)


def _write(path: Path, header: PlanHeader, items: Iterable[PlanItem], tally: Tally, settings: Settings) -> Planned:
    with planfile.writing(path, header) as writer:
        for item in tally.counted(items):
            writer.add(item)
        breaches = limit_rules.check_limits(tally, settings.limits)
        counts = {kind.value: count for kind, count in tally.counts.items()}
        writer.finish(counts, tuple(breach_text(breach) for breach in breaches))
    return Planned(PlanFile(path), breaches)


def refuse_old(captured_at: str, hours: int) -> None:
    """Refuse a snapshot that was captured too long ago.

    Parameters:
        captured_at: ISO 8601, UTC.
        hours: the greatest age.

    Raises:
        StoreError: it is older.
    """
    age = (utc_now() - moment_of(captured_at)).total_seconds() / 3600
    if age > hours:
        raise StoreError(
            f"The snapshot of {captured_at} is {age:.0f} hours old; max_snapshot_age is {hours}.",
            "Run gpad_scope again, and gpad_plan.",
            code="snapshot_outdated",
        )


def breach_text(breach: Breach) -> str:
    """Return a sentence with the numbers of an exceeded limit."""
    where = f" in {breach.where}" if breach.where else ""
    return f"{breach.kind}{where}: {breach.planned} planned, {breach.allowed} allowed ({breach.rule})"


def refuse_breaches(plan: PlanFile, approve: str | None) -> None:
    """Stop before the first write when a plan exceeds a limit and nobody approved this very plan.

    Parameters:
        plan: the plan.
        approve: checksum of the plan that an administrator approved, or None.

    Raises:
        BlockedError: it exceeds one, or another plan was approved.
    """
    if approve is not None and approve.strip().lower() != plan.footer.checksum:
        raise BlockedError(
            f"approve: {approve} is not the checksum of the plan {plan.path}, which is {plan.footer.checksum}.",
            "Review the plan that is there, then give its checksum.",
            code="plan_not_approved",
        )
    if plan.footer.breaches and approve is None:
        raise BlockedError(
            f"The plan exceeds a limit: {'; '.join(plan.footer.breaches)}.",
            f"Look at the plan; if it is right, approve: {plan.footer.checksum} applies it once.",
            code="limit_exceeded",
        )


@contextmanager
def temporary_plan() -> Iterator[Path]:
    """Give the path of a plan that is used at once and then removed."""
    with tempfile.TemporaryDirectory(prefix="gpad-") as folder:
        yield Path(folder) / "plan.jsonl"
