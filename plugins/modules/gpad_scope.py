#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_scope
short_description: Declare which Entra groups are provisioned, and capture them in a snapshot
description:
  - Reads groups, their members and their source of authority from Microsoft Graph into a snapshot file, and says of
    every group whether it is in scope, and by which clause.
  - A fixed clause is evaluated first. A group must be a security group, not mail-enabled, and not mastered on premises.
    A group that was mastered on premises is in scope only if its source of authority was read as the cloud.
  - The snapshot is a cache. It is the input of M(hybrid_identity.gpad.gpad_plan), on this host or another.
  - The task is never changed, since nothing but the snapshot is written. It writes the snapshot in check mode, too, and
    marks it, so that nothing is applied from it.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  snapshot:
    description:
      - Path of the snapshot, a SQLite file, readable by its owner only. An old one is replaced by a whole new one.
    type: path
    required: true
  snapshot_key:
    description:
      - Signs the snapshot, in a file beside it whose name ends in C(.sig), so that a host that gets both sees whether
        they are what was captured. 32 characters or more, which only the hosts of both sides have. C(openssl rand
        -base64 48) makes one.
    type: str
  preflight:
    description:
      - Look at what the application may do, at the tenant, and at jobs of Cloud Sync, return that as RV(preflight), and
        capture nothing. O(snapshot) is left as it is.
      - The role C(hybrid_identity.gpad.gpad_preflight) joins this table with that of
        M(hybrid_identity.gpad.gpad_info).
    type: bool
    default: false
  scope_mode:
    description:
      - V(selected) takes the groups in O(selected_groups) and O(selected_groups_file), V(assigned) those that are
        assigned to O(service_principals), V(all) every group that the fixed clause lets through.
    type: str
    choices: [all, selected, assigned]
    default: selected
  selected_groups:
    description:
      - The groups, each by object id or by a displayName that only it has. An entry that fits none or several is an
        error, and the others are captured all the same.
    type: list
    elements: str
    default: []
  selected_groups_file:
    description:
      - Path of a text file with more of them, one a line; lines that begin with C(#) are comments.
    type: path
  groups:
    description:
      - Captures only these of the groups, for a run on demand, each by object id or by a displayName that only it has;
        15 at the most. Whether they are in scope is decided as ever.
      - The snapshot is marked. A plan from it concerns these groups alone, and retires and deletes nothing. Give it a
        path of its own, so that the snapshot of the ordinary runs stays.
    type: list
    elements: str
  validate_only:
    description: Checks the options and ends; nobody is asked, and no snapshot is written.
    type: bool
    default: false
  service_principals:
    description:
      - Object ids of the service principals of provisioning jobs of Cloud Sync, whose assigned groups are taken. They
        are only read.
    type: list
    elements: str
    default: []
  app_role_ids:
    description:
      - The application roles by which groups are assigned; if not given, the one that Cloud Sync uses in O(cloud).
    type: list
    elements: str
    default: []
  other_writers:
    description:
      - What happens when a job of Cloud Sync runs that writes cloud groups to Active Directory as well. It is looked
        for with the permissions C(Application.Read.All) and C(Synchronization.Read.All); without them it is not known.
      - With V(refuse) the snapshot names it, and nothing is applied from the snapshot. With V(disjoint) you vouch that
        the job has no group of this scope.
    type: str
    choices: [refuse, disjoint]
    default: refuse
  full_after_hours:
    description:
      - After so many hours Entra ID is read to its end again. Between two such readings only what changed is read, by
        delta queries, into a copy of the snapshot before.
      - It is read to its end on any doubt, too, when the snapshot before is missing or was not whole, when other
        properties are asked for or the permissions changed, and when the service does not know its own links any more.
        RV(reading) says why.
      - The source of authority of converted groups, the assignments of jobs and the members of groups that filters name
        are read in each run, since no delta query tells of them.
      - At most 168, since the service remembers changes for seven days. With V(0) everything is read each time.
    type: int
    default: 24
  filters:
    description:
      - Attribute filters. A group is in scope when the mode takes it and one of the filters lets it in; without filters
        the mode alone decides.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: A name for the result; if not given, the clauses stand there.
        type: str
        default: ''
      clauses:
        description: Conditions that must all hold.
        type: list
        elements: dict
        required: true
        suboptions:
          attribute:
            description:
              - A property of the group in Microsoft Graph with one value, or a directory extension.
              - With V(IS_MEMBER_OF) it is not looked at.
            type: str
            default: id
          operator:
            description:
              - The operator, as the portal names it, and V(STARTS_WITH) and V(IS_MEMBER_OF).
              - Comparisons heed case. A null or empty value makes every clause false but V(IS NULL).
              - A regular expression is searched for; anchor it with C(^) and C($) to match the whole value.
              - V(IS_MEMBER_OF) takes the object id of a group and holds for its direct members.
            type: str
            required: true
            choices:
              - EQUALS
              - NOT EQUALS
              - GREATER_THAN
              - GREATER_THAN_OR_EQUALS
              - IS TRUE
              - IS FALSE
              - IS NULL
              - IS NOT NULL
              - PRESENT
              - REGEX MATCH
              - NOT REGEX MATCH
              - INCLUDES
              - STARTS_WITH
              - ENDS_WITH
              - IS_MEMBER_OF
              - '&'
              - '!&'
          value:
            description: What to compare with.
            type: raw
  properties:
    description:
      - Further properties to capture. Those that O(filters), O(target_container) and O(attribute_mappings) name are
        captured anyway.
    type: list
    elements: str
    default: []
  match_users_by:
    description:
      - By what users are found in Active Directory, which decides what is read of them. The SID is read in any case.
      - V(object_identifier) also reads C(onPremisesObjectIdentifier), which is the objectGUID of the account. The beta
        end point of Microsoft Graph alone has it, so that members are read there.
      - V(immutable_id) also reads C(onPremisesImmutableId), C(onPremisesSamAccountName) and C(onPremisesDomainName). An
        administrator can set the first by hand, so that it counts only where the other two agree.
    type: list
    elements: str
    choices: [security_identifier, object_identifier, immutable_id]
    default: [security_identifier]
  plan:
    description:
      - Path of the plan of the run before. It names the groups and linked objects that Active Directory holds and that
        the snapshot did not know, and Entra ID is asked what became of them.
      - Of a group that exists the decision is captured as of any other; of one that does not, whether it is among the
        deleted items, or since when it is absent. One that was absent before keeps that time, if the old snapshot
        stands at O(snapshot) and was not captured in check mode.
      - Of a linked object it is captured whether a user or a group of Entra ID has its SID.
      - Without it, or if there is no file, nothing is asked.
    type: path
extends_documentation_fragment:
  - hybrid_identity.gpad._entra
  - hybrid_identity.gpad._mappings
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.entra
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_plan
  - module: hybrid_identity.gpad.gpad_group
  - module: hybrid_identity.gpad.gpad_membership
  - module: hybrid_identity.gpad.gpad_info
"""

EXAMPLES = r"""
---
- name: Capture two groups
  hybrid_identity.gpad.gpad_scope:
    tenant_id: 8a1f2b6e-6f0f-4c58-9c38-0d0a5b0f6b11
    client_id: 3f0a6a0e-1f6c-4d2c-9d55-7b9d2b1e9c22
    client_certificate_path: /etc/gpad/application.pem
    snapshot: /var/lib/gpad/contoso.com/snapshot.sqlite3
    scope_mode: selected
    selected_groups:
      - Sales
      - Marketing

- name: Capture them, and ask what became of groups that Active Directory still holds
  hybrid_identity.gpad.gpad_scope:
    tenant_id: 8a1f2b6e-6f0f-4c58-9c38-0d0a5b0f6b11
    client_id: 3f0a6a0e-1f6c-4d2c-9d55-7b9d2b1e9c22
    client_certificate_path: /etc/gpad/application.pem
    snapshot: /var/lib/gpad/contoso.com/snapshot.sqlite3
    plan: /var/lib/gpad/contoso.com/plan.jsonl
    selected_groups:
      - Sales
      - Marketing
"""

RETURN = r"""
---
outcome:
  description:
    - How the run ended. V(ok) alone lets the task succeed.
    - V(partial) means that some objects failed and all others were handled, V(incomplete) that something could not be
      read to its end, so that nothing was taken away on its account.
    - V(blocked) means that a limit or another run stands in the way, V(fatal) that nothing could be done.
  returned: always
  type: str
  sample: ok
fatal:
  description: Whether the outcome is V(blocked) or V(fatal), so that later steps have nothing to work on.
  returned: always
  type: bool
  sample: false
summary:
  description:
    - Counts of what happened, never cut.
    - With O(plan), C(groups_asked) counts the groups asked for by id, of which C(groups_soft_deleted) and
      C(groups_absent) do not exist, and C(sids_asked) the SIDs, of which C(sids_found) are known.
  returned: always
  type: dict
  sample:
    groups_absent: 0
    groups_asked: 1
    groups_in_scope: 2
    groups_soft_deleted: 1
    memberships: 5
    requests: 6
    sids_asked: 3
    sids_found: 1
changes:
  description:
    - The changes, groups before members. In check mode what would change; else what was changed.
    - The two are equal when nothing fails.
  returned: always
  type: list
  elements: dict
  sample: []
skips:
  description: Groups and members left alone, each with a code and a reason.
  returned: always
  type: list
  elements: dict
  sample:
    - id: 0c1d9a55-8d4b-4f0c-9a5b-6c1f0a4b7d11
      name: Robin Cloud
      code: cloud_only_user
      reason: the user has no account on premises
      group_id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      group_name: Sales
errors:
  description: Objects that failed, each with code, reason and remedy.
  returned: always
  type: list
  elements: dict
  sample: []
notices:
  description: What people should know and that stopped nothing, each with a code and a reason.
  returned: always
  type: list
  elements: dict
  sample: []
preflight:
  description: What was looked at, in the shape of the table of M(hybrid_identity.gpad.gpad_info).
  returned: with O(preflight)
  type: list
  elements: dict
  sample:
    - check: Graph permission User.Read.All
      status: failed
      found: 'not granted: the SIDs of users'
      remedy: Grant User.Read.All to the application, and consent to it.
report:
  description: The same for people, a line each.
  returned: when the run came to its end
  type: list
  elements: str
  sample:
    - 'Sales: members +1 -0: +Britta Simon'
snapshot:
  description: Path of the snapshot.
  returned: when the run came to its end
  type: str
  sample: /var/lib/gpad/contoso.com/snapshot.sqlite3
captured_at:
  description: When the snapshot was captured, UTC.
  returned: when the run came to its end
  type: str
  sample: '2026-11-21T10:00:00Z'
reading:
  description:
    - Whether Entra ID was read to its end (V(full)) or only what changed (V(changes)), and why it was read to its end.
  returned: when the run came to its end
  type: dict
  sample: {kind: changes, why: ''}
groups:
  description: Every captured group with the decision on it.
  returned: when the run came to its end
  type: list
  elements: dict
  sample:
    - id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: Sales
      in_scope: true
      clause: selected
      reason: in scope
entered:
  description: Groups in scope that the last snapshot did not have in scope.
  returned: when the run came to its end
  type: list
  elements: dict
  sample: []
left:
  description: Groups that the last snapshot had in scope and this one has not.
  returned: when the run came to its end
  type: list
  elements: dict
  sample: []
"""


from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.interpreter import require_interpreter


def main():
    require_interpreter()
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.capturing import run

    run()


if __name__ == "__main__":
    main()
