# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for tests, and the OpenLDAP tools as judge of what a directory holds."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.lab import lifecycle
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.samba.controller import SYSTEM_PYTHON
from tests.lab.samba.second import replicate
from tests.lab.settings import ForestSettings, LabSettings

SHOW_DELETED = "!1.2.840.113556.1.4.417"
TOOL_TIMEOUT = 120.0


class LdapToolError(Exception):
    """An OpenLDAP tool failed; ``code`` is its exit status, which is the LDAP result code (255: no connection)."""

    def __init__(self, tool: str, code: int, message: str) -> None:
        super().__init__(f"{tool} failed with {code}: {message.strip()}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab."""

    settings: LabSettings

    @classmethod
    def up(cls, scenario: Path, directory: Path, address_base: str | None = None) -> Lab:
        """Start a lab, or take the one of the same scenario that runs there; see :func:`tests.lab.lifecycle.up`."""
        return cls(lifecycle.up(scenario, directory, address_base)[0])

    def down(self, *, wipe: bool = False) -> None:
        """End the lab's processes; with ``wipe`` remove its directory too."""
        lifecycle.down(Path(self.settings.dir), wipe=wipe)

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def forest(self, domain: str) -> ForestSettings:
        """Find the settings of a forest by its domain name."""
        return self.settings.forests[domain]

    def ldapsearch(
        self,
        forest: str,
        base: str,
        filter_text: str,
        *attributes: str,
        scope: str = "sub",
        account: str = "administrator",
        show_deleted: bool = False,
        direct: bool = True,
        second: bool = False,
    ) -> list[dict[str, list[str]]]:
        """Search with OpenLDAP's ldapsearch over LDAPS.

        Args:
            forest: domain name of the forest.
            base: base DN.
            filter_text: an RFC 4515 filter.
            attributes: names to return; none for all user attributes.
            scope: ``base``, ``one`` or ``sub``.
            account: ``administrator``, ``service_account`` or ``reader_account``.
            show_deleted: whether tombstones are found too.
            direct: whether the domain controller is asked itself where a policy proxy stands before it.
            second: whether the second controller is asked.

        Returns:
            One mapping for each entry, with the key ``dn``. objectGUID comes as a dashed UUID, objectSid as ``S-1-…``,
            other values as text, or as base64 where they are no UTF-8.

        Raises:
            LdapToolError: the search failed.
        """
        options = ["-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope]
        controls = ["-E", SHOW_DELETED] if show_deleted else []
        arguments = [*options, *controls, filter_text, *attributes]
        return parse_ldif(self._run("ldapsearch", forest, account, arguments, direct=direct, second=second))

    def ldapmodify(
        self,
        forest: str,
        ldif: str,
        *,
        account: str = "administrator",
        show_deleted: bool = False,
        direct: bool = True,
        second: bool = False,
    ) -> None:
        """Apply change records with OpenLDAP's ldapmodify; the arguments are those of :meth:`ldapsearch`.

        Raises:
            LdapToolError: a record was refused; the ones before it are applied.
        """
        controls = ["-e", SHOW_DELETED] if show_deleted else []
        self._run("ldapmodify", forest, account, controls, ldif, direct=direct, second=second)

    def replicate(self, forest: str, *, to_second: bool) -> None:
        """Bring what was written on one of a domain's two controllers to the other; nothing else does."""
        replicate(self.forest(forest), to_second=to_second)

    def policy(self, forest: str) -> PolicyAdmin:
        """Connect to the control channel of a forest's policy proxy.

        Raises:
            ValueError: the forest has none.
        """
        settings = self.forest(forest).policy
        if settings is None:
            raise ValueError(f"the scenario does not say 'policy: true' of {forest}")
        return PolicyAdmin(settings)

    def usn_changed(self, forest: str, containers: Iterable[str]) -> dict[str, int]:
        """Map objectGUID to uSNChanged of every object in the containers: equal maps mean that nothing was written."""
        return {
            entry["objectGUID"][0]: int(entry["uSNChanged"][0])
            for container in containers
            for entry in self.ldapsearch(forest, container, "(objectClass=*)", "objectGUID", "uSNChanged")
        }

    def append_aces(self, forest: str, dn: str, sddl: str) -> None:
        """Append access control entries, in SDDL, to those of an object."""
        self._change_descriptor(forest, dn, "aces", sddl)

    def set_owner(self, forest: str, dn: str, sid: str) -> None:
        """Give an object another owner, as if that account had created it."""
        self._change_descriptor(forest, dn, "owner", sid)

    def protect_list(self, forest: str, dn: str) -> None:
        """Let the access control list of an object inherit nothing."""
        self._change_descriptor(forest, dn, "protect", "yes")

    def add_sid_history(self, forest: str, dn: str, sid: str) -> None:
        """Add a SID to those that an account had before, as a migration of domains does."""
        self._change_descriptor(forest, dn, "history", sid)

    def write_links(self, forest: str, members: Mapping[str, Iterable[str]]) -> None:
        """Fill empty groups without LDAP, a thousand times as fast.

        Args:
            forest: domain name of the forest.
            members: DNs of users and groups by the DN of the group that they become members of.
        """
        script = Path(__file__).parent / "samba" / "links.py"
        subprocess.run(
            [SYSTEM_PYTHON, str(script)],
            cwd=Path(self.forest(forest).krb5_conf).parent,
            input=json.dumps({group: list(names) for group, names in members.items()}).encode(),
            check=True,
            capture_output=True,
        )

    def _change_descriptor(self, forest: str, *arguments: str) -> None:
        script = Path(__file__).parent / "samba" / "descriptors.py"
        directory = Path(self.forest(forest).krb5_conf).parent
        subprocess.run(
            [SYSTEM_PYTHON, str(script), *arguments],
            cwd=directory,
            check=True,
            capture_output=True,
            timeout=TOOL_TIMEOUT,
        )

    def _run(
        self,
        tool: str,
        forest: str,
        account: str,
        arguments: list[str],
        text: str = "",
        *,
        direct: bool,
        second: bool = False,
    ) -> str:
        settings = self.forest(forest)
        address = settings.direct_address if direct else settings.address
        if second and settings.second is not None:
            address = settings.second.address
        password_file = Path(settings.krb5_conf).with_name(f"{account}.password")
        url = f"ldaps://{address}:{settings.ldaps_port}"
        bind = ["-x", "-H", url, "-D", settings.account(account).dn, "-y", str(password_file)]
        result = subprocess.run(
            [tool, *bind, *arguments],
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=TOOL_TIMEOUT,
            env={**os.environ, "LDAPTLS_CACERT": settings.ca_cert, "LDAPTLS_REQCERT": "demand"},
        )
        if result.returncode:
            raise LdapToolError(tool, result.returncode, result.stderr.decode(errors="replace"))
        return result.stdout.decode("utf-8")


def parse_ldif(text: str) -> list[dict[str, list[str]]]:
    """Read unwrapped LDIF content records (RFC 2849) as ldapsearch prints them; referrals are left out."""
    entries = []
    for block in text.split("\n\n"):
        entry: dict[str, list[str]] = {}
        for line in block.splitlines():
            if line.startswith("#") or ":" not in line:
                continue
            name, value = line.split(":", 1)
            decoded = _decode(name, value[1:].strip()) if value.startswith(":") else value.removeprefix(" ")
            entry.setdefault(name, []).append(decoded)
        if "dn" in entry:
            entries.append(entry)
    return entries


def _decode(name: str, encoded: str) -> str:
    raw = base64.b64decode(encoded)
    if decoder := _BINARY.get(name.lower()):
        return decoder(raw)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return encoded


def _guid_text(raw: bytes) -> str:
    return str(uuid.UUID(bytes_le=raw))


def _sid_text(raw: bytes) -> str:
    """Format a SID (MS-DTYP 2.4.2.2): a big-endian authority, little-endian sub-authorities."""
    parts = [int.from_bytes(raw[offset : offset + 4], "little") for offset in range(8, len(raw), 4)]
    return "-".join(map(str, ("S", raw[0], int.from_bytes(raw[2:8], "big"), *parts)))


_BINARY: Mapping[str, Callable[[bytes], str]] = {
    "objectguid": _guid_text,
    "objectsid": _sid_text,
    "tokengroups": _sid_text,
}
