# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the database of one forest while no server runs.

Run by the system's Python, which owns Samba's modules: ``-m tests.lab.samba.build_forest REQUEST.json ANSWER.json``.
The request is what :func:`tests.lab.samba.controller.build_request` writes; the answer holds the identifiers that the
directory gave out.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import ldb
from samba import sd_utils
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.samdb import SamDB

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import delegation
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import Place
from tests.lab.samba import crowds as crowding
from tests.lab.samba.template import provisioned

GROUP_TYPE = {"global": 2, "domain_local": 4, "universal": 8}
SECURITY_ENABLED = -0x80000000

NORMAL_ACCOUNT = 0x200
ACCOUNT_DISABLED = 0x2
WORKSTATION_TRUST_ACCOUNT = 0x1000
DEVICE_CONTAINER = "CN=RegisteredDevices"
PASSWORD_NOT_REQUIRED = 0x20
PASSWORD_NEVER_EXPIRES = 0x10000

WRITABLE_ATTRIBUTES = (
    "adminDescription",
    "cn",
    "description",
    "displayName",
    "distinguishedName",
    "groupType",
    "info",
    "isDeleted",
    "mail",
    "managedBy",
    "member",
    "msDS-ExternalDirectoryObjectId",
    "msDS-ObjectSoa",
    "name",
    "proxyAddresses",
    "sAMAccountName",
    "wWWHomePage",
)
"""What the service account may write on groups; a restore writes ``isDeleted`` and the distinguished name."""

RESTORED_ATTRIBUTES = ("adminCount", "isRecycled", "objectCategory", "operatorCount", "sAMAccountType")
"""What Samba itself sets on a restored group, with the caller's rights; a Windows controller asks for none of them."""

BATCH = 500
CROWD = 1000
"""More users than this that differ in nothing but their names are copies of the first."""


def main(request_path: Path, answer_path: Path) -> None:
    request: dict[str, Any] = json.loads(request_path.read_text(encoding="utf-8"))
    forest = ForestBuilder(provisioned(request), request)
    answer_path.write_text(json.dumps(forest.build()), encoding="utf-8")


@contextmanager
def _transaction(samdb: Any) -> Iterator[None]:
    samdb.transaction_start()
    try:
        yield
    except BaseException:
        samdb.transaction_cancel()
        raise
    samdb.transaction_commit()


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _add_service_principal_names(samdb: Any, names: list[str]) -> None:
    """Give the controller the SPNs that a DNS update would have registered."""
    controller = samdb.search(expression="(primaryGroupID=516)", attrs=["servicePrincipalName"])[0]
    present = {str(value).lower() for value in controller.get("servicePrincipalName", [])}
    message = ldb.Message(controller.dn)
    wanted = [name for name in names if name.lower() not in present]
    if wanted:
        message["servicePrincipalName"] = ldb.MessageElement(wanted, ldb.FLAG_MOD_ADD, "servicePrincipalName")
        samdb.modify(message)


