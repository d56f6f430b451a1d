# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file that the lab writes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .entities import CONTACT, DEVICE, GROUP, SERVICE_PRINCIPAL, USER
from .model import Model, ModelError
from .schema import EntityType

_SECTIONS: Mapping[str, EntityType] = {
    "users": USER,
    "groups": GROUP,
    "devices": DEVICE,
    "servicePrincipals": SERVICE_PRINCIPAL,
    "contacts": CONTACT,
}
_TOP = {"host", "port", "certificate", "key", "database", "adminKey", "tenant", "applications"}
_OPTIONAL = {*_SECTIONS, "appRoleAssignments"}
_APPLICATION = {"appId", "displayName", "secret", "secretExpired", "certificate", "roles"}
_ASSIGNMENT = {"id", "appRoleId", "principalId", "resourceId"}


class ConfigError(ValueError):
    """The configuration cannot be used; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Application:
    app_id: str
    display_name: str
    secret: str | None
    secret_expired: bool
    certificate: str | None
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seed:
    """The directory as it is when the emulator starts."""

    objects: tuple[tuple[EntityType, Mapping[str, Any]], ...]
    members: Mapping[str, tuple[str, ...]]
    assignments: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Config:
    host: str
    port: int
    certificate: str
    key: str
    database: str
    admin_key: str
    tenant_id: str
    default_domain: str
    applications: Mapping[str, Application]
    seed: Seed

    @property
    def base_url(self) -> str:
        return f"https://{self.host}:{self.port}"


def _check_keys(what: str, found: Collection[str], required: Collection[str], optional: Collection[str] = ()) -> None:
    unknown = sorted(set(found) - set(required) - set(optional))
    missing = sorted(set(required) - set(found))
    if unknown:
        raise ConfigError(f"{what} has unknown keys: {', '.join(unknown)}")
    if missing:
        raise ConfigError(f"{what} lacks the keys: {', '.join(missing)}")


def _guid(what: str, value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise ConfigError(f"{what} must be a GUID, not {value!r}") from None


def _application(entry: Mapping[str, Any]) -> Application:
    _check_keys(f"application {entry.get('displayName')!r}", entry, {"appId", "displayName", "roles"}, _APPLICATION)
    return Application(
        app_id=_guid("appId", entry["appId"]),
        display_name=entry["displayName"],
        secret=entry.get("secret"),
        secret_expired=entry.get("secretExpired", False),
        certificate=entry.get("certificate"),
        roles=frozenset(entry["roles"]),
    )


def _seed(data: Mapping[str, Any], model: Model) -> Seed:
    objects: dict[str, tuple[EntityType, Mapping[str, Any]]] = {}
    members: dict[str, tuple[str, ...]] = {}
    for section, entity in _SECTIONS.items():
        for entry in data.get(section, []):
            properties = {
                **entry,
                "id": _guid(f"the id of {entity.name} {entry.get('displayName')!r}", entry.get("id")),
            }
            linked = properties.pop("members", []) if entity is GROUP else []
            model.register_extensions(entity, properties)
            try:
                model.check(entity, properties)
            except ModelError as error:
                raise ConfigError(str(error)) from None
            if properties["id"] in objects:
                raise ConfigError(f"two objects have the id {properties['id']}")
            objects[properties["id"]] = (entity, properties)
            members[properties["id"]] = tuple(dict.fromkeys(str(member).lower() for member in linked))
    for group_id, linked in members.items():
        for member in linked:
            if member not in objects:
                raise ConfigError(f"group {group_id} has the member {member}, which is not declared")
    assignments = tuple(data.get("appRoleAssignments", []))
    for assignment in assignments:
        _check_keys("appRoleAssignment", assignment, _ASSIGNMENT - {"id"}, _ASSIGNMENT)
        for key in ("principalId", "resourceId"):
            if assignment[key] not in objects:
                raise ConfigError(f"appRoleAssignment names the {key} {assignment[key]}, which is not declared")
    return Seed(tuple(objects.values()), members, assignments)


def parse_config(data: Mapping[str, Any], model: Model) -> Config:
    """Check a configuration and make the model know the extensions it uses.

    Raises ConfigError on unknown or missing keys, values of a wrong type and dangling references.
    """
    _check_keys("the configuration", data, _TOP, _OPTIONAL)
    _check_keys("tenant", data["tenant"], {"id", "defaultDomain"})
    applications = [_application(entry) for entry in data["applications"]]
    return Config(
        host=data["host"],
        port=data["port"],
        certificate=data["certificate"],
        key=data["key"],
        database=data["database"],
        admin_key=data["adminKey"],
        tenant_id=_guid("tenant id", data["tenant"]["id"]),
        default_domain=data["tenant"]["defaultDomain"],
        applications={application.app_id: application for application in applications},
        seed=_seed(data, model),
    )


def read_config(path: Path, model: Model) -> Config:
    """Read and check a configuration file.

    Raises ConfigError, also when the file is unreadable or not JSON.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} does not hold a JSON object")
    return parse_config(data, model)
