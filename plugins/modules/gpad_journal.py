#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_journal
short_description: Write down decisions that the journal keeps
description:
  - Changes what the journal remembers. It speaks to neither Entra ID nor Active Directory.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  journal:
    description: Path of the journal, which must exist, unless O(quarantined) or O(configured) is given.
    type: path
    required: true
  accepted:
    description:
      - Object ids of cloud groups whose foreign members were looked at and may go. From the next plan on these groups
        are treated like groups that were created here, see O(hybrid_identity.gpad.gpad_plan#module:foreign_members).
      - It cannot be taken back. Whoever is to stay belongs into the cloud group, or into
        O(hybrid_identity.gpad.gpad_plan#module:protected_members).
    type: list
    elements: str
    default: []
  forgotten:
    description:
      - Object ids of cloud groups whose directory object the journal shall forget, after the error
        C(directory_group_missing) and when the object can no longer be restored. The next run creates a new object,
        with another SID.
      - The same after the error C(replication_pending), when the object was lost with the domain controller that it was
        written on, or when it was deleted by a run and restored by hand, or the other way round.
      - The same after the notice C(directory_group_gone).
    type: list
    elements: str
    default: []
  stopped:
    description:
      - V(true) stops runs. One that is writing begins no further object; those that begin later write nothing.
        V(false) lets them run again. If not given, nothing changes.
      - Captures, plans and check mode go on.
    type: bool
  stop_reason:
    description: What a stopped run says.
    type: str
    default: an administrator stopped them.
  quarantined:
    description:
      - Brings runs into quarantine, for this reason, as the role does when Entra ID refuses the log-on.
      - A quarantine that has begun stays as it is before the time of its next try, and is prolonged from then on.
    type: str
  configured:
    description:
      - SHA-256 of the configuration that is in use from now on. Only plans of a capture that were made under it are
        applied, see O(hybrid_identity.gpad.gpad_plan#module:configuration), and none before it was enabled.
      - Another one than before is disabled.
    type: str
  enabled_by:
    description:
      - Enables the configuration O(configured) by the checksum of the plan that was reviewed, which lies at O(plan) and
        was made under it. Without this the configuration is disabled.
    type: str
  plan:
    description: Path of the plan that was reviewed.
    type: path
  copy_to:
    description:
      - Path where a copy of the journal is written, with mode 0600, as it is after this call. It is one file that can
        be carried elsewhere or kept as a backup, also while a run goes on, or after one died. To write it is no change.
      - Not written in check mode.
    type: path
  released:
    description:
      - What runs wait for and shall no longer. V(quarantine) lets them write again, V(lease) takes the journal from the
        plan that holds it, whose run is then refused no more than others, V(retries) lets the next run try every object
        that waits after a failure, V(snapshot_key) takes the key of the next snapshot that is applied, or an unsigned
        one, in the place of the key that snapshots were signed with.
      - V(watermarks) forgets the time of the snapshot that was applied last, and takes plans that are dated ahead for
        plans of now, after a clock was wrong. B(Warning:) the next run takes any snapshot that is not older than
        O(hybrid_identity.gpad.gpad_plan#module:max_snapshot_age), also one that gives again what was taken away since.
        Correct the clock and capture anew first.
    type: list
    elements: str
    choices: [quarantine, lease, retries, snapshot_key, watermarks]
    default: []
extends_documentation_fragment:
  - hybrid_identity.gpad._quarantine
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.gpad
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_info
  - module: hybrid_identity.gpad.gpad_plan
"""

EXAMPLES = r"""
---
- name: Let the foreign members of a converted group go
  hybrid_identity.gpad.gpad_journal:
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    accepted:
      - 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10

- name: Stop all runs, also the one that is writing now
  hybrid_identity.gpad.gpad_journal:
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    stopped: true
    stop_reason: a change freeze until Monday.

- name: Keep a backup
  hybrid_identity.gpad.gpad_journal:
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    copy_to: /var/backups/gpad-contoso.com.sqlite3

- name: Let runs write again, and try at once what failed
  hybrid_identity.gpad.gpad_journal:
    journal: /var/lib/gpad/contoso.com/journal.sqlite3
    released: [quarantine, retries]
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
accepted:
  description: Object ids of the groups that were not accepted before.
  returned: when the run came to its end
  type: list
  elements: str
  sample:
    - 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
forgotten:
  description: Object ids of the groups that were known and are forgotten.
  returned: when the run came to its end
  type: list
  elements: str
  sample: []
released:
  description: What there was to be released, and was.
  returned: when the run came to its end
  type: list
  elements: str
  sample: [quarantine]
stopped:
  description: Whether runs are stopped.
  returned: when the run came to its end
  type: bool
  sample: false
configuration:
  description: The configuration that is in use, whether it is enabled, and by which plan.
  returned: when the run came to its end
  type: dict
  sample: {digest: '', enabled: false, enabled_by: ''}
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
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.keeping import run

    run()


if __name__ == "__main__":
    main()
