# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Active Directory says of groups whose source of authority is to change, as gpad_info hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError

UNIVERSAL = "universal"


@dataclass(frozen=True, slots=True)
class MemberFact:
    """A member in the directory.

    Parameters:
        sid: objectSid, or None for an object that has none, such as a contact.
        dn: distinguishedName.
    """

    sid: str | None
    dn: str


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group of the directory.

    Parameters:
        sid: objectSid.
        guid: objectGUID.
        dn: distinguishedName.
        name: its relative name.
        scope: `universal`, `global` or `domain local`.
        guarded: why it must not be written, such as that it is built-in; empty for an ordinary group.
        managed: it is in the managed containers.
        admin_description: adminDescription, or an empty string.
        members: its direct members.
        problem: why the members are not whole; empty when they are.
        member_of: distinguishedNames of the groups that hold it.
    """

    sid: str
    guid: str
    dn: str
    name: str
    scope: str
    guarded: str = ""
    managed: bool = True
    admin_description: str = ""
    members: tuple[MemberFact, ...] = ()
    problem: str = ""
    member_of: tuple[str, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether adminDescription is the mark of provisioning."""
        text = self.admin_description.lower()
        return text.startswith(identity.TAKEN_OVER_PREFIX.lower()) or identity.cloud_id_of(text) is not None


def facts_entry(facts: GroupFacts) -> dict[str, Any]:
    """Return the facts as they stand in a result."""
    return {
        "sid": facts.sid,
        "guid": facts.guid,
        "dn": facts.dn,
        "name": facts.name,
        "scope": facts.scope,
        "guarded": facts.guarded,
        "managed": facts.managed,
        "admin_description": facts.admin_description,
        "members": [{"sid": member.sid, "dn": member.dn} for member in facts.members],
        "problem": facts.problem,
        "member_of": list(facts.member_of),
    }


def read_facts(given: object) -> dict[str, GroupFacts]:
    """Return facts by SID, from a result of gpad_info, from its `info`, or from the list in it.

    Raises:
        ConfigurationError: they are not what gpad_info gives.
    """
    while isinstance(given, Mapping):
        inner = next((given[name] for name in ("info", "soa") if name in given), None)
        if inner is None:
            raise _invalid("there is neither info nor soa in it")
        given = inner
    if not isinstance(given, list):
        raise _invalid("it is no list of groups")
    return {facts.sid: facts for facts in map(_group, given)}


def _group(entry: object) -> GroupFacts:
    if not isinstance(entry, Mapping):
        raise _invalid("a group is no dictionary")
    sid = _text(entry, "sid")
    if not identity.is_sid(sid):
        raise _invalid(f"{sid!r} is no SID")
    members, above, managed = entry.get("members"), entry.get("member_of"), entry.get("managed")
    if not isinstance(members, list) or not isinstance(above, list) or not isinstance(managed, bool):
        raise _invalid(f"the group {sid} has no members, no member_of or no managed")
    return GroupFacts(
        sid,
        _text(entry, "guid"),
        _text(entry, "dn"),
        _text(entry, "name"),
        _text(entry, "scope"),
        _text(entry, "guarded"),
        managed,
        _text(entry, "admin_description"),
        tuple(map(_member, members)),
        _text(entry, "problem"),
        tuple(map(str, above)),
    )


def _member(entry: object) -> MemberFact:
    if not isinstance(entry, Mapping):
        raise _invalid("a member is no dictionary")
    sid = entry.get("sid")
    return MemberFact(str(sid) if sid else None, _text(entry, "dn"))


def _text(entry: Mapping[str, object], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise _invalid(f"{name} is missing or no text")
    return value


def _invalid(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"directory_facts: {why}.", "Give what gpad_info returns with gather: [soa].", code="directory_facts_invalid"
    )
