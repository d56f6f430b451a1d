# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a scenario file; README.md beside this file describes its keys."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from tests.lab.record import Record
from tests.lab.scenario import (
    PRODUCT_ROLES,
    READER_ACCOUNT,
    SERVICE_ACCOUNT,
    Application,
    DirectoryGroup,
    DirectoryObject,
    DirectoryUser,
    Forest,
    Scenario,
    ScenarioError,
    Tenant,
    TenantGroup,
    TenantObject,
    TenantUser,
    object_id,
)

SCOPES = ("global", "universal", "domain_local")
AUTHORITIES = ("cloud", "on_premises", "converted", "rolled_back")
SCHEDULES = ("Active", "Disabled", "Paused")
JOB_STATES = ("NotConfigured", "NotRun", "Active", "Paused", "Quarantine")
RULE_STATES = ("On", "Paused")
BASE_SCHEMAS = ("2012_R2", "2016")
DEFAULT_APPLICATION = "gpad"
DEFAULT_CONTAINER = "CN=Users"
DEVICE_CONTAINER = "CN=RegisteredDevices"
OBJECT_KINDS: Final = {
    "computers": ("computer", "CN=Computers"),
    "contacts": ("contact", DEFAULT_CONTAINER),
    "devices": ("device", DEVICE_CONTAINER),
}
SAM_FORBIDDEN: Final = re.compile(r'["/\\\[\]:;|=,+*?<>\x00-\x1f]')


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises:
        ScenarioError: the file cannot be read, is no YAML, has unknown keys or names what does not exist.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not valid YAML: {error}") from error
    return parse_scenario(document, path.name)


def parse_scenario(document: object, where: str = "scenario") -> Scenario:
    """Check a parsed document and turn it into values; see :func:`load_scenario`."""
    with Record(document, where) as record:
        forests = tuple(_forest(item) for item in record.records("forests", "domain"))
        _refuse_duplicates(where, "forest", (forest.domain for forest in forests))
        _refuse_duplicates(where, "NetBIOS name", (forest.netbios_name for forest in forests))
        tenant_record = record.record("tenant")
        tenant = _tenant(tenant_record, forests) if tenant_record else None
        forests = tuple(_with_anchors(forest, tenant, where) for forest in forests)
        one_forest = _one_forest(record, forests)
    if not forests and tenant is None:
        raise ScenarioError(f"{where}: neither 'forests' nor 'tenant' is there, so there is nothing to start")
    return Scenario(forests, tenant, one_forest)


def _one_forest(record: Record, forests: tuple[Forest, ...]) -> tuple[str, ...]:
    names = record.texts("domains_of_one_forest")
    played = {forest.domain for forest in forests if forest.policy}
    if len(names) == 1 or not set(names) <= played:
        raise ScenarioError(f"{record.where}: domains_of_one_forest must name two or more forests with 'policy: true'")
    return names


def _forest(source: Record) -> Forest:
    with source as record:
        domain = record.text("domain").lower()
        units = record.texts("organizational_units")
        bulk = _generated_users(record, "bulk_users")
        forest = Forest(
            domain=domain,
            netbios_name=(record.optional_text("netbios_name") or domain.split(".")[0][:15]).upper(),
            address=_address(record),
            organizational_units=units,
            managed_containers=record.texts("managed_containers"),
            users=(
                *(_directory_user(item) for item in record.records("users")),
                *bulk,
                *_generated_users(record, "generate"),
            ),
            groups=tuple(_directory_group(item) for item in record.records("groups")),
            base_schema=record.choice("base_schema", BASE_SCHEMAS, "2016"),
            policy=record.flag("policy", default=False),
            others=tuple(_directory_objects(record)),
            bulk=tuple(user.name for user in bulk),
            second_controller=record.flag("second_controller", default=False),
            prefork=record.flag("prefork", default=False),
        )
        if forest.policy and forest.second_controller:
            raise ScenarioError(f"{record.where}: the policy proxy stands before one controller only")
        if "." not in domain:
            raise ScenarioError(f"{record.where}: '{domain}' needs at least two labels")
        _check_forest(forest, record.where)
    return forest


