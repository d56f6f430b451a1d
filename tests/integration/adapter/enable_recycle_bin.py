# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switch the Recycle Bin of a forest on, which Samba lets nobody do over LDAP.

Run by the system's Python, which owns Samba's modules, in the forest's directory: ``enable_recycle_bin.py``.
"""

from __future__ import annotations

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

RECYCLE_BIN = "766ddcd8-acd0-445e-f3b9-a7f9b6744f2a"


def main() -> None:
    settings = LoadParm()
    settings.load("server.conf")
    samdb = SamDB(url="private/sam.ldb", session_info=system_session(), lp=settings)
    message = ldb.Message()
    message.dn = ldb.Dn(samdb, "")
    value = f"CN=Partitions,{samdb.get_config_basedn()}:{RECYCLE_BIN}"
    message["enableOptionalFeature"] = ldb.MessageElement(value, ldb.FLAG_MOD_ADD, "enableOptionalFeature")
    samdb.modify(message)


if __name__ == "__main__":
    main()
