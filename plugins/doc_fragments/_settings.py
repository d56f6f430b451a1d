# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options that decide what the directory should hold."""

    DOCUMENTATION = r"""
options:
  mark_authority:
    description:
      - Mark groups as mastered by the cloud, C(Cloud) in C(msDS-ObjectSoa), so that domain controllers that enforce
        the source of authority refuse changes by others. O(attribute_mappings) may then have no mapping for it.
      - The mark goes when a group is detached or handed back. Where the schema lacks the attribute, nothing is done.
      - Before that, the account must be in the policy, see C(enforcement) of M(hybrid_identity.gpad.gpad_info).
    type: bool
    default: false
  moves:
    description:
      - Whether changed data in the cloud may move a group to another container. A changed O(target_container) always
        moves groups.
      - V(hold) keeps the group where it is and reports it, V(follow) moves it. Who may rename a group in the cloud
        could otherwise put it under the rights of another container.
    type: str
    choices: [hold, follow]
    default: hold
  create_containers:
    description:
      - Create target containers that are missing, inside O(managed_containers). Otherwise a missing one is an error of
        the groups that want it.
    type: bool
    default: false
  name_collision:
    description:
      - What happens when another object has the C(cn) in that container, or the C(sAMAccountName) in the domain.
      - V(fail) is an error of that group, V(suffix) appends the last part of the group's object id.
    type: str
    choices: [fail, suffix]
    default: fail
  foreign_members:
    description:
      - What happens to members that the cloud does not list.
      - V(accepted) removes them from groups that were created here, and keeps and reports them on groups that were
        there before.
      - V(remove) removes them from all managed groups, V(keep) from none.
      - A member that is no longer listed, but is known to Entra ID or was added by an earlier run, has left the group
        and is removed in any case, unless O(protected_members) names it.
      - M(hybrid_identity.gpad.gpad_journal) accepts the foreign members of a group, so that V(accepted) removes them.
    type: str
    choices: [accepted, remove, keep]
    default: accepted
  protected_groups:
    description:
      - Groups that are never written, each by sAMAccountName, SID or distinguished name.
      - Built-in groups, groups with a relative identifier below 1000, critical system objects, groups whose
        C(adminCount) is 1, and whatever is inside one of these or of the named groups at any depth, never are, in any
        case.
    type: list
    elements: str
    default: []
  protected_members:
    description:
      - Accounts that are never removed from a group, each by SID or distinguished name.
    type: list
    elements: str
    default: []
  max_members:
    description:
      - A cloud group with more direct members than this is refused with an error. 50,000 is the limit of Microsoft's
        own provisioning.
    type: int
    default: 50000
  limits:
    description:
      - How much one run may change. Each is checked on the whole plan before the first write; when one is exceeded,
        nothing is written.
      - A kind that is not given keeps its default, which is stated with it.
      - A kind that is given replaces its default as a whole.
    type: dict
    default: {}
    suboptions:
      containers:
        description: Containers to be created. By default 100.
        type: dict
        suboptions: &limit
          count:
            description: The most that one run may do.
            type: int
          percent:
            description: The most that one run may do, in percent of what the managed containers hold now.
            type: int
          floor:
            description: Up to this many, O(limits) does not look at the percentage, so that small sets can change.
            type: int
            default: 0
      creations:
        description: Groups to be created. By default 500.
        type: dict
        suboptions: *limit
      restores:
        description: Deleted groups to be restored. By default 50.
        type: dict
        suboptions: *limit
      adoptions:
        description: Groups already there to be taken over, or to get their anchors in a migration. By default 500.
        type: dict
        suboptions: *limit
      conversions:
        description: Groups to be made universal. By default 200.
        type: dict
        suboptions: *limit
      updates:
        description: Groups whose attributes change. By default 50 percent from 100 up.
        type: dict
        suboptions: *limit
      renames:
        description: Groups to be renamed. By default 200, or 30 percent from 10 up.
        type: dict
        suboptions: *limit
      moves:
        description: Groups to be moved to another container. By default 200, or 30 percent from 10 up.
        type: dict
        suboptions: *limit
      member_additions:
        description: Members to be added, over all groups. By default 20000, or as many as there are from 2000 up.
        type: dict
        suboptions: *limit
      member_removals:
        description: Members to be removed, over all groups. By default 2000, or 30 percent from 20 up.
        type: dict
        suboptions: *limit
      groups_emptied:
        description: Groups that lose all their members, whoever comes instead. By default 20, or 10 percent from 3 up.
        type: dict
        suboptions: *limit
      group_additions:
        description: Members to be added to any one group. A percentage refers to the members that it holds. By default
          5000.
        type: dict
        suboptions: *limit
      group_removals:
        description: Members to be removed from any one group. A percentage refers to the members that it holds. By
          default 50 percent from 50 up.
        type: dict
        suboptions: *limit
      retirements:
        description: Groups that are emptied, moved, detached or deleted since their cloud group left. By default 50,
          or 10 percent from 5 up.
        type: dict
        suboptions: *limit
      deletions:
        description: Groups to be deleted. By default 20, or 5 percent from 3 up.
        type: dict
        suboptions: *limit
      scope_losses:
        description: How many groups fewer are in scope than in the snapshot that was applied last. By default 30
          percent from 10 up. When no group is left, the run is stopped whatever is given here.
        type: dict
        suboptions: *limit
      membership_losses:
        description: How many fewer direct members the groups in scope have than in the snapshot that was applied last.
          By default 30 percent from 20 up.
        type: dict
        suboptions: *limit
  snapshot_key:
    description:
      - What the snapshot must be signed with, the same as O(hybrid_identity.gpad.gpad_scope#module:snapshot_key). A
        snapshot without a signature, or with a wrong one, is refused.
      - From the first run that applies such a snapshot on, the journal remembers which key it was, and an unsigned
        snapshot or another key is refused. M(hybrid_identity.gpad.gpad_journal) lets a new key follow.
      - A plan that is given is not signed. It stays on this side, and holds of which key its snapshot was.
    type: str
  max_snapshot_age:
    description:
      - A snapshot, or the snapshot behind a plan, that is older than so many hours is refused, since what was taken
        away meanwhile would be given again. The way back from a run is planned without a snapshot, whatever its age.
    type: int
    default: 24
  retry_hours:
    description:
      - Hours to the next try of a group or of its members, after the first failure, the second, and so on; the last
        repeats. Until then it is reported as C(waiting_for_retry), unless what it should be changes. Failures that the
        next plan settles are tried in the next run.
    type: list
    elements: int
    default: [6, 12, 24]
  retry_days:
    description:
      - So many days after its first failure it is no longer tried, until what it should be changes, or somebody asks.
    type: int
    default: 28
  retry_now:
    description:
      - Plans what waits for its next try, too.
    type: bool
    default: false
  convert_scope:
    description:
      - Make groups universal that are global or domain local, where the nesting rules of Active Directory allow it;
        otherwise such a group is an error that says what stands in the way.
      - Access through a domain local group reaches other domains once the group is universal.
    type: bool
    default: false
  trusted_writers:
    description:
      - SIDs of accounts and groups that may write managed groups, beside the domain's own administrators and the
        account of the run. Name here the account of another provisioning job whose groups are to be taken over.
      - A group that carries an anchor and is not known to the journal is adopted, or restored, only if nobody else may
        write its members, its anchor, its access control list or its owner.
    type: list
    elements: str
    default: []
  adopt_objects:
    description:
      - objectGUIDs of groups that are adopted whoever may write them. An error C(adoption_needs_approval) names the
        GUID to look at and to put here, or into O(ignore_objects).
    type: list
    elements: str
    default: []
  ignore_objects:
    description:
      - objectGUIDs of objects whose anchor is not believed. The cloud group gets an object of its own.
    type: list
    elements: str
    default: []
  retire:
    description:
      - What becomes of a directory group whose cloud group left. Nothing is done to a group that the journal does not
        know, from a capture that is not complete, or without evidence of how the group left; such groups are reported.
      - V(keep) leaves the group and its members and reports them in each run, V(empty) takes the members out and keeps
        the object with its SID, V(detach) takes the marks of provisioning off and forgets the group, V(move) moves it
        to O(retire.container).
      - A group whose source of authority was rolled back is always kept.
    type: dict
    default: {}
    suboptions:
      deleted:
        description:
          - Deleted for good, found neither among groups nor deleted items twice, a quarter of an hour apart.
          - V(delete) takes the members out at once and deletes the object after O(retire.grace_days).
        type: str
        choices: [keep, empty, detach, move, delete]
        default: delete
      soft_deleted:
        description: Among the deleted items, from where it can be restored for 30 days.
        type: str
        choices: [keep, empty, detach, move]
        default: empty
      out_of_scope:
        description: No longer selected, assigned or let in by a filter, or no longer a security group.
        type: str
        choices: [keep, empty, detach, move]
        default: keep
      mail_enabled:
        description: Mail-enabled, or a Microsoft 365 group, by now.
        type: str
        choices: [keep, empty, detach, move]
        default: keep
      grace_days:
        description: Days from the first finding that a group is deleted for good to the deletion of its object.
        type: int
        default: 30
      container:
        description: Distinguished name of the container that V(move) moves to, inside O(managed_containers).
        type: str
"""