class ForestBuilder:
    """Load units, accounts, groups and rights of one request."""

    def __init__(self, settings: Any, request: dict[str, Any]) -> None:
        self._settings = settings
        self._private = Path(request["directory"]) / "private"
        self._request = request
        self._samdb = self._open()
        self._base = str(self._samdb.domain_dn())
        self._dns: dict[str, str] = {}

    def _open(self) -> Any:
        return SamDB(
            url=str(self._private / "sam.ldb"),
            session_info=system_session(),
            lp=self._settings,
            flags=ldb.FLG_NOSYNC,
        )

    def build(self) -> dict[str, Any]:
        """Load everything and return the identifiers that the directory gave out."""
        with _transaction(self._samdb):
            _add_service_principal_names(self._samdb, self._request["service_principal_names"])
            for unit in sorted(self._request["organizational_units"], key=lambda dn: len(ldb.Dn(self._samdb, dn))):
                self._samdb.add({"dn": f"{unit},{self._base}", "objectClass": "organizationalUnit"})
            accounts = {account["role"]: self._add_account(account) for account in self._request["accounts"]}
        crowds = _crowds(self._request["users"])
        among = {user["name"] for crowd in crowds for user in crowd[1:]}
        for batch in _batches(user for user in self._request["users"] if user["name"] not in among):
            with _transaction(self._samdb):
                for user in batch:
                    self._dns[user["name"]] = self._add_user(user)
        if crowds:
            self._copy(crowds)
        with _transaction(self._samdb):
            self._add_others()
        self._add_groups()
        self._delegate(accounts["service_account"])
        return {
            "base_dn": self._base,
            "domain_sid": str(self._samdb.get_domain_sid()),
            "accounts": {"administrator": self._dn_of_administrator(), **accounts},
            "managed_containers": [f"{unit},{self._base}" for unit in self._request["managed_containers"]],
            "objects": self._identifiers(),
        }

    def _child(self, name: str, container: str) -> str:
        dn = ldb.Dn(self._samdb, f"{container},{self._base}" if container else self._base)
        dn.add_child("CN=placeholder")
        dn.set_component(0, "CN", name)
        return str(dn)

    def _copy(self, crowds: list[list[dict[str, Any]]]) -> None:
        """Add all but the first of each crowd as copies of the first."""
        copies = [
            [{"dn": self._child(user["name"], user["ou"]), **_names_of(user)} for user in crowd[1:]] for crowd in crowds
        ]
        # The copier must have the file to itself.
        self._samdb = None
        partition = crowding.partition_of(self._private)
        rid = crowding.FIRST_RID
        for crowd, others in zip(crowds, copies, strict=True):
            crowding.copy_user(partition, self._dns[crowd[0]["name"]], others, rid)
            self._dns |= {user["name"]: other["dn"] for user, other in zip(crowd[1:], others, strict=True)}
            rid += len(others)
        self._samdb = self._open()
        crowding.restore_indexes(self._samdb)

    def _add_user(self, user: dict[str, Any], password: str | None = None) -> str:
        dn = self._child(user["name"], user["ou"])
        # An account that nobody signs in with costs no key derivation when it has no password.
        flags = NORMAL_ACCOUNT | (PASSWORD_NEVER_EXPIRES if password else PASSWORD_NOT_REQUIRED)
        entry: dict[str, Any] = {
            "dn": dn,
            "objectClass": "user",
            **_names_of(user),
            "userAccountControl": str(flags if user["enabled"] else flags | ACCOUNT_DISABLED),
            **user["attributes"],
        }
        if password:
            entry["unicodePwd"] = f'"{password}"'.encode("utf-16-le")
        self._samdb.add(entry)
        if user["sid_history"]:
            self._add_sid_history(dn, user["sid_history"])
        return dn

    def _add_sid_history(self, dn: str, sids: list[str]) -> None:
        """Write what no server lets anybody write over LDAP."""
        message = ldb.Message(ldb.Dn(self._samdb, dn))
        values = [ndr_pack(security.dom_sid(sid)) for sid in sids]
        message["sIDHistory"] = ldb.MessageElement(values, ldb.FLAG_MOD_ADD, "sIDHistory")
        self._samdb.modify(message, controls=["relax:0", "provision:0"])

    def _add_others(self) -> None:
        """Add computers, contacts and registered devices, the last in the container that alone may hold them."""
        others = self._request["others"]
        if any(item["kind"] == "device" for item in others):
            self._samdb.add({"dn": f"{DEVICE_CONTAINER},{self._base}", "objectClass": "msDS-DeviceContainer"})
        for item in others:
            dn = self._child(item["name"], item["ou"])
            self._dns[item["name"]] = dn
            self._samdb.add({"dn": dn, **_class_of(item["kind"], item["name"]), **item["attributes"]})

    def _add_account(self, account: dict[str, Any]) -> str:
        return self._add_user(account, account["password"])

    def _add_groups(self) -> None:
        for batch in _batches(self._request["groups"]):
            with _transaction(self._samdb):
                for group in batch:
                    self._dns[group["name"]] = self._add_group(group)
        with _transaction(self._samdb):
            for group in self._request["groups"]:
                self._add_members(self._dns[group["name"]], [self._dns[name] for name in group["members"]])

    def _add_group(self, group: dict[str, Any]) -> str:
        dn = self._child(group["name"], group["ou"])
        security_bit = SECURITY_ENABLED if group["security_enabled"] else 0
        self._samdb.add(
            {
                "dn": dn,
                "objectClass": "group",
                "sAMAccountName": group["sam_account_name"],
                "groupType": str(GROUP_TYPE[group["scope"]] + security_bit),
                **group["attributes"],
            }
        )
        return dn

    def _add_members(self, group: str, members: list[str]) -> None:
        if members:
            message = ldb.Message(ldb.Dn(self._samdb, group))
            message["member"] = ldb.MessageElement(members, ldb.FLAG_MOD_ADD, "member")
            self._samdb.modify(message)

    def _delegate(self, account: str) -> None:
        """Give the service account groups in the managed containers, and the restoring of groups, and nothing else."""
        found = self._samdb.search(base=account, scope=ldb.SCOPE_BASE, attrs=["objectSid"])[0]
        sid = str(ndr_unpack(security.dom_sid, found["objectSid"][0]))
        descriptors = sd_utils.SDUtils(self._samdb)
        places = {
            Place.CONTAINER: [f"{unit},{self._base}" for unit in self._request["managed_containers"]],
            Place.DOMAIN: [self._base],
            Place.DELETED: [f"CN=Deleted Objects,{self._base}"],
        }
        wanted = list(delegation.grants(sid, self._attribute_guids(), restore=True, units=False))
        with _transaction(self._samdb):
            for place, names in places.items():
                entries = "".join(delegation.sddl(grant.ace) for grant in wanted if grant.place is place)
                for name in names:
                    descriptors.dacl_append_aces(name, entries, controls=["show_deleted:1"])

    def _attribute_guids(self) -> dict[str, str]:
        wanted = (*WRITABLE_ATTRIBUTES, *RESTORED_ATTRIBUTES)
        names = "".join(f"(lDAPDisplayName={name})" for name in wanted)
        found = self._samdb.search(
            base=str(self._samdb.get_schema_basedn()),
            expression=f"(|{names})",
            attrs=["lDAPDisplayName", "schemaIDGUID"],
        )
        # A schema from before 2016 is there to show how its lack of the anchor is told.
        if len(found) != len(wanted) and self._request["base_schema"] == "2016":
            raise LookupError("the schema lacks some of: " + ", ".join(wanted))
        guids = {str(entry["lDAPDisplayName"][0]): bytes(entry["schemaIDGUID"][0]) for entry in found}
        return {name: str(uuid.UUID(bytes_le=raw)) for name, raw in sorted(guids.items())}

    def _dn_of_administrator(self) -> str:
        sid = f"{self._samdb.get_domain_sid()}-500"
        return str(self._samdb.search(expression=f"(objectSid={sid})", attrs=["cn"])[0].dn)

    def _identifiers(self) -> dict[str, dict[str, str]]:
        attributes = ["objectGUID", "objectSid", "sAMAccountName", "userPrincipalName"]
        others = {item["name"] for item in self._request["others"]}
        names = {dn.lower(): name for name, dn in self._dns.items() if name not in others}
        found = self._samdb.search(
            base=self._base,
            scope=ldb.SCOPE_SUBTREE,
            expression="(|(objectClass=user)(objectClass=group))",
            attrs=attributes,
        )
        return {
            names[str(entry.dn).lower()]: {
                "dn": str(entry.dn),
                "guid": str(uuid.UUID(bytes_le=bytes(entry["objectGUID"][0]))),
                "sid": str(ndr_unpack(security.dom_sid, entry["objectSid"][0])),
                "sam_account_name": str(entry["sAMAccountName"][0]),
                "user_principal_name": str(entry["userPrincipalName"][0]) if "userPrincipalName" in entry else "",
            }
            for entry in found
            if str(entry.dn).lower() in names
        }


