# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change what no server lets anybody change over LDAP, or not so easily: an object's descriptor, its SID history.

Run by the system's Python, which owns Samba's modules, in the directory of a forest, whose server may run:
``descriptors.py DN aces SDDL``, ``descriptors.py DN owner SID``, ``descriptors.py DN history SID`` or
``descriptors.py DN protect yes``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ldb
from samba import sd_utils
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.param import LoadParm
from samba.samdb import SamDB


def main(dn: str, what: str, value: str) -> None:
    """Append access control entries, set the owner, add to the SID history, or let a list inherit nothing."""
    here = Path.cwd()
    parameters = LoadParm()
    parameters.load(str(here / "server.conf"))
    database = SamDB(url=str(here / "private" / "sam.ldb"), session_info=system_session(parameters), lp=parameters)
    if what == "history":
        message = ldb.Message(ldb.Dn(database, dn))
        message["sIDHistory"] = ldb.MessageElement(ndr_pack(security.dom_sid(value)), ldb.FLAG_MOD_ADD, "sIDHistory")
        database.modify(message, controls=["relax:0", "provision:0"])
        return
    descriptors = sd_utils.SDUtils(database)
    if what == "aces":
        descriptors.dacl_append_aces(dn, value)
        return
    descriptor = descriptors.read_sd_on_dn(dn)
    if what == "protect":
        descriptor.type |= security.SEC_DESC_DACL_PROTECTED
    else:
        descriptor.owner_sid = security.dom_sid(value)
    descriptors.modify_sd_on_dn(dn, descriptor)


if __name__ == "__main__":
    main(*sys.argv[1:])
