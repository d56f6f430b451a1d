# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enforcement of the source of authority by domain controllers (a preview of Cloud Sync).

Controllers refuse changes to objects whose msDS-ObjectSoa says that the cloud is their master, unless the caller's SID
is in the policy (learn.microsoft.com/entra/identity/hybrid/cloud-sync, "Active Directory group enforcement"). The
policy is an object in CN=SOA-Policies,CN=System; its name differs between the documents, its class and where it holds
the mode are in none, so that any object there is read, and the mode is taken from whatever value names it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

MARK = "msDS-ObjectSoa"
MARKED_CLOUD = "Cloud"
ALLOWED = "msDS-Settings"
POLICIES = "CN=SOA-Policies,CN=System"
MOST_ALLOWED = 64
# Builds of Windows Server 2022 and 2025, and of ntdsai.dll from which on each enforces.
_ENFORCING = {20348: "10.0.20348.5257", 26100: "10.0.26100.32995"}
_BUILD = re.compile(r"10\.0 \((\d+)\)")
_MODE = re.compile(r"\b(enforced|audit)\b", re.IGNORECASE)


class Mode(Word):
    """What controllers do with a change that the policy does not allow."""

    ENFORCED = "enforced"
    AUDIT = "audit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy object.

    Parameters:
        dn: where it is.
        mode: what controllers do.
        allowed: SIDs that may change marked objects, in their order.
        invalid: entries that are meant as SIDs and are none: one of them, and the whole policy does not load.
        other: further values of the list, which nobody documented.
    """

    dn: str
    mode: Mode
    allowed: tuple[str, ...]
    invalid: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Controller:
    """A domain controller: its name, what it runs, and whether it is read-only."""

    name: str
    system: str
    version: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What was read of the enforcement.

    Parameters:
        policies: the policy objects.
        in_schema: the schema has the attribute of the mark.
        marked: how many groups in the managed containers are marked.
        token: SIDs of the account and its groups.
        own_sid: SID of the account, or an empty string.
        names: SID to the name of its account, where it is known.
        controllers: of the domain.
        hidden: there may be policies that the account cannot see.
    """

    policies: tuple[Policy, ...]
    in_schema: bool
    marked: int
    token: frozenset[str]
    own_sid: str
    names: Mapping[str, str]
    controllers: tuple[Controller, ...]
    hidden: bool = False


def marked(group: DirectoryGroup) -> dict[str, tuple[str, ...]]:
    """Return the mark of a group with its value, or nothing where the cloud is not marked as its master."""
    values = tuple(group.attributes.get(MARK, ()))
    return {MARK: values} if [value.lower() for value in values] == [MARKED_CLOUD.lower()] else {}


def policy_of(dn: str, settings: Sequence[str], texts: Collection[str]) -> Policy:
    """Return the policy that an object holds.

    Parameters:
        dn: where it is.
        settings: the values of msDS-Settings.
        texts: the values of its other text attributes.
    """
    allowed = tuple(value for value in settings if identity.is_sid(value))
    invalid = tuple(value for value in settings if value[:2].upper() == "S-" and value not in allowed)
    other = tuple(value for value in settings if value not in allowed and value not in invalid)
    named = {match[1].lower() for value in (*other, *texts) for match in _MODE.finditer(value)}
    mode = Mode(named.pop()) if len(named) == 1 else Mode.UNKNOWN
    return Policy(dn, mode, allowed, invalid, other)


def explain(policy: Policy, names: Mapping[str, str]) -> str:
    """Return what a policy says, for people."""
    who = ", ".join(f"{names[sid]} ({sid})" if sid in names else sid for sid in policy.allowed) or "nobody"
    mode = {
        Mode.ENFORCED: "changes by others are refused",
        Mode.AUDIT: "changes by others are logged and let through",
        Mode.UNKNOWN: "its mode cannot be told",
    }[policy.mode]
    return f"{policy.dn}: {mode}; allowed: {who}"


def enforcement_rows(facts: Enforcement, *, marks: bool = False) -> Iterator[Row]:
    """Yield how the enforcement stands.

    Parameters:
        facts: what was read.
        marks: groups are to be marked.
    """
    if marks:
        lacking = f"the schema has no attribute {MARK}: with mark_authority nothing is provisioned"
        found = f"groups are marked by {MARK}, which the schema has" if facts.in_schema else lacking
        yield judged("enforcement: mark", facts.in_schema, found, "Extend the schema, or leave mark_authority out.")
    if not facts.policies:
        yield _without_policy(facts)
        return
    for policy in facts.policies:
        yield _policy_row(policy, facts)
        yield _own_row(policy, facts, marks=marks)
    yield _controllers_row(facts.controllers)


