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
      - A member that is no longer listed, but is a member of another group in scope, has left the group and is removed
        in any case, unless O(protected_members) names it.
    type: str
    choices: [accepted, remove, keep]
    default: accepted
  protected_groups:
    description:
      - Groups that are never written, each by sAMAccountName, SID or distinguished name.
      - Built-in groups, groups with a relative identifier below 1000, critical system objects and groups whose
        C(adminCount) is 1 never are, in any case.
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
      - A kind that is not given keeps its default, which is stated with it. Kinds without a default have no limit.
      - A kind that is given replaces its default as a whole.
    type: dict
    default: {}
    suboptions:
      containers:
        description: Containers to be created.
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
        description: Groups to be created.
        type: dict
        suboptions: *limit
      adoptions:
        description: Groups already there to be taken over.
        type: dict
        suboptions: *limit
      updates:
        description: Groups whose attributes change.
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
        description: Members to be added, over all groups.
        type: dict
        suboptions: *limit
      member_removals:
        description: Members to be removed, over all groups. By default 2000, or 30 percent from 20 up.
        type: dict
        suboptions: *limit
      groups_emptied:
        description: Groups that lose all their members. By default 20, or 10 percent from 3 up.
        type: dict
        suboptions: *limit
"""
