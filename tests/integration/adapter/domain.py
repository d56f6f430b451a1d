# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab's domain as the adapter reaches it, and OpenLDAP's tools beside it as judge."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import ConnectionSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.identity import anchor_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, Values
from tests.lab.api import Lab
from tests.lab.scenario import object_id

DOMAIN = "contoso.com"
UNIVERSAL = "-2147483640"
MAPPED = ("displayName", "description", "info")
_NUMBERS = itertools.count(1)


@dataclass
class Domain:
    """The tutorial's domain."""

    lab: Lab
    _open: list[Session] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.lab.forest(DOMAIN).base_dn

    @property
    def managed(self) -> str:
        return f"OU=Groups,{self.base}"

    def session(self, role: str = "service_account", port: int | None = None, username: str = "") -> Session:
        """Log on; the connection ends with the test."""
        forest = self.lab.forest(DOMAIN)
        account = forest.account(role)
        settings = ConnectionSettings(
            forest.address, username or account.username, account.password, port, ca_cert=forest.ca_cert
        )
        self._open.append(Session.opened(settings))
        return self._open[-1]

    def reader(self, role: str = "service_account", *, catalog: bool = False) -> Reader:
        port = self.lab.forest(DOMAIN).gc_port
        opener = (lambda: self.session(role, port)) if catalog else None
        return Reader(self.session(role), self.lab.forest(DOMAIN).managed_containers, MAPPED, opener)

    def writer(self, role: str = "service_account") -> Writer:
        return Writer(self.session(role))

    def close(self) -> None:
        for session in self._open:
            session.close()
        self._open.clear()

    def new_name(self) -> str:
        """Return a name that no group of this process has."""
        return f"Adapter {next(_NUMBERS)}"

    def create(self, **attributes: Values) -> DirectoryGroup:
        """Create an anchored group as the service account; the anchor's id follows from the name."""
        name = self.new_name()
        anchor = anchor_of(object_id(name))
        usual: dict[str, Values] = {
            "sAMAccountName": (name,),
            "groupType": (UNIVERSAL,),
            "displayName": (name,),
            "adminDescription": (anchor,),
            ANCHOR: (anchor,),
        }
        return self.writer().create(f"CN={name},{self.managed}", {**usual, **attributes})

    def search(self, guid: str, *attributes: str, show_deleted: bool = False) -> dict[str, list[str]]:
        """Return an object as ldapsearch shows it to the administrator, by objectGUID."""
        base = f"<GUID={guid}>"
        found = self.lab.ldapsearch(
            DOMAIN, base, "(objectClass=*)", *attributes, scope="base", show_deleted=show_deleted
        )
        assert len(found) == 1
        return found[0]

    def person(self, name: str) -> dict[str, list[str]]:
        """Return one of the scenario's people."""
        (found,) = self.lab.ldapsearch(DOMAIN, f"OU=People,{self.base}", f"(cn={name})")
        return found

    def modify(self, dn: str, change: str) -> None:
        """Modify an object as administrator, by lines of LDIF."""
        self.lab.ldapmodify(DOMAIN, f"dn: {dn}\nchangetype: modify\n{change}\n")

    def add_group(self, dn: str) -> str:
        """Create a group as administrator and return its objectGUID."""
        name = dn.partition(",")[0].removeprefix("CN=")
        ldif = f"dn: {dn}\nchangetype: add\nobjectClass: group\ngroupType: {UNIVERSAL}\nsAMAccountName: {name}\n"
        self.lab.ldapmodify(DOMAIN, ldif)
        (found,) = self.lab.ldapsearch(DOMAIN, dn, "(objectClass=*)", "objectGUID", scope="base")
        return found["objectGUID"][0]

    def forbid(self, dn: str, entry: str) -> None:
        """Put an entry, in SDDL, into an object's access control list."""
        arguments = ["-s", "server.conf", "-H", "private/sam.ldb", f"--objectdn={dn}", f"--sddl={entry}"]
        subprocess.run(["samba-tool", "dsacl", "set", *arguments], cwd=self.directory, check=True, capture_output=True)

    @property
    def directory(self) -> Path:
        return Path(self.lab.settings.dir) / "forests" / DOMAIN


@contextmanager
def domain_of(lab: Lab) -> Iterator[Domain]:
    """Give the domain of a lab; its connections end with the context."""
    domain = Domain(lab)
    try:
        yield domain
    finally:
        domain.close()
