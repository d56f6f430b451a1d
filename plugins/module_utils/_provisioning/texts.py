# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences that explain a code. One place, so that every module says the same."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action

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
    Skipped.OTHER_DOMAIN: "the account is in another domain of the forest (set global_catalog_server)",
    Skipped.OTHER_FOREST: "the account is in another forest",
    Skipped.SYNCED_GROUP: "the member group is mastered on premises",
    Skipped.GROUP_NOT_PROVISIONED: "the member group is not provisioned to this domain",
    Skipped.GROUP_ITSELF: "the group is a member of itself",
    Skipped.UNSUPPORTED_TYPE: "only users and groups can be written",
    Skipped.NOT_FOUND_IN_DIRECTORY: "no account has its SID",
    Skipped.IDENTITY_CONFLICT: "the names it has on premises belong to different accounts",
    Skipped.PRIMARY_GROUP: "the group is the primary group of the account, which is a membership of its own",
    Skipped.UNREADABLE: "Entra ID withheld its properties (a permission is missing)",
}

TAMPERING = (
    "{dn} carries a group anchor although it is not a group in the managed containers; the anchor there has no effect."
)
STRANGER = "{dn} carries the anchor of this group and is not its object; the anchor there has no effect."
ANCHOR_CHANGED = "{dn} carried the anchor of {other}; its own is written back."
LINKS_RETURN = "{dn} returns with {count} links that it had: {names}."
DELETED_HIDDEN = (
    "{count} groups are created without a look at deleted objects, which the account may not see: a group that was "
    "deleted and returns would get a new SID."
)
MOVE_HELD = "{dn} stays where it is: its mapping asks for {container}, the rule is unchanged, and moves is hold."
UNDO_LEFT = "{action} of {dn} is not undone: {why}."
UNDO_KEEPS: Mapping[Action, str] = {
    Action.CREATE: "a group that was created is kept, since its SID may be in use; its members go",
    Action.CREATE_CONTAINER: "containers are kept",
    Action.RESTORE: "a group that was restored is kept",
    Action.DETACH: "the next run takes the group up again once it is in scope",
}
OTHER_WRITERS = "These jobs write cloud groups to Active Directory as well: {names}."
OTHER_WRITERS_UNREAD = "Whether a job of Cloud Sync writes the same groups could not be read: {why}."
PENDING_MISSING = (
    "Its object is not on {here}, neither living nor deleted; earlier runs wrote to {there}, and what they wrote "
    "there has not been replicated yet, or was lost."
)
PENDING_DELETION = "Its object {guid}, which an earlier run deleted on {there}, is still alive on {here}."
PENDING_RESTORE = "Its object, which an earlier run restored on {there}, is still deleted on {here}."
PENDING_CONTAINER = "{dn}, which an earlier run created on {there}, is not on {here}."
GONE = (
    "It is out of scope, and its object {guid} is not on {here} any more, nor among the deleted objects that the "
    "account may see. If that is right, gpad_journal with forgotten takes it out of the journal."
)
PENDING_CHANGE = "Nothing is created, restored or deleted on {here} while it lacks what was written on {there}."
MEMBERS_WAIT = (
    "{dn} may return into groups that guard the domain; its members are compared in the next run, which sees that."
)
LINKS_UNREAD = "The members of {dn} could not be read to the end and stay as they are: {why}"
CYCLE = "These groups are members of one another in a circle; each is written as the cloud lists it: {names}."
ORPHAN = (
    "{dn} carries the anchor of a group that Entra ID did not list ({why}); it is kept with {count} members, {age}."
)
RETAINED = "{dn} is kept with {count} members, but no longer updated, {age}: {why}."
RETIRED = "{dn} is retired: {why}{waits}."
FOREIGN: Mapping[str, str] = {
    "foreign_member": "{dn} is a member that the cloud does not list; it is kept (foreign_members).",
    "anchored_member": "{dn} is kept because its anchor names a listed member; check who wrote it.",
    "protected_member": "{dn} is a member that the cloud does not list; protected_members keeps it.",
    "unread_domain": "{dn} is in another domain that no global catalog answers for; it is kept.",
    "unreadable_member_listed": "{dn} is kept while a listed member of its kind cannot be read.",
}

