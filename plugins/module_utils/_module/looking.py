# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of a preflight on the directory side, from the options of a module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    catalog_of,
    open_session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import enforcement_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    CN,
    CONTAINER,
    MAPPED,
    SAM,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import MARK
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError, GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import managed_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
    of_error,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import key_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

_SIZES = "members against max_members"
# Named by the plan itself, on creation or by a rename.
_NAMED_APART = frozenset(name.lower() for name in (CN, CONTAINER, SAM))


def directory_rows(params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the table, those of the connection first. Nothing is written.

    Parameters:
        params: the module's options.

    Raises:
        ConfigurationError: a managed container is no DN.
    """
    managed_containers(params["managed_containers"])
    rows = [*_rows(params), _size_row(params)]
    return [{**asdict(row), "status": row.status.value} for row in rows]


def enforcement_entry(params: dict[str, Any]) -> dict[str, Any]:
    """Return how the enforcement of the source of authority stands, and the change that a Domain Admin would make.

    Parameters:
        params: the module's options.

    Raises:
        GpadError: it cannot be read.
    """
    with closing(open_session(params)) as session:
        root = preflight.read_root(session)
        if root is None:
            raise DirectoryError(
                "The server is not an Active Directory domain controller.", "Check domain_server.", code="not_a_dc"
            )
        facts = preflight.enforcement_of(session, root, params["managed_containers"])
    return enforcement_change.described(facts)


def _rows(params: dict[str, Any]) -> Iterator[Row]:
    try:
        session = open_session(params)
    except GpadError as error:
        yield of_error("domain controller", error, Status.FAILED)
        yield Row("all that is asked of the domain controller", Status.UNKNOWN, "it could not be asked")
        return
    with closing(session):
        given = [mapping["target"] for mapping in params["attribute_mappings"] if not mapping["none"]]
        mapped = [name for name in (*MAPPED, *given) if name.lower() not in _NAMED_APART]
        marks, units = params["mark_authority"], params["create_containers"]
        mapped += [MARK] if marks else []
        wanted = Wanted(params["managed_containers"], tuple(dict.fromkeys(mapped)), catalog_of(params), marks, units)
        yield from preflight.rows(session, wanted)


def _size_row(params: dict[str, Any]) -> Row:
    """Judge the sizes that the last snapshot told: counting in the directory would mean to read all members."""
    path = params["snapshot"]
    if not path or not Path(path).exists():
        return Row(_SIZES, Status.UNKNOWN, "there is no snapshot yet", "Capture first (gpad_scope).")
    try:
        with closing(Snapshot(Path(path), key_of(params["snapshot_key"]))) as snapshot:
            sizes = {item.group.display_name: item.member_count for item in snapshot.groups() if item.decision.in_scope}
            when = snapshot.header.captured_at
    except GpadError as error:
        return of_error(_SIZES, error)
    most = params["max_members"]
    above = [f"{name} ({count})" for name, count in sizes.items() if count > most]
    largest = max(sizes.values(), default=0)
    found = f"{len(sizes)} groups in scope in the snapshot of {when}, the largest has {largest} members"
    return judged(
        _SIZES,
        not above,
        f"{len(above)} beyond {most}: {listed(above)}; {found}" if above else found,
        "They are refused. Raise max_members, or take them out of the scope.",
        Status.WARNING,
    )
