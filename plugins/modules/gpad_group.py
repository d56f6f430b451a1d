#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_group
short_description: Create, adopt, update, rename and move Active Directory groups
description:
  - Makes the group objects in the managed containers what the cloud says they should be, members aside.
  - A group born in the cloud is found by the objectGUID in the journal or by its anchor, the attribute
    C(msDS-ExternalDirectoryObjectId), a converted group by its SID, and none by its name.
  - A rename and a move are one modifyDN, so that the object keeps its SID. No group is deleted and created again.
  - A group that cannot be handled does not stop the others; the task then fails at its end and names it.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  plan:
    description:
      - Path of a plan that M(hybrid_identity.gpad.gpad_plan) wrote. Its group part is carried out, each object only if
        it is as it was when the plan was made.
      - A plan is used once, and no more after a newer one was.
    type: path
  snapshot:
    description:
      - Path of a snapshot. Without O(plan), the module plans, checks the limits and carries out its own part alone.
    type: path
  approve:
    description:
      - Checksum of the plan at O(plan), as M(hybrid_identity.gpad.gpad_plan) returned it. Whoever gives it reviewed
        that plan and lets it exceed its limits; no plan of other changes is applied.
      - The journal is held for the plan until M(hybrid_identity.gpad.gpad_membership) has applied it, as with
        O(hybrid_identity.gpad.gpad_plan#module:hold), and what the plan leaves out is told once more.
    type: str
  log_path:
    description:
      - Path of a file to which the provisioning log is appended, a line of JSON for each outcome in the shape of
        Microsoft Graph's C(provisioningObjectSummary). Created with mode 0600; it may be rotated away between runs.
      - A file that cannot be written is an error of a run that was carried out, C(partial).
      - The journal keeps the same log; see O(hybrid_identity.gpad.gpad_info#module:log).
    type: path
  journal:
    description:
      - Path of the journal, the memory of the directory side, a SQLite file; created when missing.
    type: path
    required: true
  domain_server:
    required: true
  domain_username:
    required: true
  domain_password:
    required: true
  managed_containers:
    required: true
extends_documentation_fragment:
  - hybrid_identity.gpad._directory
  - hybrid_identity.gpad._settings
  - hybrid_identity.gpad._mappings
  - hybrid_identity.gpad._quarantine
  - hybrid_identity.gpad._slices
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.directory
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_scope
  - module: hybrid_identity.gpad.gpad_plan
  - module: hybrid_identity.gpad.gpad_membership
  - module: hybrid_identity.gpad.gpad_info
"""

EXAMPLES = r"""
---
- name: Carry out the group part of a plan
  hybrid_identity.gpad.gpad_group:
    domain_server: dc1.contoso.com
    domain_username: svc-gpad@contoso.com
    domain_password: "{{ vault_domain_password }}"
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    plan: /var/lib/gpad/contoso.com/plan.jsonl
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
  description: Counts of what happened, never cut.
  returned: always
  type: dict
  sample: {groups_created: 1, operations: 9}
changes:
  description:
    - The changes, groups before members. In check mode what would change; else what was changed.
    - The two are equal when nothing fails.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: Sales
      dn: CN=Sales_2b6d3f6f6b10,OU=Sales,DC=contoso,DC=com
      reason: new
      attributes:
        displayName:
          before: []
          after: [Sales]
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
report:
  description: The same for people, a line each.
  returned: when the run came to its end
  type: list
  elements: str
  sample:
    - 'Sales: members +1 -0: +Britta Simon'
plan_id:
  description: The plan that was carried out.
  returned: when the run came to its end
  type: str
  sample: 0d7c2f1d0b0c4c0f8f7b6a1d2e3f4a5b
slices:
  description:
    - Of C(hand_over) how many slices there are (C(count)), until when they may write (C(until)), and how many changes
      each has, containers aside (C(changes)).
    - Of C(merged) how many there are, which came back (C(merged)), which did not (C(missing)), and which came back and
      had left changes undone (C(unfinished)).
  returned: with C(hand_over) or C(merged), when the run came to its end
  type: dict
  sample: {count: 4, merged: [0, 1, 3], missing: [2], unfinished: []}
quarantine:
  description:
    - Whether runs are in quarantine (C(active)), since when and why, when the next is let through, and whether this
      call brought them there (C(entered)).
  returned: when the journal could be read
  type: dict
  sample: {active: false, entered: false, reason: '', since: '', next_at: '', message: ''}
"""


from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.interpreter import require_interpreter


def main():
    require_interpreter()
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.applying import run_groups

    run_groups()


if __name__ == "__main__":
    main()