def _check_forest(forest: Forest, where: str) -> None:
    containers = {unit.lower() for unit in (*forest.organizational_units, DEFAULT_CONTAINER)}
    defaults = {container.lower() for _kind, container in OBJECT_KINDS.values()}
    objects: list[DirectoryUser | DirectoryGroup] = [*forest.users, *forest.groups]
    others = [item.ou for item in forest.others if item.ou.lower() not in defaults]
    for container in (*forest.managed_containers, *(item.ou for item in objects), *others):
        if container.lower() not in containers:
            raise ScenarioError(f"{where}: container {container!r} is not among its organizational_units")
    _refuse_duplicates(where, "name", (item.name for item in (*objects, *forest.others)))
    reserved = (SERVICE_ACCOUNT, READER_ACCOUNT)
    _refuse_duplicates(where, "sam_account_name", (*reserved, *(item.sam_account_name for item in objects)))
    for item in objects:
        if SAM_FORBIDDEN.search(item.sam_account_name):
            raise ScenarioError(f"{where}: sam_account_name {item.sam_account_name!r} holds a forbidden character")
    names = {item.name for item in (*objects, *forest.others)}
    for group in forest.groups:
        _refuse_dangling(where, group.name, group.members, names)


def _directory_user(source: Record) -> DirectoryUser:
    with source as record:
        name = record.text("name")
        return DirectoryUser(
            name=name,
            sam_account_name=record.optional_text("sam_account_name") or name.lower().replace(" ", ".")[:20],
            ou=record.optional_text("ou") or DEFAULT_CONTAINER,
            enabled=record.flag("enabled", default=True),
            attributes=record.attributes("attributes"),
            sid_history=record.texts("sid_history"),
        )


def _directory_objects(source: Record) -> Iterator[DirectoryObject]:
    for key, (kind, container) in OBJECT_KINDS.items():
        for item in source.records(key):
            with item as record:
                ou = record.optional_text("ou") if kind != "device" else None
                yield DirectoryObject(kind, record.text("name"), ou or container, record.attributes("attributes"))


def _generated_users(source: Record, key: str) -> list[DirectoryUser]:
    generate = source.record(key)
    if generate is None:
        return []
    with generate as record:
        prefix = record.optional_text("prefix") or "load"
        ou = record.optional_text("ou") or DEFAULT_CONTAINER
        names = [f"{prefix}{number:05}" for number in range(1, record.count("count") + 1)]
    return [DirectoryUser(name=name, sam_account_name=name, ou=ou) for name in names]


def _directory_group(source: Record) -> DirectoryGroup:
    with source as record:
        name = record.text("name")
        attributes = record.attributes("attributes")
        if anchor := record.optional_text("anchor"):
            attributes["msDS-ExternalDirectoryObjectId"] = [anchor]
        return DirectoryGroup(
            name=name,
            sam_account_name=record.optional_text("sam_account_name") or name,
            ou=record.optional_text("ou") or DEFAULT_CONTAINER,
            scope=record.choice("scope", SCOPES, "global"),
            security_enabled=record.flag("security_enabled", default=True),
            members=record.texts("members"),
            attributes=attributes,
        )


def _with_anchors(forest: Forest, tenant: Tenant | None, where: str) -> Forest:
    """Replace each anchor that names a cloud group by ``Group_<its object id>``."""
    ids = {group.name: group.id for group in tenant.groups} if tenant else {}
    groups = tuple(_with_anchor(group, ids, f"{where}.{forest.domain}") for group in forest.groups)
    return replace(forest, groups=groups)


def _with_anchor(group: DirectoryGroup, ids: dict[str, str], where: str) -> DirectoryGroup:
    attribute = "msDS-ExternalDirectoryObjectId"
    anchors = [_anchor(value, ids, f"{where}.{group.name}") for value in group.attributes.get(attribute, [])]
    attributes = {**group.attributes, attribute: anchors} if anchors else group.attributes
    return replace(group, attributes=attributes)


def _anchor(value: str, ids: dict[str, str], where: str) -> str:
    if value in ids:
        return f"Group_{ids[value]}"
    if value.startswith("Group_"):
        return value
    raise ScenarioError(f"{where}: anchor {value!r} is neither a group of the tenant nor 'Group_<object id>'")