def _crowds(users: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the users that differ in nothing but their names, where they are many."""
    alike: dict[str, list[dict[str, Any]]] = {}
    for user in users:
        if user["enabled"] and not user["sid_history"] and not user["attributes"]:
            alike.setdefault(user["ou"], []).append(user)
    return [crowd for crowd in alike.values() if len(crowd) > CROWD]


def _names_of(user: dict[str, Any]) -> dict[str, str]:
    """Return the attributes in which one plain user differs from another."""
    return {
        "cn": user["name"],
        "name": user["name"],
        "sAMAccountName": user["sam_account_name"],
        "userPrincipalName": user["user_principal_name"],
        "displayName": user["name"],
    }


def _class_of(kind: str, name: str) -> dict[str, Any]:
    """Return the class of an object and what it must have."""
    if kind == "computer":
        flags = str(WORKSTATION_TRUST_ACCOUNT)
        return {"objectClass": "computer", "sAMAccountName": f"{name[:15]}$", "userAccountControl": flags}
    if kind == "contact":
        return {"objectClass": "contact", "displayName": name}
    return {
        "objectClass": "msDS-Device",
        "displayName": name,
        "altSecurityIdentities": f"X509:<SHA1-TP-PUBKEY>{name}",
        "msDS-IsEnabled": "TRUE",
        "msDS-DeviceID": uuid.uuid4().bytes_le,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
