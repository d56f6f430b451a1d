# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which loopback addresses a lab's servers take."""

from __future__ import annotations

import ipaddress
import socket
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.scenario import Scenario

ENTRA_PORT = 8443
DIRECTORY_PORTS = (88, 389, 464, 636, 3268, 3269)
AUTOMATIC = "auto"
ENTRA_HOST = 10
FIRST_DIRECTORY_HOST = 20
FIRST_HIDDEN_HOST = 60
FIRST_SECOND_HOST = 100
POLICY_PORTS = (636, 3269, 6360)
RPC_PORT = 135


class AddressError(Exception):
    """No address, or not the wanted one, is free."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """``forests`` are what clients see, ``hidden`` the controllers behind a policy proxy, ``second`` second ones."""

    entra: str | None
    forests: dict[str, str]
    hidden: dict[str, str]
    second: dict[str, str] = field(default_factory=dict)

    def controller(self, domain: str) -> str:
        """Return the address of a domain's controller."""
        return self.hidden.get(domain) or self.forests[domain]


class Reservation:
    """Networks that a lab keeps for itself until its servers listen there, so that two starting labs never share one.

    A name in the kernel's list of sockets is the mark: no file outlives the process that set it.
    """

    def __init__(self) -> None:
        self._marks: list[socket.socket] = []

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *_error: object) -> None:
        for mark in self._marks:
            mark.close()

    def take(self, network: str) -> bool:
        """Keep a network; return whether it was free."""
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0tests.lab {network}")
        except OSError:
            mark.close()
            return False
        self._marks.append(mark)
        return True


def pick_addresses(
    scenario: Scenario, directory: Path, base: str | None = None, reservation: Reservation | None = None
) -> Addresses:
    """Choose an address for each server.

    Args:
        scenario: its own addresses are taken when there is no ``base``.
        directory: the lab's directory, which spreads the labs of one machine over 127.0.1.y … 127.0.254.y.
        base: a network such as ``127.0.30.0`` from which all addresses are taken, or ``auto`` for a free one.
        reservation: what keeps an automatic network until the lab listens there.

    Raises:
        AddressError: an address that was asked for is in use, or is no loopback address.
    """
    own = base is None
    if base is not None and base != AUTOMATIC:
        chosen = _addresses(scenario, _network(base), own=False)
        _require_free(chosen)
        return chosen
    start = zlib.crc32(str(directory.resolve()).encode()) % 254
    for step in range(254):
        network = f"127.0.{(start + step) % 254 + 1}"
        if reservation is not None and not reservation.take(network):
            continue
        chosen = _addresses(scenario, network, own=own)
        taken = _taken(chosen)
        if not taken:
            return chosen
        if own and taken & _named(scenario):
            break
    _require_free(chosen)
    raise AddressError("no free loopback address was found between 127.0.1.0 and 127.0.254.255")


def _network(base: str) -> str:
    try:
        address = ipaddress.IPv4Address(base if base.count(".") == 3 else f"{base}.0")
    except ipaddress.AddressValueError as error:
        raise AddressError(f"--address-base {base!r} is not of the form 127.0.30.0") from error
    if not address.is_loopback:
        raise AddressError(f"--address-base {base} is not in 127.0.0.0/8")
    return str(address).rpartition(".")[0]


def _named(scenario: Scenario) -> set[str]:
    named = [forest.address for forest in scenario.forests]
    if scenario.tenant:
        named.append(scenario.tenant.address)
    return {address for address in named if address}


def _addresses(scenario: Scenario, network: str, *, own: bool) -> Addresses:
    forests = {
        forest.domain: (own and forest.address) or f"{network}.{FIRST_DIRECTORY_HOST + index}"
        for index, forest in enumerate(scenario.forests)
    }
    hidden = {
        forest.domain: f"{network}.{FIRST_HIDDEN_HOST + index}"
        for index, forest in enumerate(scenario.forests)
        if forest.policy
    }
    second = {
        forest.domain: f"{network}.{FIRST_SECOND_HOST + index}"
        for index, forest in enumerate(scenario.forests)
        if forest.second_controller
    }
    tenant = scenario.tenant
    return Addresses((own and tenant.address) or f"{network}.{ENTRA_HOST}" if tenant else None, forests, hidden, second)


def _endpoints(addresses: Addresses) -> Iterable[tuple[str, int]]:
    if addresses.entra:
        yield addresses.entra, ENTRA_PORT
    for domain, address in addresses.forests.items():
        for port in POLICY_PORTS if domain in addresses.hidden else DIRECTORY_PORTS:
            yield address, port
    for address in addresses.hidden.values():
        for port in DIRECTORY_PORTS:
            yield address, port
    for domain, address in addresses.second.items():
        yield addresses.controller(domain), RPC_PORT
        for port in (*DIRECTORY_PORTS, RPC_PORT):
            yield address, port


def _taken(addresses: Addresses) -> set[str]:
    return {address for address, port in _endpoints(addresses) if not _is_free(address, port)}


def _require_free(addresses: Addresses) -> None:
    for address, port in _endpoints(addresses):
        if not _is_free(address, port):
            raise AddressError(f"{address} port {port} is already in use; is another lab running there?")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do it: a connection of a lab that just ended is no hindrance, a listening server is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError:
            return False
    return True