def _tenant(source: Record, forests: tuple[Forest, ...]) -> Tenant:
    with source as record:
        default_domain = record.optional_text("default_domain") or "contoso.onmicrosoft.com"
        known = {forest.domain: forest for forest in forests}
        users = [_tenant_user(item, known) for item in record.records("users")]
        bulk = [(name, forest.domain) for forest in forests for name in forest.bulk]
        users += [TenantUser(name, object_id(name), name, synced_from=domain) for name, domain in bulk]
        groups = [_tenant_group(item, known, [name for name, _domain in bulk]) for item in record.records("groups")]
        if generate := record.record("generate"):
            more_users, more_groups = _generated_tenant(generate, known)
            users += more_users
            groups += more_groups
        tenant = Tenant(
            id=record.optional_text("id") or object_id(f"tenant/{default_domain}"),
            default_domain=default_domain,
            address=_address(record),
            users=tuple(users),
            groups=tuple(groups),
            devices=_tenant_objects(record, "devices"),
            service_principals=_tenant_objects(record, "service_principals"),
            contacts=_tenant_objects(record, "contacts"),
            applications=_applications(record),
        )
        _check_tenant(tenant, record.where)
    return tenant


def _check_tenant(tenant: Tenant, where: str) -> None:
    kinds = (tenant.users, tenant.groups, tenant.devices, tenant.service_principals, tenant.contacts)
    _refuse_duplicates(where, "name", (item.name for kind in kinds for item in kind))
    _refuse_duplicates(where, "id", (item.id for kind in kinds for item in kind))
    _refuse_duplicates(where, "application", (item.name for item in tenant.applications))
    names = set(tenant.ids())
    for group in tenant.groups:
        _refuse_dangling(where, group.name, group.members, names)
    for principal in tenant.service_principals:
        _refuse_dangling(where, principal.name, principal.assigned, names)


def _tenant_user(source: Record, forests: dict[str, Forest]) -> TenantUser:
    with source as record:
        name = record.text("name")
        return TenantUser(
            name=name,
            id=record.optional_text("id") or object_id(name),
            display_name=record.optional_text("display_name") or name,
            synced_from=_synced_from(record, name, forests, DirectoryUser),
            account_enabled=record.flag("account_enabled", default=True),
            properties=record.free("properties"),
        )


def _tenant_group(source: Record, forests: dict[str, Forest], bulk: list[str]) -> TenantGroup:
    with source as record:
        name = record.text("name")
        from_bulk = record.count("members_from_bulk", 0)
        if from_bulk > len(bulk):
            raise ScenarioError(f"{record.where}: members_from_bulk asks for more than the {len(bulk)} bulk_users")
        synced_from = _synced_from(record, name, forests, DirectoryGroup)
        authority = record.choice("source_of_authority", AUTHORITIES, "on_premises" if synced_from else "cloud")
        if (authority == "cloud") is bool(synced_from):
            needed = "must not have" if synced_from else "needs"
            raise ScenarioError(
                f"{record.where}: a group whose source_of_authority is {authority} {needed} synced_from"
            )
        rule = record.optional_text("membership_rule")
        state = record.choice("membership_rule_processing_state", RULE_STATES, "On")
        dynamic = {"membershipRule": rule, "membershipRuleProcessingState": state} if rule else {}
        types = record.texts("group_types")
        return TenantGroup(
            name=name,
            id=record.optional_text("id") or object_id(name),
            display_name=record.optional_text("display_name") or name,
            description=record.optional_text("description"),
            synced_from=synced_from,
            source_of_authority=authority,
            mail_enabled=record.flag("mail_enabled", default=False),
            security_enabled=record.flag("security_enabled", default="Unified" not in types),
            group_types=(*types, "DynamicMembership") if rule and "DynamicMembership" not in types else types,
            members=(*record.texts("members"), *bulk[:from_bulk]),
            properties={**dynamic, **record.free("properties")},
        )


def _synced_from(
    record: Record, name: str, forests: dict[str, Forest], kind: type[DirectoryUser] | type[DirectoryGroup]
) -> str | None:
    domain = record.optional_text("synced_from")
    if domain is None:
        return None
    if domain not in forests:
        raise ScenarioError(f"{record.where}: synced_from names {domain!r}, which is none of the forests")
    there = forests[domain].users if kind is DirectoryUser else forests[domain].groups
    if name not in {item.name for item in there}:
        what = "user" if kind is DirectoryUser else "group"
        raise ScenarioError(f"{record.where}: forest {domain} has no {what} called {name!r}")
    return domain


