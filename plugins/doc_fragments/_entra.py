# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This fragment is private to the collection.

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that speak to Microsoft Graph."""

    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - Id of the Entra tenant, a GUID.
      - If not given, the environment variable E(AZURE_TENANT_ID) is used.
    type: str
    required: true
  client_id:
    description:
      - Id of the application (client) to log on as; with O(managed_identity), of the user-assigned identity.
      - If not given, the environment variable E(AZURE_CLIENT_ID) is used.
    type: str
  client_secret:
    description:
      - Secret of the application. Prefer a certificate or a federated token, which cannot be copied from a vault.
      - If not given, the environment variable E(AZURE_CLIENT_SECRET) is used.
    type: str
  client_certificate_path:
    description:
      - Path of a PEM file with the application's private key and its certificate.
      - If not given, the environment variable E(AZURE_CLIENT_CERTIFICATE_PATH) is used.
    type: path
  federated_token_file:
    description:
      - Path of a file with a token of another identity provider that the application trusts (workload identity).
      - If not given, the environment variable E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  managed_identity:
    description:
      - Log on as the managed identity of the host.
    type: bool
    default: false
  cloud:
    description:
      - The Microsoft cloud that holds the tenant.
    type: str
    choices: [global, us_gov, us_dod, china]
    default: global
  login_url:
    description:
      - Base URL of the log-on service, if it is not the one of O(cloud).
    type: str
  graph_url:
    description:
      - Base URL of Microsoft Graph, if it is not the one of O(cloud).
    type: str
  ca_cert:
    description:
      - Path of a PEM file with the CA certificates to trust for O(login_url) and O(graph_url).
      - If not given, those that come with the Python library C(requests) are trusted. Environment variables such as
        E(REQUESTS_CA_BUNDLE) are not looked at.
    type: path
requirements:
  - Python >= 3.10 on the host that runs the module
  - msal >= 1.35.0
  - requests >= 2.28.0
"""
