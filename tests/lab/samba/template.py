# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Empty domains, provisioned once for each name and schema and copied from then on.

Provisioning takes most of the time of a lab's start, and gives the same domain each time but for its SID. Run by the
system's Python, as ``build_forest.py`` is.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import samba
from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB
from samba.schema import Schema

WINDOWS_2016_SCHEMA = ("AD_DS_Attributes__Windows_Server_2016.ldf", "AD_DS_Classes__Windows_Server_2016.ldf", 87)
ADMINISTRATOR = "(sAMAccountName=Administrator)"
_NAMING = ("domain", "netbios_name", "hostname", "base_schema")
_COPIED = ("private", "state")
# Nothing of it is kept: without DNS, no address stands in an empty domain.
_NOWHERE = "127.0.0.1"


def provisioned(request: Mapping[str, Any]) -> Any:
    """Put an empty domain into the request's directory and return its settings as Samba reads them."""
    directory = Path(request["directory"])
    template = _template(request)
    for name in _COPIED:
        shutil.copytree(template / name, directory / name)
    settings = _configured(directory, request["smb_conf"])
    database = SamDB(url=str(directory / "private" / "sam.ldb"), session_info=system_session(), lp=settings)
    database.setpassword(ADMINISTRATOR, request["administrator_password"])
    return settings


def _template(request: Mapping[str, Any]) -> Path:
    """Return the folder of an empty domain, which is made when it is missing; others that want it wait meanwhile."""
    naming = {name: request[name] for name in _NAMING}
    key = json.dumps([naming, samba.version, Path(__file__).read_text(encoding="utf-8")])
    folder = Path(request["templates"]) / hashlib.sha256(key.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            # Renamed when it is whole, so that one cut short is never copied.
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as making:
                _provision(Path(making) / "domain", naming)
                (Path(making) / "domain").rename(folder)
    return folder


def _provision(directory: Path, naming: Mapping[str, str]) -> None:
    directory.mkdir(0o700)
    # Samba before 4.19 ships the 2016 schema but does not list it.
    Schema.base_schemas.setdefault("2016", WINDOWS_2016_SCHEMA)
    provision(
        logging.getLogger("provision"),
        system_session(),
        targetdir=str(directory),
        realm=naming["domain"].upper(),
        domain=naming["netbios_name"],
        hostname=naming["hostname"],
        hostip=_NOWHERE,
        # Each copy gets a password of its own.
        adminpass=f"{secrets.token_urlsafe(18)}-aA1",
        dns_backend="NONE",
        serverrole="active directory domain controller",
        dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2,
        base_schema=naming["base_schema"],
        lp=LoadParm(),
        skip_sysvolacl=True,
        batch_mode=True,
    )


def _configured(directory: Path, text: str) -> Any:
    smb_conf = directory / "etc" / "smb.conf"
    smb_conf.parent.mkdir(parents=True, exist_ok=True)
    smb_conf.write_text(text, encoding="utf-8")
    settings = LoadParm()
    settings.load(str(smb_conf))
    return settings
