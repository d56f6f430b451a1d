# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a lab up and down."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab import processes
from tests.lab.addresses import ENTRA_PORT, Addresses, Reservation, pick_addresses
from tests.lab.pki import CertificateAuthority, CertificateFiles, write_private
from tests.lab.policy.config import config_text
from tests.lab.policy.site_settings import policy_domain, proxied
from tests.lab.samba import controller, second
from tests.lab.scenario import Forest, Scenario, Tenant
from tests.lab.scenario_file import load_scenario
from tests.lab.settings import ApplicationSettings, EntraSettings, LabSettings
from tests.lab.state import (
    LabState,
    StateError,
    empty_directory,
    forget_state,
    locked,
    mark_as_lab,
    read_state,
    write_state,
)
from tests.lab.tenant import application_content, tenant_content

CHECKOUT = Path(__file__).resolve().parents[2]
# The emulator reads a tenant of a million links first.
READY_TIMEOUT = 300.0
BUILD_TIMEOUT = 900.0
POLL = 0.05
ROLES = ("administrator", "service_account", "reader_account")


class LabError(Exception):
    """The lab could not be started or ended; the text says why."""


def up(scenario_file: Path, directory: Path, address_base: str | None = None) -> tuple[LabSettings, bool]:
    """Start a lab, or find it running.

    Args:
        scenario_file: what the lab holds.
        directory: where its files go; made if missing, emptied if an earlier lab left files.
        address_base: network of all its addresses, such as ``127.0.30.0`` or ``auto``, in place of the scenario's.

    Returns:
        The lab's settings, and whether this call started it.

    Raises:
        ScenarioError, AddressError, DirectoryError, StateError, LabError: with a sentence for the user. Whatever had
            been started is ended again.
    """
    directory = directory.resolve()
    scenario = load_scenario(scenario_file)
    digest = hashlib.sha256(scenario_file.read_bytes() + (address_base or "").encode()).hexdigest()
    with locked(directory):
        state = read_state(directory)
        if state is not None and state.settings is not None and state.is_whole():
            if state.digest != digest:
                raise StateError(
                    f"another scenario ({state.settings.scenario}) runs in {directory}; take it down first"
                )
            return state.settings, False
        if scenario.forests:
            controller.require_samba()
        if state is not None:
            _stop_all(state)
        empty_directory(directory)
        mark_as_lab(directory)
        with Reservation() as reservation:
            addresses = pick_addresses(scenario, directory, address_base, reservation)
            starter = _Starter(scenario, directory, addresses, digest)
            return starter.run(str(scenario_file.resolve())), True


def down(directory: Path, *, wipe: bool = False) -> bool:
    """End exactly the processes that :func:`up` started; return whether there was a lab.

    Raises:
        StateError: another command is at work there, or ``wipe`` meets a directory that holds no lab.
        TimeoutError: a process survived.
    """
    directory = directory.resolve()
    if not directory.is_dir():
        return False
    with locked(directory):
        state = read_state(directory)
        if state is not None:
            _stop_all(state)
            forget_state(directory)
        if wipe:
            empty_directory(directory)
            shutil.rmtree(directory)
    return state is not None


def _stop_all(state: LabState) -> None:
    for process in reversed(state.processes):
        processes.stop(process)


@dataclass(frozen=True, slots=True)
class _Site:
    """One forest before it is built."""

    forest: Forest
    address: str
    directory: Path
    passwords: dict[str, str]


