# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container of 30 groups as writeback V2 left it, with every case that a migration meets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.lab.scenario import object_id

PEOPLE = [f"Person {number}" for number in range(1, 9)]
PLAIN = [f"Team {number}" for number in range(1, 13)]
# Groups of version 2 that need a decision, by the check that finds it.
BLOCKED = {
    "Gone": "cloud_group",
    "Global": "universal_scope",
    "Crowd": "member_count",
    "Twin": "anchor_unique",
    "Twin again": "anchor_unique",
    "Other anchor": "anchor_free",
    "Rival": "names",
    "Guarded": "rights",
    "Outside": "scope",
}
MALFORMED = "Malformed"
READY = [*PLAIN, "Anchored", "Devices", "Nested", "Local"]
MOST_MEMBERS = 7


def mark(name: str) -> str:
    """Return what writeback wrote into adminDescription."""
    return f"Group_{object_id(name)}"


def cloud_name(name: str) -> str:
    """Return the relative name that provisioning gives by default."""
    return f"{name}_{object_id(name)[-12:]}"


def written(name: str, *, as_id: bool = False, **more: Any) -> dict[str, Any]:
    """Return a group as version 2 wrote it, named by the object id or by the displayName."""
    attributes = {"adminDescription": mark(name), "displayName": name, **more.pop("attributes", {})}
    given = mark(name) if as_id else cloud_name(name)
    return {"name": given, "scope": "universal", "ou": "OU=Groups", "attributes": attributes, **more}


def _groups() -> list[dict[str, Any]]:
    plain = [written(name, as_id=number < 5, members=PEOPLE[: number % 5 + 1]) for number, name in enumerate(PLAIN)]
    return [
        *plain,
        written("Anchored", members=PEOPLE[:2], anchor="Anchored"),
        written("Devices", members=[*PEOPLE[:2], "DESK1"]),
        written("Nested", members=[cloud_name(PLAIN[9]), PEOPLE[0]]),
        written("Local", members=PEOPLE[:1]),
        {"name": "File Share", "scope": "domain_local", "ou": "OU=People", "members": [cloud_name("Local")]},
        written("Gone", members=PEOPLE[:1]),
        written("Global", scope="global"),
        written("Crowd", members=PEOPLE),
        written("Twin"),
        {**written("Twin again"), "attributes": {"adminDescription": mark("Twin")}},
        written("Other anchor", anchor=PLAIN[0] + " of another"),
        written("Rival", as_id=True),
        {"name": cloud_name("Rival"), "scope": "universal", "ou": "OU=Groups", "sam_account_name": "rival"},
        written("Guarded", attributes={"adminCount": "1"}),
        written("Outside"),
        {**written(MALFORMED), "attributes": {"adminDescription": "Group_of people"}},
        written("Mailed", attributes={"mail": "mailed@contoso.com"}),
        written("Club", security_enabled=False, members=PEOPLE[:2]),
        {"name": "By hand", "scope": "universal", "ou": "OU=Groups", "members": PEOPLE[:1]},
    ]


def _tenant_groups() -> list[dict[str, Any]]:
    held = {
        **{name: PEOPLE[: number % 5 + 1] for number, name in enumerate(PLAIN)},
        "Anchored": PEOPLE[:2],
        "Devices": PEOPLE[:2],
        "Nested": [PLAIN[9], PEOPLE[0]],
        "Local": PEOPLE[:1],
        "Crowd": PEOPLE,
    }
    names = [*READY, *(name for name in BLOCKED if name not in ("Gone", "Twin again")), PLAIN[0] + " of another"]
    clubs = [{"name": name, "group_types": ["Unified"], "mail_enabled": True} for name in ("Club", "Chess")]
    return [*({"name": name, "members": held.get(name, [])} for name in [*names, MALFORMED, "Mailed"]), *clubs]


def scenario(path: Path) -> Path:
    """Write the scenario and return its path."""
    people = [{"name": name, "sam_account_name": name.replace(" ", "").lower(), "ou": "OU=People"} for name in PEOPLE]
    forest = {
        "domain": "contoso.com",
        "address": "127.0.0.20",
        "organizational_units": ["OU=Groups", "OU=People"],
        "managed_containers": ["OU=Groups"],
        "users": people,
        "computers": [{"name": "DESK1"}],
        "groups": _groups(),
    }
    tenant = {
        "address": "127.0.0.10",
        "users": [{"name": name, "synced_from": "contoso.com"} for name in PEOPLE],
        "groups": _tenant_groups(),
    }
    path.write_text(yaml.safe_dump({"forests": [forest], "tenant": tenant}, sort_keys=False), encoding="utf-8")
    return path


def selected() -> list[str]:
    """Return the object ids in the scope of provisioning: all that version 2 wrote but one."""
    names = [*READY, *(name for name in BLOCKED if name not in ("Gone", "Twin again", "Outside"))]
    return [object_id(name) for name in names]