def _without_policy(facts: Enforcement) -> Row:
    told = f"{facts.marked} groups are marked"
    if facts.hidden:
        text = f"there is no policy, or it is hidden from the account; {told}"
        remedy = f"Have a Domain Admin look at {POLICIES}, or let the account list and read it."
        return Row("enforcement policy", Status.UNKNOWN, text, remedy)
    return Row("enforcement policy", Status.OK, f"there is none: marked groups are as free as others; {told}")


def _policy_row(policy: Policy, facts: Enforcement) -> Row:
    found = f"{explain(policy, facts.names)}; {facts.marked} groups in the managed containers are marked"
    if policy.invalid:
        text = f"{found}; no SID: {', '.join(policy.invalid)}"
        return Row(
            "enforcement policy", Status.FAILED, text, "Have a Domain Admin correct it: the whole policy does not load."
        )
    if len(policy.allowed) > MOST_ALLOWED:
        text = f"{found}; more than {MOST_ALLOWED} SIDs"
        return Row("enforcement policy", Status.FAILED, text, "Have a Domain Admin shorten the list.")
    if not policy.allowed:
        remedy = "Have a Domain Admin fill the list: documents differ on whether an empty one is off or lets nobody in."
        return Row("enforcement policy", Status.WARNING, found, remedy)
    return judged(
        "enforcement policy",
        policy.mode is not Mode.UNKNOWN,
        found,
        "Look at the policy with Check-CloudSyncSOAPolicy.ps1.",
        Status.WARNING,
    )


def is_allowed(policy: Policy, token: Collection[str]) -> bool:
    """Return whether the account or one of its groups is in the list."""
    held = {sid.upper() for sid in token}
    return any(sid.upper() in held for sid in policy.allowed)


def _own_row(policy: Policy, facts: Enforcement, *, marks: bool) -> Row:
    if not facts.token:
        text = f"the server does not tell the SIDs of the account's token, to look for them in {policy.dn}"
        return Row("enforcement: own account", Status.UNKNOWN, text)
    fine = is_allowed(policy, facts.token)
    who = facts.own_sid or "the account"
    found = f"{who} is in the list, itself or by a group" if fine else f"{who} is not in the list of {policy.dn}"
    refused = policy.mode is not Mode.AUDIT and (facts.marked > 0 or marks)
    remedy = "Have a Domain Admin review and apply the change that gpad_info gives with gather: [enforcement]."
    return judged("enforcement: own account", fine, found, remedy, Status.FAILED if refused else Status.WARNING)


def build_of(controller: Controller) -> int | None:
    """Return the build of Windows that a controller runs, or None where it does not say so."""
    match = _BUILD.search(controller.version)
    return int(match[1]) if match else None


def lets_through(controllers: Collection[Controller]) -> tuple[Controller, ...]:
    """Return the writable controllers that cannot enforce, by the system that they run.

    Of one that hides its version, and of a Windows that is newer than the documents, nothing is said.
    """
    return tuple(one for one in controllers if not one.read_only and one.version and _is_late(build_of(one)))


def _is_late(build: int | None) -> bool:
    return build is None or (build not in _ENFORCING and build < max(_ENFORCING))


def _controllers_row(controllers: Collection[Controller]) -> Row:
    check = "enforcement: domain controllers"
    late = lets_through(controllers)
    if late:
        told = listed(f"{one.name} ({one.system} {one.version})" for one in late)
        remedy = "A change on one of them passes unchecked: bring every writable one to Windows Server 2022 or 2025."
        return Row(check, Status.WARNING, f"{len(late)} writable ones cannot enforce: {told}", remedy)
    if not controllers:
        return Row(check, Status.UNKNOWN, "no domain controller can be seen", "Let the account read their accounts.")
    needed = " or ".join(_ENFORCING.values())
    found = (
        f"none of the {len(controllers)} is known not to; whether they are patched and switched on, LDAP does not tell"
    )
    return Row(check, Status.UNKNOWN, found, f"Look on each for ntdsai.dll {needed} or later and the group policy.")
