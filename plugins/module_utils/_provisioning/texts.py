# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences that explain a code. One place, so that every module says the same."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Skipped

SKIPPED: Mapping[Skipped | None, str] = {
    None: "in scope",
    Skipped.NOT_SECURITY_ENABLED: "it is not a security group",
    Skipped.MAIL_ENABLED: "it is mail-enabled",
    Skipped.MICROSOFT_365: "it is a Microsoft 365 group",
    Skipped.ON_PREMISES_SYNCED: "it is mastered on premises and synced to the cloud",
    Skipped.ROLLED_BACK: "its source of authority was rolled back to on premises",
    Skipped.AUTHORITY_UNKNOWN: "its source of authority could not be read",
    Skipped.NOT_SELECTED: "it is not among the selected groups",
    Skipped.NOT_ASSIGNED: "it is not assigned to the provisioning job",
    Skipped.FILTERED_OUT: "no filter lets it in",
    Skipped.OTHER_DOMAIN_GROUP: "its object belongs to another domain",
    Skipped.IGNORED_BY_MAPPING: "a mapping says IgnoreObjectFlow for it",
    Skipped.CLOUD_ONLY_USER: "the user has no account on premises",
    Skipped.OTHER_DOMAIN: "the account is in another domain of the forest",
    Skipped.OTHER_FOREST: "the account is in another forest",
    Skipped.SYNCED_GROUP: "the member group is mastered on premises",
    Skipped.GROUP_NOT_PROVISIONED: "the member group is not provisioned to this domain",
    Skipped.GROUP_ITSELF: "the group is a member of itself",
    Skipped.UNSUPPORTED_TYPE: "only users and groups can be written",
    Skipped.NOT_FOUND_IN_DIRECTORY: "no account with its SID is in the domain",
    Skipped.IDENTITY_CONFLICT: "its SID and its objectGUID belong to two accounts",
    Skipped.UNREADABLE: "Entra ID withheld its properties (a permission is missing)",
}

TAMPERING = (
    "{dn} carries a group anchor although it is not a group in the managed containers; the anchor there has no effect."
)
DELETED_HIDDEN = (
    "{count} groups are created without a look at deleted objects, which the account may not see: a group that was "
    "deleted and returns would get a new SID."
)
MOVE_HELD = "{dn} stays where it is: its mapping asks for {container}, the rule is unchanged, and moves is hold."
ORPHAN = "{dn} carries the anchor of a group that Entra ID did not list; it is kept as it is."
RETAINED = "{dn} is kept with its members, but no longer updated: {why}."
FOREIGN: Mapping[str, str] = {
    "foreign_member": "{dn} is a member that the cloud does not list; it is kept (foreign_members).",
    "anchored_member": "{dn} is kept because its anchor names a listed member; check who wrote it.",
    "protected_member": "{dn} is a member that the cloud does not list; protected_members keeps it.",
    "unreadable_member_listed": "{dn} is kept while a listed member of its kind cannot be read.",
}

REMEDIES: Mapping[str, str] = {
    "duplicate_anchor": "Remove the anchor from the objects that are not the group's.",
    "anchor_changed": "Find out who changed it; nothing is written to either object.",
    "object_shared": "Find out whose it is; nothing is written to it until one group alone claims it.",
    "directory_group_missing": "Restore it from the AD Recycle Bin, or move it back, so that its SID lives on.",
    "other_domain_group": "Provision it with the configuration of its own domain.",
    "converted_group_missing": "Restore it from the AD Recycle Bin, or move it into a managed container.",
    "container_not_managed": "Add the container to managed_containers, or change the target container.",
    "container_missing": "Create it, or change the target container.",
    "deleted_object_exists": "Restore it, so that its SID lives on; a new group would have another.",
    "protected_group": "Take the group out of scope; it must be managed by hand.",
}
