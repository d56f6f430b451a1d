# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: ``python -m tests.lab up|status|down|policy|search``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.lab import lifecycle
from tests.lab.addresses import AddressError
from tests.lab.api import Lab, LdapToolError
from tests.lab.policy.admin import PolicyAdminError
from tests.lab.processes import is_running
from tests.lab.samba.controller import DirectoryError
from tests.lab.scenario import ScenarioError
from tests.lab.settings import LabSettings
from tests.lab.state import LabState, StateError, read_state

DEFAULT_DIRECTORY = Path(".lab/default")
DEFAULT_SCENARIO = Path(__file__).with_name("scenarios") / "tutorial.yml"
ERRORS = (
    ScenarioError,
    AddressError,
    DirectoryError,
    StateError,
    lifecycle.LabError,
    TimeoutError,
    ValueError,
    PolicyAdminError,
    LdapToolError,
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 when done or running, 1 on an error or without a lab, 3 for a lab that is not whole."""
    options = _parser().parse_args(arguments)
    try:
        return {"up": _up, "status": _status, "down": _down, "policy": _policy, "search": _search}[options.command](
            options
        )
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description="A real AD and an Entra emulator on loopback."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the lab of a scenario")
    up.add_argument("--scenario", type=Path, default=DEFAULT_SCENARIO, help="scenario file (default: the tutorial)")
    up.add_argument("--address-base", help="network of all addresses, such as 127.0.30.0, or auto")
    status = commands.add_parser("status", help="show the lab")
    status.add_argument("--json", action="store_true", help="print every connection setting, passwords included")
    down = commands.add_parser("down", help="end the lab")
    down.add_argument("--wipe", action="store_true", help="remove the lab's directory too")
    policy = commands.add_parser("policy", help="turn the policy proxy of a domain, or read what it recorded, as JSON")
    policy.add_argument("domain")
    policy.add_argument("call", choices=("add_fault", "set_policy", "operations", "clear_operations", "reset"))
    policy.add_argument("arguments", nargs="?", type=json.loads, default={}, help="a JSON object")
    search = commands.add_parser("search", help="ask a controller itself with ldapsearch; JSON")
    search.add_argument("domain")
    search.add_argument("base")
    search.add_argument("filter")
    search.add_argument("attributes", nargs="*")
    for command in (up, status, down, policy, search):
        command.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="the lab's directory")
    return parser


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    settings, started = lifecycle.up(options.scenario, options.dir, options.address_base)
    if started:
        print(f"up after {time.monotonic() - began:.1f} s in {settings.dir}")
    else:
        print(f"already up in {settings.dir}")
    _print_servers(settings)
    return 0


def _status(options: argparse.Namespace) -> int:
    state = read_state(options.dir.resolve())
    if state is None:
        print(f"no lab in {options.dir}", file=sys.stderr)
        return 1
    if options.json and state.settings is not None:
        print(json.dumps(state.settings.as_json(), indent=2))
    else:
        _print_processes(state)
        if state.settings is not None:
            _print_servers(state.settings)
    return 0 if state.is_whole() else 3


def _down(options: argparse.Namespace) -> int:
    found = lifecycle.down(options.dir, wipe=options.wipe)
    print(f"down: {options.dir}" if found else f"no lab in {options.dir}")
    return 0


def _policy(options: argparse.Namespace) -> int:
    with _running(options).policy(options.domain) as policy:
        print(json.dumps(policy.call(options.call, options.arguments), indent=2))
    return 0


def _search(options: argparse.Namespace) -> int:
    found = _running(options).ldapsearch(options.domain, options.base, options.filter, *options.attributes)
    print(json.dumps(found, indent=2))
    return 0


def _running(options: argparse.Namespace) -> Lab:
    state = read_state(options.dir.resolve())
    if state is None or state.settings is None:
        raise lifecycle.LabError(f"no lab in {options.dir}")
    if options.domain not in state.settings.forests:
        raise lifecycle.LabError(f"the lab has no domain {options.domain}")
    return Lab(state.settings)


_COMMANDS = {"up": _up, "status": _status, "down": _down, "policy": _policy, "search": _search}


def _print_processes(state: LabState) -> None:
    for process in state.processes:
        condition = "running" if is_running(process) else "DEAD"
        print(f"{process.name:<24} {condition:<8} pid {process.pid:<8} log {process.log}")


def _print_servers(settings: LabSettings) -> None:
    print(f"{'scenario':<24} {settings.scenario}")
    if settings.entra is not None:
        print(f"{'Entra and Graph':<24} {settings.entra.graph_url}  tenant {settings.entra.tenant_id}")
        for name, application in settings.entra.applications.items():
            print(f"{'  application ' + name:<24} {application.client_id}")
    for forest in settings.forests.values():
        print(f"{forest.domain:<24} ldaps://{forest.address}:{forest.ldaps_port}  {forest.fqdn}  {forest.domain_sid}")
        print(f"{'  service account':<24} {forest.service_account.username}")
        print(f"{'  managed containers':<24} {'; '.join(forest.managed_containers)}")
    print(f"{'CA certificate':<24} {settings.ca_cert}")


if __name__ == "__main__":
    sys.exit(main())
