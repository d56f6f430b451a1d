# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second domain controller of a domain, and the replication between the two, which happens on command only."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

from tests.lab import processes
from tests.lab.pki import CertificateFiles
from tests.lab.samba.controller import (
    REPLICATING_SERVICES,
    SERVER_CONF,
    SMB_CONF,
    BuiltForest,
    DirectoryError,
    log_tail,
    make_folders,
    run_server,
    system_environment,
)
from tests.lab.scenario import Forest
from tests.lab.settings import ForestSettings, SecondController

TOOL = "/usr/bin/samba-tool"
NAMES = ("DC1", "DC2")
TIMEOUT = 300.0


def join(forest: Forest, first: BuiltForest, address: str, certificate: CertificateFiles) -> BuiltForest:
    """Join a second controller to the domain of the first, which runs.

    Raises:
        DirectoryError: the join failed; its log says why.
    """
    directory = first.directory.with_name(f"{forest.domain}.second")
    make_folders(directory)
    settings = replace(first.settings, second=SecondController(address, forest.second_fqdn, str(directory)))
    server = first.settings.direct_address
    command = [
        *(TOOL, "domain", "join", forest.domain, "DC", f"--server={server}", f"--targetdir={directory}"),
        *("--dns-backend=NONE", f"--realm={forest.domain.upper()}", "-W", forest.netbios_name, "-U", "Administrator"),
        *(f"--option=netbios name={NAMES[1]}", f"--option=interfaces={address}/8"),
        "--option=bind interfaces only=yes",
    ]
    log = directory / "join.log"
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(first.settings),
            timeout=TIMEOUT,
            check=False,
        )
    if done.returncode:
        raise DirectoryError(f"joining a second controller to {forest.domain} failed\n{log_tail(log)}")
    configuration = SMB_CONF.format(
        root="",
        controller=NAMES[1],
        services=REPLICATING_SERVICES,
        domain=forest.domain,
        realm=forest.domain.upper(),
        netbios_name=forest.netbios_name,
        address=address,
        key=certificate.key,
        certificate=certificate.certificate,
        ca_cert=first.settings.ca_cert,
    )
    (directory / SERVER_CONF).write_text(configuration, encoding="utf-8")
    return replace(first, settings=settings)


def start_server(forest: BuiltForest, log: Path) -> processes.BackgroundProcess:
    """Start the second controller in the background."""
    second = _second(forest.settings)
    return run_server(f"samba {second.fqdn}", Path(second.directory), forest.settings.krb5_conf, log)


def replicate(settings: ForestSettings, *, to_second: bool) -> None:
    """Bring what was written on one controller to the other.

    Raises:
        ValueError: there is only one.
        DirectoryError: it failed.
    """
    second = _second(settings)
    directories = (Path(settings.krb5_conf).parent, Path(second.directory))
    source = settings.direct_address if to_second else second.address
    command = [
        *(TOOL, "drs", "replicate", "--local", NAMES[to_second], source, settings.base_dn),
        *("-s", SERVER_CONF, "-W", settings.netbios_name, "-U", "Administrator"),
    ]
    done = subprocess.run(
        command,
        cwd=directories[to_second],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=_environment(settings),
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise DirectoryError(f"replicating {settings.domain} failed: {done.stderr.decode(errors='replace')}")


def _second(settings: ForestSettings) -> SecondController:
    if settings.second is None:
        raise ValueError(f"the scenario does not say 'second_controller: true' of {settings.domain}")
    return settings.second


def _environment(settings: ForestSettings) -> dict[str, str]:
    directory = Path(settings.krb5_conf).parent
    # Samba's tools read the password of -U from here; on the command line everybody could read it.
    return {**system_environment(directory), "PASSWD_FILE": str(directory / "administrator.password")}