# Changes of the source of authority.
SOA_UNKNOWN = "Who is its master could not be read."
SOA_UNKNOWN_REMEDY = "Grant Group-OnPremisesSyncBehavior.ReadWrite.All, or run again."
SOA_MAIL = "It is mail-enabled: once converted it would be managed in Exchange, and not be provisioned."
SOA_MAIL_REMEDY = "Take it off the list."
SOA_NOT_SYNCED = "It was rolled back, and the sync client has not taken it over yet."
SOA_NATIVE = "It was born in the cloud, so that there is nothing to roll back to."
SOA_NO_FACTS = "Nothing is known of its object {sid} in Active Directory."
SOA_FACTS_REMEDY = "Gather them by gpad_info (soa), at the domain of the group, and give them as directory_facts."
SOA_UNIVERSAL_REMEDY = (
    "Make it universal first: gpad_plan with make_universal, or the role gpad_source_of_authority with "
    "gpad_convert_scope: true."
)
SOA_UNKNOWN_MEMBERS_REMEDY = (
    "Synchronise them, take them out of the group, or name their SIDs in left_behind: they are foreign members then."
)
SOA_SYNC_REMEDY = "Wait for the sync client, gather the facts again, and run again."
SOA_PROVISION_REMEDY = "Provision the group first: after the roll-back Active Directory has its way."
SOA_CLOUD_MEMBERS_REMEDY = "Take them out of the group, and its access packages, in the cloud."
SOA_ANCHOR_REMEDY = (
    "Give it its earlier value: gpad_plan with hand_back, then gpad_group; the role gpad_source_of_authority does so."
)
SOA_EARLIER_REMEDY = "Give it its earlier value by hand, in most cases none, and run again."
SOA_CYCLE = "These groups are members of one another in a circle, so that none of them is the lowest: {names}."
SOA_NESTED_SYNCED = (
    "These groups inside it stay mastered on premises: {names}. Provisioning leaves their membership as it is in "
    "Active Directory, and writes no new one."
)
SOA_NESTED_CLOUD = (
    "These groups inside it stay mastered in the cloud: {names}. The sync client does not carry their membership."
)
SOA_PARENTS = (
    "It is a member of {names}. Those that the sync client still carries to Entra ID lose it there as a member, unless "
    "they are converted as well."
)
SOA_LEFT_BEHIND = "Entra ID does not know these members, and left_behind says that it need not: {names}."
SOA_UNCARRIED = (
    "These groups inside it were converted before, so that the sync client did not carry their membership to Entra ID: "
    "{names}. Add them in the cloud."
)
SOA_CONTACTS = "These members have no SID by which the two sides could be compared: {names}."
SOA_NOT_MANAGED = "{dn} is in none of the managed containers: once it is converted, provisioning does not find it."

REMEDIES: Mapping[str, str] = {
    "duplicate_anchor": "Remove the anchor from the objects that are not the group's, or name them in ignore_objects.",
    "adoption_needs_approval": (
        "Take the right to write it from them, name them in trusted_writers, or decide: adopt_objects, ignore_objects."
    ),
    "deletion_denied": 'Clear "Protect object from accidental deletion" for it, or leave it where it is.',
    "name_collision": "Rename one of the two.",
    "replication_pending": (
        "Wait for the replication and plan again, or use {there}; if an object was lost with {there}, or restored or "
        "deleted by hand since, forget its group by gpad_journal; a container that was lost can be created by hand."
    ),
    "other_writer": "Stop the job, or keep its scope and this one apart and capture with other_writers: disjoint.",
    "object_shared": "Find out whose it is; nothing is written to it until one group alone claims it.",
    "directory_group_missing": (
        "Restore it from a backup, or move it back, so that its SID lives on; if it is lost, forget it by gpad_journal."
    ),
    "other_domain_group": "Provision it with the configuration of its own domain.",
    "converted_group_missing": "Restore it from the AD Recycle Bin, or move it into a managed container.",
    "container_not_managed": "Add the container to managed_containers, or change the target container.",
    "container_missing": "Create it, or change the target container.",
    "protected_group": "Take the group out of scope; it must be managed by hand.",
    "writeback_mark_invalid": "Write Group_<object id of its cloud group> there, or leave the group out.",
    "writeback_not_security": "Leave it out: groups with mail and distribution groups are not provisioned.",
    "writeback_anchor_taken": "Find out which of the two is right, correct the other, or leave the group out.",
}

WRITEBACK_ORIGINS: Mapping[str, str] = {
    "microsoft_365": "Microsoft 365 group, which version 1 writes",
    "mail_enabled": "group with mail",
    "distribution": "distribution group",
}
