# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What group writeback V2 of the sync client left in the directory: which groups, and what they were like.

Writeback V2 wrote universal groups into one container, named `Group_<object id>` or `<displayName>_<last part of the
object id>`, with `Group_<object id>` in adminDescription (Microsoft Learn, "Migrate Group Writeback v2"). Version 1
writes Microsoft 365 groups in the same way; those, and all with mail, are not provisioned and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, scope_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

MARK = "adminDescription"
# A group that has one of these takes mail, whatever its groupType says.
MAIL = ("mail", "mailNickname", "proxyAddresses")
_GROUP_TYPE = "groupType"


class Origin(Word):
    """Who wrote a group of the writeback container."""

    WRITEBACK_V2 = "writeback_v2"
    MALFORMED = "malformed"
    MICROSOFT_365 = "microsoft_365"
    MAIL_ENABLED = "mail_enabled"
    DISTRIBUTION = "distribution"
    OTHER = "other"


# What stays as it is without anybody deciding.
NEVER_TOUCHED = frozenset({Origin.MICROSOFT_365, Origin.MAIL_ENABLED, Origin.DISTRIBUTION, Origin.OTHER})


@dataclass(frozen=True, slots=True)
class WritebackMember:
    """A member as it was.

    Parameters:
        guid: objectGUID.
        sid: objectSid, or None.
        dn: distinguishedName.
        object_class: the most special objectClass, or an empty string where it could not be read.
    """

    guid: str
    sid: str | None
    dn: str
    object_class: str = ""


@dataclass(frozen=True, slots=True)
class WritebackGroup:
    """A group as it was.

    Parameters:
        guid: objectGUID.
        sid: objectSid.
        dn: distinguishedName.
        group_type: groupType.
        mark: adminDescription, or an empty string.
        anchor: msDS-ExternalDirectoryObjectId, or an empty string.
        mail: it takes mail.
        guarded: why it must not be written; empty for an ordinary group.
        members: its direct members.
        problem: why the members are not whole; empty when they are.
        parents: distinguishedNames of the groups that hold it.
        local_members: distinguishedNames of the domain local groups that it holds.
    """

    guid: str
    sid: str
    dn: str
    group_type: int
    mark: str = ""
    anchor: str = ""
    mail: bool = False
    guarded: str = ""
    members: tuple[WritebackMember, ...] = ()
    problem: str = ""
    parents: tuple[str, ...] = ()
    local_members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its relative name."""
        return dn.rdn_value(self.dn)

    @property
    def cloud_id(self) -> str | None:
        """The object id inside adminDescription, or None."""
        return identity.cloud_id_of(self.mark)

    @property
    def scope(self) -> str:
        """Its scope in words."""
        return scope_change.scope_name(self.group_type)


def origin(group: WritebackGroup, reason: Skipped | None = None) -> Origin:
    """Return who wrote a group.

    Parameters:
        group: the group.
        reason: why the cloud group of its mark is out of scope, as far as the cloud was asked.
    """
    if group.cloud_id is None:
        looks_written = group.mark.lower().startswith(identity.GROUP_ANCHOR_PREFIX.lower())
        return Origin.MALFORMED if looks_written or identity.cloud_id_of(group.name) else Origin.OTHER
    if reason is Skipped.MICROSOFT_365:
        return Origin.MICROSOFT_365
    if group.mail or reason is Skipped.MAIL_ENABLED:
        return Origin.MAIL_ENABLED
    if not scope_change.is_security(group.group_type) or reason is Skipped.NOT_SECURITY_ENABLED:
        return Origin.DISTRIBUTION
    return Origin.WRITEBACK_V2


def mark_problem(group: DirectoryGroup) -> tuple[str, str]:
    """Return code and sentence of what forbids to give a group the anchor that its adminDescription names.

    Parameters:
        group: the group, with MAIL read.
    """
    mark = group.first(MARK) or ""
    wanted = identity.cloud_id_of(mark)
    if wanted is None:
        return "writeback_mark_invalid", f"adminDescription of {group.dn} is {mark!r}, not Group_<object id>."
    if any(group.attributes.get(name) for name in MAIL):
        return "writeback_not_security", f"{group.dn} takes mail."
    if not scope_change.is_security(int(group.first(_GROUP_TYPE) or 0)):
        return "writeback_not_security", f"{group.dn} is a distribution group."
    held = group.first(ANCHOR)
    if held and identity.cloud_id_of(held) != wanted:
        return "writeback_anchor_taken", f"{ANCHOR} of {group.dn} is {held!r}; adminDescription says {mark}."
    return "", ""


def group_entry(group: WritebackGroup) -> dict[str, Any]:
    """Return a group as it stands in an export."""
    return {
        "object_guid": group.guid,
        "object_sid": group.sid,
        "dn": group.dn,
        "group_type": group.group_type,
        "admin_description": group.mark,
        "anchor": group.anchor,
        "mail": group.mail,
        "guarded": group.guarded,
        "problem": group.problem,
        "member_of": list(group.parents),
        "domain_local_members": list(group.local_members),
        "members": [
            {"object_guid": one.guid, "object_sid": one.sid, "dn": one.dn, "object_class": one.object_class}
            for one in group.members
        ],
    }


@dataclass(frozen=True, slots=True)
class Export:
    """The state of the groups at one time.

    Parameters:
        read_at: ISO 8601, UTC.
        domain: the domain.
        groups: the groups.
    """

    read_at: str
    domain: str
    groups: tuple[WritebackGroup, ...]


def read_export(given: object) -> Export:
    """Return an export from a report of gpad_info, or from the part `writeback` of it.

    Raises:
        ConfigurationError: it is not what gpad_info wrote.
    """
    while isinstance(given, Mapping) and "groups" not in given:
        given = next((given[name] for name in ("info", "writeback") if name in given), None)
    if not isinstance(given, Mapping):
        raise _invalid("there is no writeback in it")
    try:
        groups = tuple(map(_group, given["groups"]))
        return Export(str(given["read_at"]), str(given["domain"]), groups)
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(f"{type(error).__name__}: {error}") from None


def _group(entry: Mapping[str, Any]) -> WritebackGroup:
    return WritebackGroup(
        identity.guid_text(entry["object_guid"]) or "",
        entry["object_sid"],
        entry["dn"],
        int(entry["group_type"]),
        entry["admin_description"],
        entry["anchor"],
        bool(entry["mail"]),
        entry["guarded"],
        tuple(
            WritebackMember(one["object_guid"], one["object_sid"], one["dn"], one["object_class"])
            for one in entry["members"]
        ),
        entry["problem"],
        tuple(entry["member_of"]),
        tuple(entry["domain_local_members"]),
    )


def _invalid(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"writeback_export: {why}.",
        "Give the report that gpad_info wrote with gather: [writeback].",
        code="writeback_export_invalid",
    )
