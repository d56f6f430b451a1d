#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file must parse on any Python, so that it can say which one it needs.

DOCUMENTATION = r"""
---
module: gpad_delegate
short_description: Give the service account its rights on the managed containers
description:
  - Compares the access control lists of the managed containers with the rights that provisioning needs, returns what is
    missing as a script to review, and adds it where that is asked for.
  - Entries are only added. Every entry that is there stays as it is, byte by byte.
author:
  - The hybrid_identity.gpad authors (@hybrid-identity)
version_added: 0.1.0
options:
  domain_server:
    description: DNS name or address of the domain controller, as it stands in its certificate.
    type: str
    required: true
  domain_port:
    description: Port of the domain controller; if not given, 636 for C(ldaps) and 389 for C(start_tls).
    type: int
  domain_tls_mode:
    description: How the connection is protected. There is no unprotected mode.
    type: str
    choices: [ldaps, start_tls]
    default: ldaps
  domain_username:
    description:
      - User principal name or distinguished name of the account to log on as. It must be allowed to change the access
        control lists if O(apply) is true, and to read them in any case.
    type: str
    required: true
  domain_password:
    description: Password of that account.
    type: str
    required: true
  domain_ca_cert:
    description: Path of a PEM file with the CA certificates to trust; if not given, those of the system.
    type: path
  managed_containers:
    description:
      - Distinguished names of the containers. One that does not exist, or that holds critical groups of the system, is
        an error, and nothing is written.
    type: list
    elements: str
    required: true
  account:
    description:
      - The service account that gets the rights, by SID, sAMAccountName or distinguished name. Built-in accounts and
        groups (relative identifier below 1000), and a SID that nobody in the domain has, are refused. The SID of
        another domain is not looked up.
    type: str
    required: true
  attributes:
    description:
      - LDAP names of further attributes that mappings write. The default mappings, members, names and the anchor are
        in any case.
    type: list
    elements: str
    default: []
  restore:
    description:
      - Also what restoring deleted groups takes, on the domain and on the container of deleted objects. By default not
        even administrators may read the list of the latter. That is a notice then, which says what to do by hand.
    type: bool
    default: true
  create_containers:
    description: Also the right to create organizational units.
    type: bool
    default: false
  apply:
    description: Add what is missing. Otherwise it is only returned.
    type: bool
    default: false
extends_documentation_fragment:
  - hybrid_identity.gpad._results
  - hybrid_identity.gpad._attributes
  - hybrid_identity.gpad._attributes.directory
requirements:
  - Python >= 3.10 on the host that runs the module
  - ldap3 >= 2.9.1
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: hybrid_identity.gpad.gpad_info
"""

EXAMPLES = r"""
---
- name: Show what the service account lacks
  hybrid_identity.gpad.gpad_delegate:
    domain_server: contoso.com
    domain_username: admin@contoso.com
    domain_password: "{{ vault_admin_password }}"
    managed_containers:
      - OU=Groups,DC=contoso,DC=com
    account: svc-gpad
  register: rights

- name: Keep the script for review
  ansible.builtin.copy:
    content: "{{ rights.powershell }}"
    dest: /srv/review/delegate.ps1
    mode: "0600"
"""

RETURN = r"""
---
outcome:
  description: V(ok), V(partial) where the server refused some lists, or V(fatal) where nothing could be done.
  returned: always
  type: str
  sample: ok
fatal:
  description: Whether nothing could be done.
  returned: always
  type: bool
  sample: false
summary:
  description: Counts of what happened.
  returned: always
  type: dict
  sample: {grants_missing: 2}
changes:
  description: Always empty, for the shape of all modules.
  returned: always
  type: list
  elements: dict
  sample: []
skips:
  description: Always empty.
  returned: always
  type: list
  elements: dict
  sample: []
errors:
  description: Lists that could not be changed, each with code, reason and remedy.
  returned: always
  type: list
  elements: dict
  sample: []
notices:
  description: What must be done by hand, each with a code and a reason.
  returned: always
  type: list
  elements: dict
  sample: []
report:
  description: The same for people, a line each.
  returned: when the run came to its end
  type: list
  elements: str
  sample: []
account_sid:
  description: SID of the service account.
  returned: when the run came to its end
  type: str
  sample: S-1-5-21-1004336348-1177238915-682003330-1104
grants:
  description: What was missing, or was added with O(apply), each with C(dn), C(purpose) and C(sddl).
  returned: when the run came to its end
  type: list
  elements: dict
  sample:
    - dn: OU=Groups,DC=contoso,DC=com
      purpose: create, move and delete groups
      sddl: (OA;CI;CCDC;bf967a9c-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1104)
sddl:
  description: The same entries, together for each object.
  returned: when the run came to its end
  type: dict
  sample: {}
powershell:
  description: A script to review, which shows what it would do, and does it with C(-Apply). Empty if all is there.
  returned: when the run came to its end
  type: str
  sample: ''
ldif:
  description:
    - The same as LDIF with controls, for C(ldapmodify). It replaces each access control list, so that it holds only as
      long as nobody else changes that list.
  returned: when the run came to its end
  type: str
  sample: ''
"""


from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.interpreter import require_interpreter


def main():
    require_interpreter()
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.delegating import run

    run()


if __name__ == "__main__":
    main()
