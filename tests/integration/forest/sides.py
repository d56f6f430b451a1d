# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain behind the policy proxy as the modules see it, and both sides of the proxy for the judge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.modules import objects
from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin

SCENARIOS = ROOT / "tests" / "lab" / "scenarios"


@contextmanager
def running(scenario: str, directory: Path, *, keep: bool = False) -> Iterator[tuple[Lab, EntraAdmin]]:
    """Give a lab and the emulator's back door; `keep` leaves it up at the end."""
    lab = Lab.up(SCENARIOS / scenario, directory, "auto")
    try:
        entra = lab.settings.entra
        assert entra is not None
        admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
        try:
            yield lab, admin
        finally:
            admin.close()
    finally:
        if not keep:
            lab.down()


class ForestTarget(Target):
    """A domain of a forest; its modules know the forest's global catalog unless a call says otherwise."""

    def catalog(self) -> dict[str, Any]:
        """Return the options that name the global catalog."""
        return {"global_catalog_server": self.forest.address, "global_catalog_port": self.forest.gc_port}

    def _call(
        self, module: str, names: tuple[str, ...], options: dict[str, Any], *, check: bool, diff: bool
    ) -> dict[str, Any]:
        known = self.catalog() if "domain_server" in names else {}
        return super()._call(module, names, {**known, **options}, check=check, diff=diff)

    def shown(self, cloud_id: str) -> set[str]:
        """Return the members of a cloud group's object as the forest shows them."""
        anchor = f"(msDS-ExternalDirectoryObjectId=Group_{cloud_id})"
        (entry,) = self.lab.ldapsearch(self.domain, self.forest.base_dn, anchor, "member", direct=False)
        return set(entry.get("member", ()))

    def stored(self, cloud_id: str) -> set[str]:
        """Return the same as the controller stores them: by SID where the member is in another domain."""
        return {name.removeprefix("CN=").partition(",")[0] for name in self.members(cloud_id)}

    def link_by_hand(self, cloud_id: str, *members: str) -> None:
        """Add members to a cloud group's object as administrator, through the proxy."""
        dn = self.entry(cloud_id)["dn"][0]
        values = "".join(f"member: {member}\n" for member in members)
        self.lab.ldapmodify(self.domain, f"dn: {dn}\nchangetype: modify\nadd: member\n{values}", direct=False)

    def sid(self, dn: str) -> str:
        """Return the SID of an object of this domain."""
        return objects.read(self, dn)["objectSid"][0]


# What a call is told so that it knows of no global catalog.
NO_CATALOG: dict[str, Any] = {"global_catalog_server": None, "global_catalog_port": None}
