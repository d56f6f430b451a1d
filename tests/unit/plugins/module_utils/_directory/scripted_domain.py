# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted domain controller that is fit for use, and the groups that it may show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
    with_raw,
)
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, OUTSIDE, SISTER_SID, SUB, cloud_id, guid, sid

ROOT = {
    "defaultNamingContext": [BASE],
    "configurationNamingContext": [f"CN=Configuration,{BASE}"],
    "schemaNamingContext": [f"CN=Schema,CN=Configuration,{BASE}"],
    "dnsHostName": ["dc1.contoso.com"],
    "dsServiceName": [f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE}"],
    "supportedCapabilities": ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"],
}
INVOCATION_ID = "1a000000-0000-4000-8000-0000000000ab"
MEMBER_GUID = "bf9679c0-0de6-11d0-a285-00aa003049e2"
MEMBERSHIP = "bc0ac240-79a9-11d0-9020-00c04fc2d4cf"
ANCHOR_GUID = "bd29bf90-66ad-40e1-887b-10df070419a6"
SCHEMA = [
    entry(
        "CN=Member",
        lDAPDisplayName=["member"],
        schemaIDGUID=[identity.guid_to_bytes(MEMBER_GUID)],
        attributeSecurityGUID=[identity.guid_to_bytes(MEMBERSHIP)],
    ),
    entry("CN=Anchor", lDAPDisplayName=[ANCHOR], schemaIDGUID=[identity.guid_to_bytes(ANCHOR_GUID)]),
]
DELETED_OBJECTS = f"<WKGUID=18e2ea80684f11d2b9aa00c04f79f805,{BASE}>"
# The entries of an answer, a whole answer, or None.
Entries: TypeAlias = "Callable[[Operation], Any]"


def domain(special: Entries | None = None) -> ScriptedConnection:
    """Return a domain controller that can be used; `special` answers what it does not pass on."""

    def handler(operation: Operation) -> Any:
        base, ldap_filter = operation.arguments[:2]
        found = special(operation) if special else None
        if found is not None:
            return page(found) if isinstance(found, list) else found
        if base == "":
            return page([entry("", **ROOT)])
        if base == BASE and operation.options["search_scope"] == "BASE":
            return page([entry(BASE, objectSid=[identity.sid_to_bytes(DOMAIN_SID)])])
        if base.startswith("CN=Partitions"):
            sister = f"<GUID={guid(1)}>;<SID={SISTER_SID}>;DC=emea,{BASE}"
            own = f"<GUID={guid(3)}>;<SID={DOMAIN_SID}>;{BASE}"
            return page(
                [
                    entry("CN=1", nCName=[sister], nETBIOSName=["EMEA"]),
                    entry("CN=2", nCName=[f"<GUID={guid(2)}>;CN=x"]),
                    entry("CN=3", nCName=[own], nETBIOSName=["Contoso"]),
                ]
            )
        if base == ROOT["dsServiceName"][0]:
            return page([entry(base, invocationId=[identity.guid_to_bytes(INVOCATION_ID)])])
        if base.startswith("CN=Schema"):
            return page(SCHEMA if ANCHOR in ldap_filter else [])
        if base == BASE:
            return page([])
        return page([entry(base)]) if base in (MANAGED, SUB) else refused(32)

    return ScriptedConnection(handler)


def reader(
    patch: pytest.MonkeyPatch, special: Entries | None = None, catalog: ScriptedConnection | None = None
) -> tuple[Reader, ScriptedConnection]:
    """Return a reader, and the connection with the questions of the start forgotten."""
    connection = domain(special)
    session = connect(patch, connection)
    opener = (lambda: connect(patch, catalog)) if catalog is not None else None
    result = Reader(session, [MANAGED], ["displayName", "description"], opener)
    connection.asked.clear()
    return result, connection


def forest_wide(special: Entries) -> ScriptedConnection:
    """Return a global catalog; what `special` passes on it does not hold."""

    def handler(operation: Operation) -> Any:
        found = special(operation)
        return page(found or []) if isinstance(found, (list, type(None))) else found

    return ScriptedConnection(handler)


def group_entry(number: int, container: str = MANAGED, **more: Sequence[bytes | str]) -> dict[str, Any]:
    """Return a group as a search shows it."""
    usual: dict[str, Sequence[bytes | str]] = {
        "objectClass": ["top", "group"],
        "objectGUID": [identity.guid_to_bytes(guid(number))],
        "objectSid": [identity.sid_to_bytes(sid(2000 + number))],
        "msDS__ExternalDirectoryObjectId": [f"Group_{cloud_id(number)}"],
    }
    return entry(f"CN=Group {number},{container}", **{**usual, **more})


def member(number: int, security_identifier: str | None = "") -> bytes:
    """Return a value of `member` as the extended-DN control shows it."""
    held = sid(5000 + number) if security_identifier == "" else security_identifier
    middle = f";<SID={held}>" if held else ""
    return f"<GUID={guid(number).upper()}>{middle};CN=User\\, {number},{OUTSIDE}".encode()


def ranged(number: int, raw: Mapping[str, Sequence[bytes]], usn: int = 7) -> dict[str, Any]:
    """Return a group with member ranges."""
    found = entry(
        f"CN=Group {number},{MANAGED}", objectGUID=[identity.guid_to_bytes(guid(number))], uSNChanged=[str(usn)]
    )
    return with_raw(found, raw)


class Ranges:
    """A group whose members come in ranges of at most three, or `size`; `script` may change it before each answer."""

    def __init__(
        self, count: int, script: Callable[[int, Ranges], None] = lambda _turn, _group: None, size: int = 3
    ) -> None:
        self.size = size
        self.members = [member(number) for number in range(count)]
        self.usn = 7
        self.turn = 0
        self.script = script
        self.there = True

    def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Answer a question about members."""
        asked = [name for name in operation.options["attributes"] if name.startswith("member")]
        if not asked:
            return None
        self.turn += 1
        self.script(self.turn, self)
        if not self.there:
            return []
        low = int(asked[0].split("=")[1].split("-")[0])
        part = self.members[low : low + self.size]
        last = low + self.size >= len(self.members)
        name = f"member;range={low}-{'*' if last else low + len(part) - 1}" if part else "member"
        return [ranged(1, {name: part}, self.usn)]
