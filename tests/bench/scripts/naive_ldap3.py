# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that people write: for each group a search, for each member a search by name and a modify.

It reads from standard input, as JSON: ``server``, its ``name``, ``ca_cert``, ``user``, ``password``, ``base`` and
``groups``, the account names of the members by that of the group.
"""

from __future__ import annotations

import json
import ssl
import sys

from ldap3 import MODIFY_ADD, Connection, Server, Tls
from ldap3.utils.conv import escape_filter_chars


def main() -> None:
    """Add the members that are missing."""
    given = json.load(sys.stdin)
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=given["ca_cert"], valid_names=[given["name"]])
    server = Server(given["server"], use_ssl=True, tls=tls)
    with Connection(server, given["user"], given["password"], auto_bind=True, raise_exceptions=True) as connection:

        def find(kind: str, name: str) -> tuple[str, set[str]]:
            text = f"(&(objectClass={kind})(sAMAccountName={escape_filter_chars(name)}))"
            connection.search(given["base"], text, attributes=["member"])
            entry = connection.entries[0]
            return entry.entry_dn, set(entry.member.values) if "member" in entry else set()

        for group, members in given["groups"].items():
            group_dn, present = find("group", group)
            for member in members:
                member_dn, _none = find("user", member)
                if member_dn not in present:
                    connection.modify(group_dn, {"member": [(MODIFY_ADD, [member_dn])]})


if __name__ == "__main__":
    main()
