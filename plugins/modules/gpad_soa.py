#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_soa
short_description: Convert the source of authority of groups to the cloud, or roll it back
description:
  - Declares whether Entra ID or Active Directory is the master of groups that were synchronised from on premises.
  - All groups are checked before the first is changed, and all that is wrong with them is told together. A group with a
    problem is left as it is, and so are the named groups that hold it; the others are changed, nested groups first.
  - The module speaks to Microsoft Graph only. What it must know of Active Directory comes from
    M(hybrid_identity.gpad.gpad_info) in O(directory_facts).
  - A change is complete when the sync client (Entra Connect or Cloud Sync) has run. Until then a state is C(pending).
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  groups:
    description:
      - The groups, each by object id or by a displayName that only it has. Groups inside them are not taken along.
    type: list
    elements: str
    required: true
  source_of_authority:
    description:
      - V(cloud) converts groups, V(on_premises) rolls them back. Groups that are so already are left as they are.
      - If not given, nothing is changed, and the states are read alone.
    type: str
    choices: [cloud, on_premises]
  directory_facts:
    description:
      - What Active Directory says of the groups that are to be changed, from M(hybrid_identity.gpad.gpad_info) with
        O(hybrid_identity.gpad.gpad_info#module:gather=soa). Either its result, or the path that its
        O(hybrid_identity.gpad.gpad_info#module:report_path) named.
      - Without it, no group is changed.
    type: raw
  left_behind:
    description:
      - SIDs of members in Active Directory that Entra ID does not know and need not know. Other unknown members keep
        their group from being converted.
      - Once the group is converted, provisioning treats them as foreign members.
    type: list
    elements: str
    default: []
  limits:
    description: How much one run may change.
    type: dict
    default: {}
    suboptions:
      count:
        description: The most groups that may change their source of authority.
        type: int
        default: 50
  approve:
    description:
      - The RV(checksum) of the changes that you reviewed. They may exceed O(limits), and nothing else is done.
    type: str
  original_name:
    description:
      - Whether the name and place that a group has in Active Directory are written into a directory extension before it
        is converted, so that expressions can give them back to it. Provisioning by this collection keeps them anyway.
    type: dict
    default: {}
    suboptions:
      extension:
        description:
          - V(use) writes the distinguished name into the extension C(GroupDN) of the application
            C(CloudSyncCustomExtensionsApp), and fails where there is none. V(create) creates both where they are
            missing. With V(none) they stand in RV(originals) only.
        type: str
        choices: [none, use, create]
        default: none
  gather_audit:
    description:
      - Return what the audit log says of changes of the source of authority of these groups. The log is kept for 30
        days, and an entry may take minutes to appear.
    type: bool
    default: false
extends_documentation_fragment:
  - hybrid_identity.gpad._entra
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.entra
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_info
  - module: hybrid_identity.gpad.gpad_plan
  - module: hybrid_identity.gpad.gpad_scope
"""

EXAMPLES = r"""
---
- name: Read who is master of a group
  hybrid_identity.gpad.gpad_soa:
    tenant_id: 8a1f2b6e-6f0f-4c58-9c38-0d0a5b0f6b11
    client_id: 3f0a6a0e-1f6c-4d2c-9d55-7b9d2b1e9c22
    client_certificate_path: /etc/gpad/application.pem
    groups:
      - File Server Admins
  register: before

- name: Ask Active Directory of it
  hybrid_identity.gpad.gpad_info:
    domain_server: contoso.com
    domain_username: svc-gpad@contoso.com
    domain_password: "{{ vault_gpad_password }}"
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    gather: [soa]
    soa_groups: "{{ before.states | map(attribute='before.on_premises_security_identifier') | select | list }}"
  register: facts

- name: Convert it
  hybrid_identity.gpad.gpad_soa:
    tenant_id: 8a1f2b6e-6f0f-4c58-9c38-0d0a5b0f6b11
    client_id: 3f0a6a0e-1f6c-4d2c-9d55-7b9d2b1e9c22
    client_certificate_path: /etc/gpad/application.pem
    groups:
      - File Server Admins
    source_of_authority: cloud
    directory_facts: "{{ facts }}"
"""

RETURN = r"""
---
outcome:
  description:
    - How the run ended. V(ok) alone lets the task succeed.
    - V(partial) means that some groups could not be changed and all others were handled, V(blocked) that the limit
      stands in the way and nothing was changed, V(fatal) that nothing could be done, or that the service went away.
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
  sample:
    groups: 2
    groups_converted: 2
    pending: 0
    requests: 9
changes:
  description: The changes in their order. In check mode what would change; else what was changed.
  returned: always
  type: list
  elements: dict
  sample:
    - action: convert_to_cloud
      id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: File Server Admins
      dn: CN=File Server Admins,OU=Groups,DC=contoso,DC=com
      reason: its source of authority is to be the cloud
      attributes:
        isCloudManaged:
          before: ['false']
          after: ['true']
skips:
  description: Always empty.
  returned: always
  type: list
  elements: dict
  sample: []
errors:
  description: What stands in the way of groups, all of it, each with code, reason and remedy.
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
    - 'File Server Admins: convert_to_cloud (its source of authority is to be the cloud)'
states:
  description:
    - Each group with its state before and after the run; in check mode with the one that is to be expected.
    - C(state) is C(synced), C(converted), C(rolled_back) or C(cloud_native); C(unknown) where it could not be read.
    - C(pending) says that the sync client has not acted yet.
  returned: when the run came to its end
  type: list
  elements: dict
  sample:
    - id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: File Server Admins
      before:
        state: synced
        is_cloud_managed: false
        on_premises_sync_enabled: true
        on_premises_security_identifier: S-1-5-21-1004336348-1177238915-682003330-1123
      after:
        state: converted
        is_cloud_managed: true
        on_premises_sync_enabled: null
        on_premises_security_identifier: S-1-5-21-1004336348-1177238915-682003330-1123
      pending: false
planned:
  description: The groups to be changed, in order, whether or not the limit lets them through.
  returned: when the run came to its end
  type: list
  elements: dict
  sample:
    - id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: File Server Admins
originals:
  description:
    - What the groups to be converted were on premises, whatever O(max_results) is. Keep it if you want to give them
      back their places.
  returned: when the run came to its end
  type: list
  elements: dict
  sample:
    - id: 5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10
      name: File Server Admins
      dn: CN=File Server Admins,OU=Groups,DC=contoso,DC=com
      object_guid: 0c1d9a55-8d4b-4f0c-9a5b-6c1f0a4b7d11
      object_sid: S-1-5-21-1004336348-1177238915-682003330-1123
      admin_description: ''
checksum:
  description: Checksum of what is planned, for O(approve).
  returned: when the run came to its end
  type: str
  sample: 9b8e1a5d3c0f0f4a4ad1f1b79f2d3c2b8c8a7c5f6e6d5c4b3a29180716253443
audit:
  description: Entries of the audit log, newest first.
  returned: when the run came to its end
  type: list
  elements: dict
  sample: []
"""


from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.interpreter import require_interpreter


def main():
    require_interpreter()
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.converting import run

    run()


if __name__ == "__main__":
    main()