class _Starter:
    def __init__(self, scenario: Scenario, directory: Path, addresses: Addresses, digest: str) -> None:
        self._scenario = scenario
        self._directory = directory
        self._addresses = addresses
        self._digest = digest
        self._logs = directory / "logs"
        self._started: list[processes.BackgroundProcess] = []
        self._builds: list[subprocess.Popen[bytes]] = []

    def run(self, scenario_name: str) -> LabSettings:
        try:
            self._logs.mkdir()
            self._authority = CertificateAuthority(self._directory / "pki")
            forests = self._start_policy(self._start_forests())
            settings = LabSettings(
                dir=str(self._directory),
                scenario=scenario_name,
                ca_cert=str(self._authority.certificate_file),
                entra=self._start_entra(self._scenario.tenant, forests) if self._scenario.tenant else None,
                forests={domain: built.settings for domain, built in forests.items()},
            )
            self._record(settings)
        except BaseException:
            self._clean_up()
            raise
        return settings

    def _record(self, settings: LabSettings | None = None) -> None:
        write_state(self._directory, LabState(self._digest, settings, tuple(self._started)))

    def _clean_up(self) -> None:
        for build in self._builds:
            if build.poll() is None:
                build.kill()
                build.wait()
        for process in reversed(self._started):
            processes.stop(process)
        forget_state(self._directory)

    def _start_forests(self) -> dict[str, controller.BuiltForest]:
        ca_cert = self._authority.certificate_file
        sites = [
            _Site(
                forest=forest,
                address=self._addresses.controller(forest.domain),
                directory=self._directory / "forests" / forest.domain,
                passwords={role: _password() for role in ROLES},
            )
            for forest in self._scenario.forests
        ]
        for site in sites:
            # The name of the domain stands in the certificate of each controller, as Windows' template has it.
            fqdn, domain = site.forest.fqdn, site.forest.domain
            certificate = self._authority.issue_server(fqdn, fqdn, site.address, domain)
            self._builds.append(
                controller.start_build(site.forest, site.address, site.directory, certificate, ca_cert, site.passwords)
            )
        built = {}
        for site, build in zip(sites, self._builds, strict=True):
            forest = controller.finish_build(
                site.forest, site.address, site.directory, ca_cert, site.passwords, build.wait(BUILD_TIMEOUT)
            )
            log = self._logs / f"samba-{site.forest.domain}.log"
            self._add(controller.start_server(forest, log, prefork=site.forest.prefork))
            built[site.forest.domain] = forest
        servers = list(self._started)
        for forest, server in zip(built.values(), servers, strict=True):
            self._wait(server, partial(controller.is_ready, forest.settings))
        for site in sites:
            if site.forest.second_controller:
                built[site.forest.domain] = self._join_second(site.forest, built[site.forest.domain])
        return built

    def _join_second(self, forest: Forest, first: controller.BuiltForest) -> controller.BuiltForest:
        address, fqdn = self._addresses.second[forest.domain], forest.second_fqdn
        certificate = self._authority.issue_server(fqdn, fqdn, address, forest.domain)
        joined = second.join(forest, first, address, certificate)
        self._add(second.start_server(joined, self._logs / f"samba-{fqdn}.log"))
        self._wait(self._started[-1], partial(controller.is_ready, joined.settings, address))
        return joined

    def _start_policy(self, built: dict[str, controller.BuiltForest]) -> dict[str, controller.BuiltForest]:
        """Put the policy proxy before the forests that want it, one process for all, and return how they look then."""
        shown = {
            domain: proxied(forest, self._addresses.forests[domain], self._scenario.one_forest)
            for domain, forest in built.items()
            if domain in self._addresses.hidden
        }
        if not shown:
            return built
        domains = {
            name: policy_domain(
                forest.settings,
                self._authority.issue_server(f"policy-{name}", forest.settings.fqdn, forest.settings.address),
            )
            for name, forest in shown.items()
        }
        config_file, output = self._directory / "policy.json", self._logs / "policy.out"
        write_private(config_file, config_text(domains).encode())
        # ldap3 2.9.1 uses names that pyasn1 deprecates.
        python = [sys.executable, "-W", "ignore::DeprecationWarning"]
        server = processes.start(
            "policy proxy",
            [*python, "-m", "tests.lab.policy", "--config", str(config_file)],
            self._logs / "policy.log",
            directory=CHECKOUT,
            output=output,
            # Tests may put another ldap3 on the path; the proxy keeps the environment's own.
            environment={"PYTHONPATH": ""},
        )
        self._add(server)
        self._wait(server, lambda: "ready" in output.read_text(encoding="utf-8"))
        return {**built, **shown}

    def _start_entra(self, tenant: Tenant, forests: dict[str, controller.BuiltForest]) -> EntraSettings:
        address = str(self._addresses.entra)
        url = f"https://{address}:{ENTRA_PORT}"
        directory = self._directory / "entra"
        directory.mkdir()
        files = self._authority.issue_server("entra", "entra.lab.invalid", address)
        admin_key = secrets.token_urlsafe(24)
        applications, contents = self._applications(tenant)
        config = {
            **_server_content(address, files, directory / "state.sqlite3", admin_key),
            **tenant_content(tenant, forests),
            "applications": contents,
        }
        config_file = directory / "config.json"
        write_private(config_file, json.dumps(config, indent=1).encode())
        output = self._logs / "entra.out"
        server = processes.start(
            "entra emulator",
            [sys.executable, "-m", "tests.lab.entra", "--config", str(config_file)],
            self._logs / "entra.log",
            directory=CHECKOUT,
            output=output,
            environment={},
        )
        self._add(server)
        self._wait(server, lambda: "ready https://" in output.read_text(encoding="utf-8"))
        return EntraSettings(
            login_url=url,
            graph_url=url,
            tenant_id=tenant.id,
            admin_url=url,
            admin_key=admin_key,
            ca_cert=str(self._authority.certificate_file),
            applications=applications,
        )

    def _applications(self, tenant: Tenant) -> tuple[dict[str, ApplicationSettings], list[dict[str, object]]]:
        settings: dict[str, ApplicationSettings] = {}
        contents: list[dict[str, object]] = []
        for application in tenant.applications:
            secret = _password() if application.secret else None
            path, certificate = (
                self._authority.issue_client(application.name) if application.certificate else (None, None)
            )
            settings[application.name] = ApplicationSettings(application.id, secret, str(path) if path else None)
            contents.append(application_content(application, secret, certificate))
        return settings, contents

    def _add(self, process: processes.BackgroundProcess) -> None:
        self._started.append(process)
        self._record()

    def _wait(self, process: processes.BackgroundProcess, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline:
            if not processes.is_running(process):
                raise LabError(f"{process.name} ended before it was ready\n{controller.log_tail(Path(process.log))}")
            if is_ready():
                return
            time.sleep(POLL)
        tail = controller.log_tail(Path(process.log))
        raise LabError(f"{process.name} was not ready within {READY_TIMEOUT:.0f} seconds\n{tail}")


def _server_content(address: str, files: CertificateFiles, database: Path, admin_key: str) -> dict[str, object]:
    return {
        "host": address,
        "port": ENTRA_PORT,
        "certificate": str(files.certificate),
        "key": str(files.key),
        "database": str(database),
        "adminKey": admin_key,
    }


def _password() -> str:
    # The suffix satisfies the directory's complexity rule whatever the random part holds.
    return secrets.token_urlsafe(18) + "-aA1"
