#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_plan
short_description: Plan what provisioning would change in Active Directory
description:
  - Compares a snapshot with the target domain and writes a plan, a file of JSON lines with every change, its reason and
    the state before, and a checksum.
  - Groups and members are planned together, and the limits are checked on the whole.
  - People can review the plan; M(hybrid_identity.gpad.gpad_group) and M(hybrid_identity.gpad.gpad_membership) apply it.
  - The task is never changed. RV(would_change) says whether there is something to do.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  snapshot:
    description:
      - Path of the snapshot that M(hybrid_identity.gpad.gpad_scope) wrote. One of this, O(undo),
        O(make_universal), O(hand_back) and O(stamp_anchors) is needed.
    type: path
  undo:
    description:
      - Plans the way back from a run that O(journal) knows, given by its run_id, or from all runs of one plan by its
        plan_id.
      - What was changed since by people or by another run stays as it is and is reported as C(undo_left), as are groups
        that the run created, restored or detached. Members that it added go, members that it took away return, and
        attributes, names and places are what they were. A group that it deleted is restored.
      - Nothing stops the next ordinary run from doing again what was undone. Stop runs, or change what they are told,
        first.
    type: str
  make_universal:
    description:
      - Plans that groups in O(managed_containers) become universal, given by their SIDs, before their source of
        authority is converted. The order is one that Active Directory takes; a group that cannot be made universal is
        reported as C(scope_not_convertible).
      - M(hybrid_identity.gpad.gpad_group) applies the plan.
    type: list
    elements: str
  hand_back:
    description:
      - Plans that the AD groups of these cloud groups, given by object id, get the C(adminDescription) back that they
        had before provisioning took them over, as O(journal) remembers it. That precedes a roll-back of their source of
        authority; if none follows, the next ordinary run marks them again.
      - M(hybrid_identity.gpad.gpad_group) applies the plan.
    type: list
    elements: str
  stamp_anchors:
    description:
      - Plans that groups which writeback V2 of Microsoft Entra Connect wrote get the anchor that their
        C(adminDescription) names, given by their objectGUIDs. They must be in O(managed_containers).
      - Only C(Group_<object id>) is taken, only on security groups without mail. A group that has the anchor already
        is left as it is; one that has another, and several that name the same cloud group, are reported.
      - M(hybrid_identity.gpad.gpad_group) applies the plan. O(undo) takes the anchors back.
    type: list
    elements: str
  journal:
    description:
      - Path of the journal, the memory of the directory side. It may be missing, and is only read, unless O(hold).
    type: path
    required: true
  members:
    description:
      - Only these members are added or removed, for a run on demand from a snapshot that was narrowed by
        O(hybrid_identity.gpad.gpad_scope#module:groups).
      - Members that Entra ID lists are given by object id, former ones by the SID or the distinguished name of their
        account.
    type: list
    elements: str
  hold:
    description:
      - Hold the journal for this plan, from now until M(hybrid_identity.gpad.gpad_membership) has applied it or a run
        of it ended fatally. Other plans are refused meanwhile as C(run_in_progress). Thirty minutes after its last sign
        of life a run that died is taken over.
      - Also brings runs into quarantine when the plan exceeds a limit or the log-on is refused, see O(quarantine).
      - Without it, and in check mode, nothing is stored, and a plan is refused while another run is alive, since what
        it read would not last. That is looked at again just before the plan takes its place.
    type: bool
    default: false
  full_after_hours:
    description:
      - After so many hours all groups are compared again. Until then a plan looks at the groups that changed in Entra
        ID or in Active Directory, themselves or by an account of a member, and at those that the plan before had
        something to change or to say of. What is known of the others stays as it is.
      - All groups are compared on any doubt, too, after a full reading of Entra ID, with other settings, on another
        domain controller or another copy of its directory, and when a mapping depends on the time. RV(reading) says
        why.
      - Links that vanish with a member of another domain of the forest, or come back with it, are found when all groups
        are compared.
      - It takes plans with O(hold) to remember up to where both sides were compared. With V(0) all groups are compared
        each time.
    type: int
    default: 24
  configuration:
    description:
      - Digest of the configuration that the plan is made under, as the roles compute it.
      - Where O(journal) holds a configuration, only plans made under it are applied, once it was enabled.
    type: str
    default: ''
  validate_only:
    description: Checks the options and ends; neither the domain nor a file is read or written.
    type: bool
    default: false
  plan:
    description: Path of the plan to write. An old one is replaced.
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
  target_container:
    required: true
extends_documentation_fragment:
  - hybrid_identity.gpad._directory
  - hybrid_identity.gpad._settings
  - hybrid_identity.gpad._mappings
  - hybrid_identity.gpad._quarantine
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.directory
attributes:
  check_mode:
    support: full
    details: The plan is written in check mode, too, and marked, so that it cannot be applied.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_scope
  - module: hybrid_identity.gpad.gpad_group
  - module: hybrid_identity.gpad.gpad_membership
  - module: hybrid_identity.gpad.gpad_info
"""

EXAMPLES = r"""
---
- name: Plan
  hybrid_identity.gpad.gpad_plan:
    domain_server: dc1.contoso.com
    domain_username: svc-gpad@contoso.com
    domain_password: "{{ vault_domain_password }}"
    domain_ca_cert: /etc/gpad/contoso-ca.pem
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    target_container: OU=Groups,DC=contoso,DC=com
    snapshot: /var/lib/gpad/contoso.com/snapshot.sqlite3
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    plan: /var/lib/gpad/contoso.com/plan.jsonl
  register: plan

- name: Show what would happen
  ansible.builtin.debug:
    var: plan.report

- name: Plan the way back from a run
  hybrid_identity.gpad.gpad_plan:
    domain_server: dc1.contoso.com
    domain_username: svc-gpad@contoso.com
    domain_password: "{{ vault_domain_password }}"
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    target_container: OU=Groups,DC=contoso,DC=com
    undo: 4f1d1f0a7c5e4f4e9a0d1e2f3a4b5c6d
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    plan: /var/lib/gpad/contoso.com/undo.jsonl
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
  sample: {groups_created: 2, members_added: 5, groups_with_member_changes: 2, operations: 12}
changes:
  description:
    - The changes, groups before members. In check mode what would change; else what was changed.
    - The two are equal when nothing fails.
  returned: always
  type: list
  elements: dict
  sample:
    - action: members
      id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: Sales
      dn: CN=Sales_2b6d3f6f6b10,OU=Sales,DC=contoso,DC=com
      added: 1
      removed: 0
      add:
        - id: 9b0f8f0e-6e9a-4d39-9f5c-1d0a7c7f5a01
          name: Britta Simon
      remove: []
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
would_change:
  description: Whether carrying the plan out would write to the directory.
  returned: when the run came to its end
  type: bool
  sample: true
plan:
  description: Path of the plan.
  returned: when the run came to its end
  type: str
  sample: /var/lib/gpad/contoso.com/plan.jsonl
plan_id:
  description: A word that no other plan has.
  returned: when the run came to its end
  type: str
  sample: 0d7c2f1d0b0c4c0f8f7b6a1d2e3f4a5b
checksum:
  description:
    - SHA-256 of tenant, domain, rule for containers, items and exceeded limits, by which a reviewed plan can be told
      from another. The same changes planned again have the same one.
  returned: when the run came to its end
  type: str
  sample: 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b
steps:
  description:
    - What each group, and each of its members after it, went through, a phrase for each of the four steps; of the
      chosen members alone, where O(members) is given. Cut at O(max_results).
    - C(result) is V(planned), V(unchanged), V(skipped) or V(failed).
  returned: when the snapshot was captured for a few named groups
  type: list
  elements: dict
  sample:
    - id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: Sales
      imported: Entra ID has it, with 2 direct members
      scope: in scope (selected)
      match: CN=Sales_2b6d3f6f6b10,OU=Groups,DC=contoso,DC=com
      action: none
      result: unchanged
      group_id: ''
      group_name: ''
server:
  description: The domain controller that was read.
  returned: when the run came to its end
  type: str
  sample: dc1.contoso.com
reading:
  description:
    - Whether all groups were compared (V(full)) or those that changed (V(changes)), and why all of them were.
  returned: when the plan is made from a snapshot
  type: dict
  sample: {kind: changes, why: ''}
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
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.planning import run

    run()


if __name__ == "__main__":
    main()
