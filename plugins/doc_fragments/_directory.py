# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that speak to a domain controller."""

    DOCUMENTATION = r"""
options:
  domain_server:
    description:
      - DNS name or address of the domain controller, as it stands in its certificate. A read-only one is refused.
      - Or the DNS name of the domain, for its PDC emulator. Any controller that the name leads to is asked which one
        that is, so that the name of the domain must stand in their certificates.
      - Keep to one, so that each run sees what the last one wrote. On another one, nothing is created, restored or
        deleted until it has what the last runs wrote.
    type: str
  domain_port:
    description:
      - Port of the domain controller; if not given, 636 for C(ldaps) and 389 for C(start_tls).
    type: int
  domain_tls_mode:
    description:
      - How the connection is protected. There is no unprotected mode.
    type: str
    choices: [ldaps, start_tls]
    default: ldaps
  domain_username:
    description:
      - User principal name or distinguished name of the account.
    type: str
  domain_password:
    description:
      - Password of the account.
    type: str
  domain_ca_cert:
    description:
      - Path of a PEM file with the CA certificates to trust; if not given, those of the system.
    type: path
  global_catalog_server:
    description:
      - DNS name or address of a global catalog, as it stands in its certificate. It finds members in the other domains
        of the forest, which are skipped without one.
      - It is reached with the account, O(domain_tls_mode) and O(domain_ca_cert) of the domain controller.
    type: str
  global_catalog_port:
    description:
      - Port of the global catalog; if not given, 3269 for C(ldaps) and 3268 for C(start_tls).
    type: int
  managed_containers:
    description:
      - Distinguished names of the containers whose groups are managed. Nothing outside them is ever written.
    type: list
    elements: str
requirements:
  - Python >= 3.10 with sqlite3 on the host that runs the module
  - ldap3 >= 2.9.1
"""
