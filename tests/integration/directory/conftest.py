# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain, reached directly and through the policy proxy, and the adapter's session, reader and writer on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tests.lab
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import ConnectionSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from tests.lab.api import Lab
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.settings import ForestSettings

SCENARIO = Path(tests.lab.__path__[0]) / "scenarios" / "policy.yml"
DOMAIN = "strict.test"
SIZES = (0, 3, 1500, 1501, 4501)


@dataclass(frozen=True, slots=True)
class Made:
    """A group that a test made."""

    dn: str
    guid: str


class Domain:
    """The judge's side of the domain: everything here goes to the controller itself, by OpenLDAP's tools."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.settings: ForestSettings = lab.forest(DOMAIN)
        self.groups_dn = self.settings.managed_containers[0]
        users = lab.ldapsearch(DOMAIN, f"OU=Load,{self.settings.base_dn}", "(objectClass=user)", "objectGUID")
        self.users = {entry["objectGUID"][0]: entry["dn"][0] for entry in users}
        self.user_guids = sorted(self.users)
        self._made = 0

    def group(self, *members: str, group_type: int = -2147483640, name: str | None = None) -> Made:
        """Make a group with members given by DN."""
        self._made += 1
        name = name or f"Made {self._made}"
        dn = f"CN={name},{self.groups_dn}"
        values = "".join(f"member: {member}\n" for member in members)
        account = name.replace(" ", "")
        self.lab.ldapmodify(
            DOMAIN,
            f"dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: {account}\n"
            f"groupType: {group_type}\n{values}",
        )
        (entry,) = self.lab.ldapsearch(DOMAIN, dn, "(objectClass=*)", "objectGUID", scope="base")
        return Made(dn, entry["objectGUID"][0])

    def members(self, group: Made) -> set[str]:
        """Return the DNs of a group's members."""
        (entry,) = self.lab.ldapsearch(DOMAIN, f"<GUID={group.guid}>", "(objectClass=*)", "member", scope="base")
        return set(entry.get("member", ()))

    def attribute(self, group: Made, name: str) -> list[str]:
        """Return the values of an attribute."""
        (entry,) = self.lab.ldapsearch(DOMAIN, f"<GUID={group.guid}>", "(objectClass=*)", name, scope="base")
        return entry.get(name, [])


@pytest.fixture(scope="session")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    with Lab.up(SCENARIO, tmp_path_factory.mktemp("policy"), "auto") as lab:
        yield Domain(lab)


@pytest.fixture(scope="session")
def sized(domain: Domain) -> dict[int, Made]:
    """Groups of some sizes that no test changes."""
    return {
        size: domain.group(*[domain.users[guid] for guid in domain.user_guids[:size]], name=f"Size {size}")
        for size in SIZES
    }


@pytest.fixture
def policy(domain: Domain) -> Iterator[PolicyAdmin]:
    """The proxy's control channel, set to Windows' defaults."""
    with domain.lab.policy(DOMAIN) as admin:
        admin.reset()
        yield admin
        admin.reset()


Connect = Callable[[], Session]


def _connections(settings: ForestSettings, address: str) -> Iterator[Connect]:
    opened: list[Session] = []

    def connect() -> Session:
        account = settings.service_account
        session = Session.opened(
            ConnectionSettings(
                server=address,
                username=account.username,
                password=account.password,
                port=settings.ldaps_port,
                ca_cert=settings.ca_cert,
            )
        )
        opened.append(session)
        return session

    yield connect
    for session in opened:
        session.close()


@pytest.fixture
def connect_strict(domain: Domain, policy: PolicyAdmin) -> Iterator[Connect]:
    """Open sessions through the proxy."""
    yield from _connections(domain.settings, domain.settings.address)


@pytest.fixture(params=["direct", "proxy"])
def connect(request: pytest.FixtureRequest, domain: Domain, policy: PolicyAdmin) -> Iterator[Connect]:
    """Open sessions, once to the controller itself, once through the proxy."""
    settings = domain.settings
    address = settings.address if request.param == "proxy" else settings.direct_address
    yield from _connections(settings, address)


@pytest.fixture
def session(connect: Connect) -> Session:
    return connect()


@pytest.fixture
def reader(domain: Domain, session: Session) -> Reader:
    return Reader(session, domain.settings.managed_containers, ("displayName",))


@pytest.fixture
def writer(session: Session) -> Writer:
    return Writer(session)


@pytest.fixture
def strict_session(connect_strict: Connect) -> Session:
    return connect_strict()


@pytest.fixture
def strict_reader(domain: Domain, strict_session: Session) -> Reader:
    return Reader(strict_session, domain.settings.managed_containers, ("displayName",))


@pytest.fixture
def strict_writer(strict_session: Session) -> Writer:
    return Writer(strict_session)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once; that the session waits is tested without a server."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
