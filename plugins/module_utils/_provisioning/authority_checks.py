# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold before a group changes its master, and what people should know when it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import (
    Candidate,
    Master,
    Rules,
    State,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import UNIVERSAL
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    PrincipalKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem

_NAMED = 5


def some(names: Sequence[str]) -> str:
    """Return some names for a sentence."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


_Check: TypeAlias = Callable[[Candidate, Rules], Iterator[Problem]]


def problems(candidate: Candidate, rules: Rules) -> Iterator[Problem]:
    """Yield all that stands in the way of a group."""
    if candidate.authority.master is None:
        yield candidate.problem("authority_unknown", texts.SOA_UNKNOWN, texts.SOA_UNKNOWN_REMEDY)
        return
    checks = _TO_CLOUD if rules.wanted is Master.CLOUD else _TO_ON_PREMISES
    for check in checks:
        yield from check(candidate, rules)


def _kind(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    properties = candidate.group.properties
    if properties.get("mailEnabled") is True:
        yield candidate.problem("mail_enabled", texts.SOA_MAIL, texts.SOA_MAIL_REMEDY)
    if properties.get("securityEnabled") is not True:
        yield candidate.problem("not_security_enabled", "It is no security group.", "Take it off the list.")


def _synced(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    if candidate.authority.state is not State.SYNCED:
        yield candidate.problem("roll_back_pending", texts.SOA_NOT_SYNCED, "Wait for the sync client, and run again.")


def _once_synced(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    if candidate.authority.state is State.CLOUD_NATIVE:
        yield candidate.problem("born_in_cloud", texts.SOA_NATIVE, "Take it off the list.")


def _members_read(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    if not isinstance(candidate.members, CompleteReading):
        why = candidate.members.why if candidate.members is not None else "they were not read"
        yield candidate.problem("members_incomplete", f"Its members could not be read: {why}", "Run again.")
    hidden = [member.id for member in candidate.listed if not member.readable]
    if hidden:
        text = f"{len(hidden)} members came without their properties: {some(hidden)}."
        yield candidate.problem("members_unreadable", text, "Grant User.Read.All, and Device.Read.All for devices.")


def _facts(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    facts, sid = candidate.facts, candidate.authority.sid
    if sid is None:
        return  # what was born in the cloud is refused for that
    if facts is None:
        yield candidate.problem("directory_facts_missing", texts.SOA_NO_FACTS.format(sid=sid), texts.SOA_FACTS_REMEDY)
    elif facts.problem:
        text = f"Its members in Active Directory could not be read: {facts.problem}"
        yield candidate.problem("directory_facts_incomplete", text, "Gather the facts again.")


def _may_be_provisioned(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    facts = candidate.facts
    if facts is None:
        return
    if facts.guarded:
        text = f"{facts.dn} is never written by provisioning: {facts.guarded}."
        yield candidate.problem("protected_group", text, texts.REMEDIES["protected_group"])
    if facts.scope != UNIVERSAL:
        text = f"{facts.dn} is of {facts.scope} scope, not universal."
        yield candidate.problem("not_universal", text, texts.SOA_UNIVERSAL_REMEDY)


def _members_known(candidate: Candidate, rules: Rules) -> Iterator[Problem]:
    names = _names_in_directory(candidate, candidate.only_in_directory - rules.known.keys() - rules.left_behind)
    if names:
        text = f"Entra ID does not know these members of {_dn(candidate)}: {some(names)}."
        yield candidate.problem("members_unknown", text, texts.SOA_UNKNOWN_MEMBERS_REMEDY)


def _members_agree(candidate: Candidate, rules: Rules) -> Iterator[Problem]:
    """Both sides list the same members, as far as they live on both."""
    if candidate.facts is None or candidate.facts.problem:
        return
    there = {member.sid for member in candidate.facts.members}
    missing = [
        member.display_name or member.id
        for member in candidate.listed
        if member.on_premises_security_identifier and member.on_premises_security_identifier not in there
    ]
    more = _names_in_directory(candidate, candidate.only_in_directory & rules.known.keys() - _uncarried(rules))
    if missing or more:
        parts = [f"only in Entra ID: {some(missing)}"] * bool(missing) + [f"only in AD: {some(more)}"] * bool(more)
        remedy = texts.SOA_SYNC_REMEDY if rules.wanted is Master.CLOUD else texts.SOA_PROVISION_REMEDY
        yield candidate.problem("sync_pending", f"The two sides list different members; {'; '.join(parts)}.", remedy)


def _uncarried(rules: Rules) -> frozenset[str]:
    """Return the SIDs of groups mastered in the cloud: the sync client carries no reference to them."""
    return frozenset(
        sid
        for sid, principal in rules.known.items()
        if principal.kind is PrincipalKind.GROUP and not principal.on_premises_sync_enabled
    )


def _no_cloud_members(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    names = [
        member.display_name or member.id
        for member in candidate.listed
        if member.readable
        and not member.on_premises_security_identifier
        and not (member.kind is PrincipalKind.CONTACT and member.on_premises_sync_enabled)
    ]
    if names:
        text = f"These members live in the cloud alone: {some(names)}."
        yield candidate.problem("cloud_only_members", text, texts.SOA_CLOUD_MEMBERS_REMEDY)


def _mark_gone(candidate: Candidate, _rules: Rules) -> Iterator[Problem]:
    facts = candidate.facts
    if facts is not None and facts.is_marked:
        text = f"adminDescription of {facts.dn} is still {facts.admin_description}."
        yield candidate.problem("anchor_still_set", text, texts.SOA_ANCHOR_REMEDY)


def _dn(candidate: Candidate) -> str:
    return candidate.facts.dn if candidate.facts else candidate.group.display_name


def _names_in_directory(candidate: Candidate, sids: Collection[str]) -> list[str]:
    held = candidate.facts.members if candidate.facts else ()
    return [f"{member.dn} ({member.sid})" for member in held if member.sid in sids]


_TO_CLOUD: tuple[_Check, ...] = (
    _kind,
    _synced,
    _members_read,
    _facts,
    _may_be_provisioned,
    _members_known,
    _members_agree,
)
_TO_ON_PREMISES: tuple[_Check, ...] = (
    _once_synced,
    _members_read,
    _facts,
    _no_cloud_members,
    _members_agree,
    _mark_gone,
)


# Notices


def notices(candidate: Candidate, rules: Rules, named: Collection[str]) -> Iterator[Notice]:
    """Yield what people should know of a group that changes its master.

    Parameters:
        candidate: the group.
        rules: what decides.
        named: object ids of the groups that were named with it.
    """
    group, facts = candidate.group, candidate.facts
    others = [member for member in candidate.listed if member.kind is PrincipalKind.GROUP and member.id not in named]
    if rules.wanted is Master.CLOUD:
        names = [member.display_name or member.id for member in others if member.on_premises_sync_enabled]
        code, text = "nested_not_converted", texts.SOA_NESTED_SYNCED
    else:
        names = [member.display_name or member.id for member in others if not member.on_premises_sync_enabled]
        code, text = "nested_in_cloud", texts.SOA_NESTED_CLOUD
    if names:
        yield Notice(group.id, group.display_name, code, text.format(names=some(names)))
    if facts is None or rules.wanted is not Master.CLOUD:
        return
    left = _names_in_directory(candidate, candidate.only_in_directory & rules.left_behind)
    if left:
        text = texts.SOA_LEFT_BEHIND.format(names=some(left))
        yield Notice(group.id, group.display_name, "members_left_behind", text)
    lost = _names_in_directory(candidate, candidate.only_in_directory & _uncarried(rules))
    if lost:
        text = texts.SOA_UNCARRIED.format(names=some(lost))
        yield Notice(group.id, group.display_name, "nested_reference_missing", text)
    contacts = [member.dn for member in facts.members if member.sid is None]
    if contacts:
        text = texts.SOA_CONTACTS.format(names=some(contacts))
        yield Notice(group.id, group.display_name, "contacts_not_compared", text)
    if facts.member_of:
        text = texts.SOA_PARENTS.format(names=some(facts.member_of))
        yield Notice(group.id, group.display_name, "parents_on_premises", text)
    if not facts.managed:
        text = texts.SOA_NOT_MANAGED.format(dn=facts.dn)
        yield Notice(group.id, group.display_name, "container_not_managed", text)