def _generated_tenant(source: Record, forests: dict[str, Forest]) -> tuple[list[TenantUser], list[TenantGroup]]:
    with source as record:
        domain = record.optional_text("synced_from")
        count = record.count("users")
        groups = record.count("groups", 0)
        size = record.count("members_per_group", 0)
        prefix = record.optional_text("prefix") or "Load Group "
        if domain is not None and domain not in forests:
            raise ScenarioError(f"{record.where}: synced_from names {domain!r}, which is none of the forests")
        names = [f"clouduser{number:05}" for number in range(1, count + 1)]
        if domain is not None:
            # The generated users of a forest come last.
            names = [user.name for user in forests[domain].users][-count:] if count else []
        if len(names) < count or size > count:
            raise ScenarioError(f"{record.where}: more users or members are asked for than there are")
    users = [TenantUser(name=name, id=object_id(name), display_name=name, synced_from=domain) for name in names]
    titles = [f"{prefix}{number:05}" for number in range(1, groups + 1)]
    return users, [
        TenantGroup(
            name=title,
            id=object_id(title),
            display_name=title,
            members=tuple(names[(index * size + step) % count] for step in range(size)),
        )
        for index, title in enumerate(titles)
    ]


def _tenant_objects(source: Record, key: str) -> tuple[TenantObject, ...]:
    objects = []
    for item in source.records(key):
        with item as record:
            name = record.text("name")
            objects.append(
                TenantObject(
                    name=name,
                    id=record.optional_text("id") or object_id(name),
                    display_name=record.optional_text("display_name") or name,
                    properties=record.free("properties"),
                    assigned=record.texts("assigned") if key == "service_principals" else (),
                    jobs=tuple(map(_job, record.records("jobs", "id"))) if key == "service_principals" else (),
                )
            )
    return tuple(objects)


def _job(source: Record) -> Mapping[str, Any]:
    """Read a synchronization job: its id, template, and how it is."""
    with source as record:
        return {
            "id": record.text("id"),
            "templateId": record.optional_text("template") or "AAD2ADGroupProvisioning",
            "schedule": {
                "expiration": None,
                "interval": "PT20M",
                "state": record.choice("schedule", SCHEDULES, "Active"),
            },
            "status": {"code": record.choice("status", JOB_STATES, "Active")},
        }


def _applications(source: Record) -> tuple[Application, ...]:
    applications = []
    for item in source.records("applications"):
        with item as record:
            name = record.text("name")
            applications.append(
                Application(
                    name=name,
                    id=record.optional_text("id") or object_id(f"application/{name}"),
                    roles=record.texts("roles"),
                    secret=record.flag("secret", default=True),
                    secret_expired=record.flag("secret_expired", default=False),
                    certificate=record.flag("certificate", default=False),
                )
            )
    if DEFAULT_APPLICATION not in {application.name for application in applications}:
        identity = object_id(f"application/{DEFAULT_APPLICATION}")
        applications.insert(0, Application(name=DEFAULT_APPLICATION, id=identity, roles=PRODUCT_ROLES))
    return tuple(applications)


def _address(record: Record) -> str | None:
    value = record.optional_text("address")
    try:
        if value is not None and not ipaddress.IPv4Address(value).is_loopback:
            raise ScenarioError(f"{record.where}: address {value} is not in 127.0.0.0/8")
    except ipaddress.AddressValueError as error:
        raise ScenarioError(f"{record.where}: {value!r} is no IPv4 address") from error
    return value


def _refuse_duplicates(where: str, what: str, values: Iterable[str]) -> None:
    repeated = sorted(value for value, count in Counter(value.lower() for value in values).items() if count > 1)
    if repeated:
        raise ScenarioError(f"{where}: {what} {repeated[0]!r} is used more than once")


def _refuse_dangling(where: str, group: str, members: Iterable[str], names: set[str]) -> None:
    for member in members:
        if member not in names:
            raise ScenarioError(f"{where}: {group!r} has a member {member!r} that is not declared")
