# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What gpad_info gathers of the groups that writeback V2 wrote."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writeback import read_writeback
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    mapping,
    ownership,
    rights,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import MAPPED
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    Mapper,
    Surroundings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import Claims, Trust
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, CapturedGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Status
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    Export,
    Origin,
    WritebackGroup,
    group_entry,
    read_export,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_checks import (
    CloudView,
    Found,
    Right,
    checks,
    ready,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_proof import (
    differences,
    done_since,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

# Runs since the export; a migration makes a few.
_MOST_RUNS = 10000


@dataclass(frozen=True, slots=True)
class Sides:
    """What the gathering reads.

    Parameters:
        session: a bound connection.
        reader: the target domain.
        snapshot: the cloud side, or None.
        settings: what the administrator decided, or None where no target container is given.
    """

    session: Session
    reader: Reader
    snapshot: Snapshot | None
    settings: Settings | None


def inventory(params: dict[str, Any], sides: Sides) -> dict[str, Any]:
    """Return the groups of the writeback containers, the eleven checks, and which groups are ready.

    Raises:
        GpadError: an option makes no sense, or the directory could not be read to its end.
    """
    containers = params["writeback_containers"] or params["managed_containers"]
    wrong = [name for name in containers if not dn.is_dn(name)]
    if wrong:
        raise ConfigurationError(f"writeback_containers: {wrong[0]!r} is no distinguished name.", "Correct it.")
    read_at = moment_text(utc_now())
    groups = read_writeback(
        sides.session, sides.reader, containers, ownership.protected_names(params["protected_groups"])
    )
    found = _found(params, sides, groups)
    rows = checks(found)
    origins = {group.guid: found.origin(group) for group in groups}
    return {
        "read_at": read_at,
        "domain": sides.reader.domain.dn,
        "containers": list(containers),
        "groups": [{**group_entry(group), "origin": origins[group.guid].value} for group in groups],
        "checks": [asdict(row) | {"status": row.status.value} for row in rows],
        "ready": list(ready(found, rows)),
        "anchored": sorted(g.guid for g in groups if g.cloud_id and identity.cloud_id_of(g.anchor) == g.cloud_id),
        "summary": {
            **Counter(origin.value for origin in origins.values()),
            **{f"rows_{status}": count for status, count in Counter(row.status.value for row in rows).items()},
        },
    }


def proof(params: dict[str, Any], sides: Sides, journal: JournalFile) -> dict[str, Any]:
    """Return what is not as in the export, with the reason, and which of its groups are taken over.

    Raises:
        GpadError: the export cannot be used, or the directory could not be read to its end.
    """
    export = _export(Path(params["writeback_export"]))
    if dn.key(export.domain) != dn.key(sides.reader.domain.dn):
        raise ConfigurationError(
            f"writeback_export: it is of {export.domain}, not of {sides.reader.domain.dn}.",
            "Give the export of this domain.",
            code="writeback_export_invalid",
        )
    guids = {group.guid for group in export.groups}
    after = read_writeback(
        sides.session, sides.reader, (), ownership.protected_names(params["protected_groups"]), guids
    )
    done = done_since(tuple(_applied(journal, export.read_at)))
    managed = {entry.guid for entry in journal.known().values()}
    return {
        "differences": [asdict(one) for one in differences(export.groups, after, done)],
        "taken_over": sorted(guids & managed),
    }


def without_members(found: dict[str, Any]) -> None:
    """Leave of the members of each group their number: what Ansible hands around is to stay small."""
    for entry in found.get("groups", ()):
        entry["member_count"] = len(entry.pop("members"))


def _export(path: Path) -> Export:
    try:
        return read_export(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"writeback_export: {path} cannot be read: {type(error).__name__}.",
            "Give the report that gpad_info wrote with gather: [writeback].",
            code="writeback_export_invalid",
        ) from None


def _applied(journal: JournalFile, since: str) -> Iterator[Applied]:
    # Newest first; what was done must be told in its order.
    for run in reversed(journal.runs(_MOST_RUNS)):
        if run.started_at >= since:
            yield from journal.outcomes(run.run_id)


def _found(params: dict[str, Any], sides: Sides, groups: tuple[WritebackGroup, ...]) -> Found:
    reader = sides.reader
    mapper = sides.settings.mapper if sides.settings else None
    cloud = _cloud(sides.snapshot, groups, mapper, reader.domain.dn) if sides.snapshot else None
    cns = {view.cn for view in (cloud or {}).values() if view.cn}
    leave = {entry: identity.guid_text(entry) for entry in params["writeback_leave"]}
    odd = [entry for entry, guid in leave.items() if guid is None]
    if odd:
        raise ConfigurationError(f"writeback_leave: {odd[0]!r} is no objectGUID.", "Give those of the table.")
    found = Found(
        groups,
        cloud,
        reader.anchor_holders(),
        reader.domain.catalog,
        reader.occupied(cns, ()) if cns else Occupied(),
        {},
        tuple(_rights(params, sides)),
        params["max_members"],
        frozenset(guid for guid in leave.values() if guid),
    )
    written = {group.guid for group in groups if found.origin(group) is Origin.WRITEBACK_V2}
    return replace(found, untrusted=_untrusted(params, reader, written))


def _rights(params: dict[str, Any], sides: Sides) -> Iterator[Right]:
    # A container that could not be read gives no right.
    for row in preflight.right_rows(sides.session, Wanted(params["managed_containers"], MAPPED)):
        if row.check.startswith(("write groups in ", "container ")):
            yield Right(row.check, row.status is Status.OK, row.found, row.remedy)


def _untrusted(params: dict[str, Any], reader: Reader, guids: Collection[str]) -> dict[str, str]:
    """Return who may give each of these groups away beside the trusted, as the adoption test looks at it."""
    if not guids:
        return {}
    domain, own = reader.domain, reader.account_sid()
    named = {value.upper() for value in params["trusted_writers"]}
    trusted = rights.default_trusted(domain.sid, domain.forest) | named | ({own} if own else set())
    claims = Claims({}, reader.security(guids), Trust(frozenset(trusted), domain.guarded))
    return {guid: why for guid in guids if (why := ownership.untrusted(guid, claims))}


def _cloud(
    snapshot: Snapshot, groups: tuple[WritebackGroup, ...], mapper: Mapper | None, domain_dn: str
) -> Mapping[str, CloudView]:
    named = {group.cloud_id for group in groups}
    variables = {"DomainFQDN": dn.domain_dns_name(domain_dn)}
    around = Surroundings(True, utc_now(), secrets.randbelow, {}, variables)
    return {
        item.group.id: _view(item, mapper if item.group.id in named else None, around) for item in snapshot.groups()
    }


def _view(item: CapturedGroup, mapper: Mapper | None, around: Surroundings) -> CloudView:
    name, reason = item.group.display_name, item.decision.reason
    if mapper is None or reason is not None:
        return CloudView(name, reason)
    try:
        wanted = mapping.desired_group(item.group, mapper, around)
    except (ObjectError, ObjectIgnoredError) as error:
        return CloudView(name, reason, problem=error.message)
    return CloudView(name, reason, wanted.cn, wanted.container)
