#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_info
short_description: Show what is managed, what ran and what failed, and what decides on a change of authority
description:
  - Reads the snapshot, the journal and the target domain, and writes nothing.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  gather:
    description:
      - What to show.
      - V(groups) are the managed groups with GUID and SID. Needs the connection and O(journal).
      - V(orphans) are managed groups that the snapshot does not list. Needs the connection and O(snapshot).
      - V(drift) are the changes that a run would make now, in RV(changes). Needs the connection, O(snapshot),
        O(journal) and O(target_container).
      - V(snapshot) is what the snapshot says of itself. Needs O(snapshot).
      - V(preflight) is a table of what the account may do, the server can do and the domain holds, found out without
        writing. Each row has a C(check), its C(status), what was C(found), and the C(remedy). The C(status) is C(ok),
        C(warning), C(failed), or C(unknown) for what could not be found out. A server that cannot be reached is a row,
        too. Needs the connection. O(attribute_mappings) tells which attributes must be writable, O(snapshot) the sizes
        of groups.
      - V(runs) are the latest runs, newest first, with the plan that holds the journal now, C(lease), with the minutes
        for which its slices may write, C(lent_minutes), whether a call plans or writes at this moment, C(locked), and
        the C(quarantine). V(failing) are the objects whose latest change failed, with C(tries), C(first_at) and
        C(next_at) of those that wait for another try. Both need O(journal).
      - V(log) is the provisioning log of the journal, newest first, as O(log) chooses, each entry in the shape of
        Microsoft Graph's C(provisioningObjectSummary). What is left alone is an entry when it begins, not in each run.
        Needs O(journal).
      - V(soa) is what decides on the source of authority of O(soa_groups), for M(hybrid_identity.gpad.gpad_soa), with
        C(dn), C(name), C(guid), C(sid), C(scope), C(admin_description), C(members) by SID and C(member_of) of each; why
        it is C(guarded), if it is, and whether it is C(managed). Those that are not there are C(soa_missing). Needs the
        connection.
      - V(writeback) are the groups of O(writeback_containers), for a migration from writeback V2 of Microsoft Entra
        Connect, with their C(origin); the eleven C(checks) before they are taken over, each row with C(check),
        C(group), C(guid), C(status), C(found) and C(remedy); and the objectGUIDs of those that are C(ready). Needs the
        connection; O(snapshot) and O(target_container) for the checks that look at the cloud and at names. In the file
        O(report_path) each group has its members, which makes that file an export; in the result it has their number.
      - V(enforcement) is how domain controllers enforce the source of authority. C(policies) are those in
        C(CN=SOA-Policies,CN=System), each with its C(mode), who is C(allowed), an C(explanation), and whether the
        account is in it, C(own_account_listed), null where the server hides the account's token. Where it is not, there
        is the C(change) for a Domain Admin to review, as C(powershell) and as C(ldif), which is never applied, or
        C(no_change_because). C(controllers) says which ones cannot enforce.
        Needs the connection.
    type: list
    elements: str
    choices: [groups, orphans, drift, snapshot, runs, failing, log, preflight, soa, enforcement, writeback]
    default: [groups, runs]
  snapshot:
    description: Path of the snapshot.
    type: path
  journal:
    description: Path of the journal. A missing one counts as empty.
    type: path
  soa_groups:
    description: The groups of which V(soa) tells, by SID or DN, wherever in the domain they are.
    type: list
    elements: str
    default: []
  writeback_containers:
    description: Where writeback V2 wrote its groups. By default O(managed_containers).
    type: list
    elements: str
    default: []
  writeback_leave:
    description: The objectGUIDs of groups that are left as they are, whatever the checks find.
    type: list
    elements: str
    default: []
  writeback_export:
    description:
      - Path of a report that this module wrote with V(writeback) before the migration.
      - C(differences) are then what is not as it was, each with C(what), C(before), C(after), C(reason) and whether it
        is C(expected) since O(journal) explains it. C(taken_over) are the objectGUIDs of those groups that O(journal)
        knows as the objects of cloud groups. Needs O(journal).
    type: path
  log:
    description: Which entries of the provisioning log to show. What is not given lets all pass.
    type: dict
    default: {}
    suboptions:
      id:
        description: Object id of a cloud group, or of a member that was left alone.
        type: str
        default: ''
      name:
        description: A part of its displayName, whatever the case.
        type: str
        default: ''
      status:
        description: V(done) shows as C(success), V(partial) as C(warning), V(failed) as C(failure).
        type: str
        choices: [done, partial, failed, skipped]
      action:
        description: What was done. V(skip) is what was left alone, V(plan) what could not be planned.
        type: str
        choices:
          - create_container
          - create
          - restore
          - adopt
          - convert
          - update
          - stamp
          - rename
          - move
          - rename_and_move
          - detach
          - delete
          - members
          - skip
          - plan
      code:
        description: The word for what went wrong.
        type: str
        default: ''
      run:
        description: A run_id or plan_id.
        type: str
        default: ''
      since:
        description: Entries from this time on, ISO 8601; UTC, where it names no zone.
        type: str
        default: ''
      until:
        description: Entries before this time.
        type: str
        default: ''
extends_documentation_fragment:
  - hybrid_identity.gpad._directory
  - hybrid_identity.gpad._settings
  - hybrid_identity.gpad._mappings
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.directory
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the drift, where it is gathered.
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_scope
  - module: hybrid_identity.gpad.gpad_plan
  - module: hybrid_identity.gpad.gpad_group
  - module: hybrid_identity.gpad.gpad_membership
"""

EXAMPLES = r"""
---
- name: Show what was refused since yesterday
  hybrid_identity.gpad.gpad_info:
    gather: [log]
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    log:
      status: failed
      since: '2026-11-20'

- name: List the latest runs and what failed
  hybrid_identity.gpad.gpad_info:
    gather: [runs, failing]
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    max_results: 10

- name: Gather what decides on the source of authority of a group
  hybrid_identity.gpad.gpad_info:
    domain_server: contoso.com
    domain_username: svc-gpad@contoso.com
    domain_password: "{{ vault_domain_password }}"
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    gather: [soa]
    soa_groups:
      - CN=File Server Admins,OU=Groups,DC=contoso,DC=com
  register: facts
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
  sample: {}
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
report:
  description: The same for people, a line each.
  returned: when the run came to its end
  type: list
  elements: str
  sample:
    - 'Sales: members +1 -0: +Britta Simon'
info:
  description: What was gathered, by the words of O(gather).
  returned: when the run came to its end
  type: dict
  sample:
    runs:
      - run_id: 4f1d1f0a7c5e4f4e9a0d1e2f3a4b5c6d
        module: gpad_membership
        plan_id: 0d7c2f1d0b0c4c0f8f7b6a1d2e3f4a5b
        started_at: '2026-11-21T10:00:03.000000Z'
        ended_at: '2026-11-21T10:00:04.000000Z'
        outcome: ok
        summary: {members_added: 1}
"""


from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.interpreter import require_interpreter


def main():
    require_interpreter()
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.inspecting import run

    run()


if __name__ == "__main__":
    main()
