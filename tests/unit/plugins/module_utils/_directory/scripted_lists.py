# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain with access control lists, which it changes as it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from tests.unit.plugins.module_utils._directory.scripted import (
    OK,
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.plugins.module_utils._provisioning.test_rights import descriptor
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, OWN_SID

CONFIGURATION = f"CN=Configuration,{BASE}"
SCHEMA = f"CN=Schema,{CONFIGURATION}"
DELETED = f"CN=Deleted Objects,{BASE}"
GUID = "bf9679c0-0de6-11d0-a285-00aa003049e2"


class Domain:
    """Lists by DN, accounts by the filter that finds them, and what happens before an operation."""

    def __init__(self, patch: pytest.MonkeyPatch, **lists: bytes) -> None:
        self.lists: dict[str, bytes | None] = {MANAGED: descriptor(), BASE: descriptor(), **lists}
        self.accounts: dict[str, list[str]] = {"svc": [OWN_SID]}
        self.system_groups: list[str] = []
        self.before: Callable[[Operation], None] | None = None
        self.refuse_modify = 0
        self.connection = ScriptedConnection(self._answer)
        self.session: Session = connect(patch, self.connection)

    def operations(self, kind: str) -> list[Operation]:
        """What was asked of one kind."""
        return [operation for operation in self.connection.asked if operation.kind == kind]

    def _answer(self, operation: Operation) -> Any:
        if self.before is not None:
            self.before(operation)
        if operation.kind == "modify":
            return self._modify(operation)
        return self._search(operation.base, operation.arguments[1], operation.options)

    def _modify(self, operation: Operation) -> Any:
        if self.refuse_modify:
            return refused(self.refuse_modify)
        ((_how, (value,)),) = operation.arguments[1]["nTSecurityDescriptor"]
        self.lists[operation.base] = value
        return OK

    def _search(self, base: str, term: str, options: dict[str, Any]) -> Any:
        if base == "":
            return page([root()])
        if base == SCHEMA:
            names = ("displayName", "description", "member", "cn", "name", "groupType", "adminDescription", "info")
            more = ("msDS-ExternalDirectoryObjectId", "isDeleted", "distinguishedName")
            raw = [identity.guid_to_bytes(GUID)]
            return page([entry(name, lDAPDisplayName=[name], schemaIDGUID=raw) for name in (*names, *more)])
        if "isCriticalSystemObject" in term:
            return page([entry(name) for name in self.system_groups])
        if options["search_scope"] == "BASE":
            return self._object(DELETED if base.startswith("<WKGUID=") else base)
        found = [sid for name, sids in self.accounts.items() if name in term for sid in sids]
        return page([entry(sid, objectSid=[identity.sid_to_bytes(sid)]) for sid in found])

    def _object(self, name: str) -> Any:
        if name not in self.lists:
            return refused(32)
        raw = self.lists[name]
        sid = [identity.sid_to_bytes(DOMAIN_SID)]
        return page([entry(name, objectSid=sid, **({"nTSecurityDescriptor": [raw]} if raw is not None else {}))])


def root() -> dict[str, Any]:
    """Return the root of a domain controller."""
    return entry(
        "",
        defaultNamingContext=[BASE],
        configurationNamingContext=[CONFIGURATION],
        schemaNamingContext=[SCHEMA],
        tokenGroups=[identity.sid_to_bytes(OWN_SID)],
    )
