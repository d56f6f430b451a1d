# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba AD domain controllers, one for each forest."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.lab import processes
from tests.lab.pki import CertificateFiles, write_private
from tests.lab.scenario import READER_ACCOUNT, SERVICE_ACCOUNT, DirectoryGroup, DirectoryUser, Forest
from tests.lab.settings import Account, ForestSettings

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = "/usr/sbin/samba"
CHECKOUT = Path(__file__).resolve().parents[3]
BUILDER = "tests.lab.samba.build_forest"
TEMPLATES = CHECKOUT / ".cache" / "samba"
PACKAGES = "samba samba-ad-dc samba-ad-provision samba-dsdb-modules winbind ldb-tools ldap-utils krb5-user"
NEEDED = (SERVER, "/usr/bin/ldapsearch", "/usr/bin/ldapmodify", "/usr/bin/kinit", "/usr/share/samba/setup/ad-schema")
LDAP_PORT, LDAPS_PORT, GC_TLS_PORT, KERBEROS_PORT = 389, 636, 3269, 88

SERVER_CONF = "server.conf"
SERVICES = "ldap, cldap, kdc"
# The protocol by which another controller fetches what was written runs over RPC.
REPLICATING_SERVICES = f"{SERVICES}, rpc"
SMB_CONF = """\
[global]
    workgroup = {netbios_name}
    realm = {realm}
    netbios name = {controller}
    server role = active directory domain controller
    server services = {services}
    bind interfaces only = yes
    interfaces = {address}/8
    ldap server require strong auth = allow_sasl_over_tls
    tls enabled = yes
    tls keyfile = {key}
    tls certfile = {certificate}
    tls cafile = {ca_cert}
    private dir = {root}private
    state directory = {root}state
    cache directory = {root}cache
    lock directory = {root}lock
    pid directory = {root}run
    ncalrpc dir = {root}ncalrpc
    max log size = 0
[sysvol]
    path = {root}state/sysvol
[netlogon]
    path = {root}state/sysvol/{domain}/scripts
"""

KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    default_ccache_name = FILE:{directory}/krb5cc
[realms]
    {realm} = {{
        kdc = {address}
        kpasswd_server = {address}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
    {address} = {realm}
"""


class DirectoryError(Exception):
    """A domain controller could not be built or started."""


@dataclass(frozen=True, slots=True)
class DirectoryIdentity:
    """What a directory gave out for one user or group."""

    dn: str
    guid: str
    sid: str
    sam_account_name: str
    user_principal_name: str


@dataclass(frozen=True, slots=True)
class BuiltForest:
    settings: ForestSettings
    directory: Path
    users: Mapping[str, DirectoryIdentity]
    groups: Mapping[str, DirectoryIdentity]


def require_samba() -> None:
    """Check that Samba and the client tools are installed.

    Raises:
        DirectoryError: a part is missing; the text is the command that installs it.
    """
    missing = [path for path in NEEDED if not Path(path).exists()]
    modules = subprocess.run([SYSTEM_PYTHON, "-c", "import samba.provision"], capture_output=True, check=False)
    if missing or modules.returncode:
        what = ", ".join(missing) or f"Samba's modules for {SYSTEM_PYTHON}"
        raise DirectoryError(f"the lab needs Samba and its tools ({what} not found): apt-get install -y {PACKAGES}")


def start_build(
    forest: Forest,
    address: str,
    directory: Path,
    certificate: CertificateFiles,
    ca_cert: Path,
    passwords: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Begin to provision and load a forest; several may be built at once."""
    make_folders(directory)
    values = {
        "controller": "DC1",
        "services": REPLICATING_SERVICES if forest.second_controller else SERVICES,
        "directory": directory,
        "domain": forest.domain,
        "realm": forest.domain.upper(),
        "netbios_name": forest.netbios_name,
        "address": address,
        "key": certificate.key,
        "certificate": certificate.certificate,
        "ca_cert": ca_cert,
    }
    (directory / "krb5.conf").write_text(KRB5_CONF.format_map(values), encoding="utf-8")
    request = build_request(forest, address, directory, SMB_CONF.format(root=f"{directory}/", **values), passwords)
    # The server runs in its directory: an absolute path may be too long for its Unix sockets.
    (directory / SERVER_CONF).write_text(SMB_CONF.format(root="", **values), encoding="utf-8")
    write_private(directory / "request.json", json.dumps(request).encode())
    with (directory / "build.log").open("wb") as log:
        return subprocess.Popen(
            [SYSTEM_PYTHON, "-m", BUILDER, str(directory / "request.json"), str(directory / "answer.json")],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # The service account's rights come from the collection's own table.
            env={**system_environment(directory), "PYTHONPATH": str(CHECKOUT / ".build")},
        )


def make_folders(directory: Path) -> None:
    """Make a controller's directory, with what its configuration names."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("run", "cache", "lock", "ncalrpc"):
        (directory / name).mkdir(exist_ok=True)


def build_request(
    forest: Forest, address: str, directory: Path, smb_conf: str, passwords: Mapping[str, str]
) -> dict[str, Any]:
    """Describe a forest to ``build_forest.py``."""
    accounts = {"service_account": SERVICE_ACCOUNT, "reader_account": READER_ACCOUNT}
    return {
        "directory": str(directory),
        "templates": str(TEMPLATES),
        "domain": forest.domain,
        "netbios_name": forest.netbios_name,
        "base_schema": forest.base_schema,
        "hostname": forest.fqdn.partition(".")[0],
        "smb_conf": smb_conf,
        "administrator_password": passwords["administrator"],
        # A client that knows the controller only by its address asks for a ticket in that name.
        "service_principal_names": [f"ldap/{forest.fqdn}", f"ldap/{address}"],
        "organizational_units": list(forest.organizational_units),
        "managed_containers": list(forest.managed_containers),
        "accounts": [
            {
                "role": role,
                "password": passwords[role],
                **_user(DirectoryUser(name=name, sam_account_name=name, ou="CN=Users"), forest.domain),
            }
            for role, name in accounts.items()
        ],
        "users": [_user(user, forest.domain) for user in forest.users],
        "others": [asdict(item) for item in forest.others],
        "groups": [_group(group) for group in forest.groups],
    }


def finish_build(
    forest: Forest, address: str, directory: Path, ca_cert: Path, passwords: Mapping[str, str], code: int
) -> BuiltForest:
    """Read what the build of a forest gave.

    Raises:
        DirectoryError: the build failed; its log says why.
    """
    if code:
        raise DirectoryError(f"building {forest.domain} failed\n{log_tail(directory / 'build.log')}")
    answer = json.loads((directory / "answer.json").read_text(encoding="utf-8"))
    identities = {name: DirectoryIdentity(**value) for name, value in answer["objects"].items()}
    names = {"administrator": "Administrator", "service_account": SERVICE_ACCOUNT, "reader_account": READER_ACCOUNT}
    accounts = {
        role: Account(f"{name}@{forest.domain}", answer["accounts"][role], passwords[role])
        for role, name in names.items()
    }
    for role, account in accounts.items():
        write_private(directory / f"{role}.password", account.password.encode())
    settings = ForestSettings(
        domain=forest.domain,
        netbios_name=forest.netbios_name,
        address=address,
        fqdn=forest.fqdn,
        base_dn=answer["base_dn"],
        domain_sid=answer["domain_sid"],
        ldap_port=LDAP_PORT,
        ldaps_port=LDAPS_PORT,
        gc_port=GC_TLS_PORT,
        ca_cert=str(ca_cert),
        krb5_conf=str(directory / "krb5.conf"),
        administrator=accounts["administrator"],
        service_account=accounts["service_account"],
        reader_account=accounts["reader_account"],
        managed_containers=answer["managed_containers"],
        direct_address=address,
    )
    return BuiltForest(
        settings=settings,
        directory=directory,
        users={user.name: identities[user.name] for user in forest.users},
        groups={group.name: identities[group.name] for group in forest.groups},
    )


def start_server(forest: BuiltForest, log: Path, *, prefork: bool = False) -> processes.BackgroundProcess:
    """Start the domain controller of a built forest in the background."""
    name, directory = f"samba {forest.settings.domain}", forest.directory
    return run_server(name, directory, forest.settings.krb5_conf, log, prefork=prefork)


def run_server(
    name: str, directory: Path, krb5_conf: str, log: Path, *, prefork: bool = False
) -> processes.BackgroundProcess:
    """Start the controller whose files are in a directory, in one process or in Samba's own way, in several."""
    model = "prefork" if prefork else "single"
    smb_conf = directory / SERVER_CONF
    command = [SERVER, "-s", str(smb_conf), "-F", "--no-process-group", "-M", model, "--debug-stdout"]
    return processes.start(name, command, log, directory=directory, environment={"KRB5_CONFIG": krb5_conf})


def is_ready(settings: ForestSettings, address: str | None = None) -> bool:
    """Tell whether LDAPS, the global catalog (both with a good certificate) and Kerberos answer."""
    address = address or settings.direct_address
    context = ssl.create_default_context(cafile=settings.ca_cert)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        for port in (settings.ldaps_port, settings.gc_port):
            with (
                socket.create_connection((address, port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=address),
            ):
                pass
        socket.create_connection((address, KERBEROS_PORT), timeout=5).close()
    except ssl.SSLCertVerificationError as error:
        raise DirectoryError(f"{settings.domain} at {address} shows a bad certificate: {error}") from error
    except OSError:
        return False
    return True


def log_tail(path: Path, lines: int = 25) -> str:
    """Give the last lines of a log."""
    if not path.exists():
        return f"({path} was not written)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def system_environment(directory: Path) -> dict[str, str]:
    # The caller's virtual environment must not reach the system's Python.
    kept = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    return {**kept, "KRB5_CONFIG": str(directory / "krb5.conf")}


def _user(user: DirectoryUser, domain: str) -> dict[str, Any]:
    return {
        "name": user.name,
        "sam_account_name": user.sam_account_name,
        "user_principal_name": f"{user.sam_account_name}@{domain}",
        "ou": user.ou,
        "enabled": user.enabled,
        "sid_history": list(user.sid_history),
        "attributes": dict(user.attributes),
    }


def _group(group: DirectoryGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "sam_account_name": group.sam_account_name,
        "ou": group.ou,
        "scope": group.scope,
        "security_enabled": group.security_enabled,
        "members": list(group.members),
        "attributes": dict(group.attributes),
    }
