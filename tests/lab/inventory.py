# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible inventory of a running lab: one host for each forest, as a user of the collection would write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.lab.settings import LabSettings


def host_vars(settings: LabSettings, domain: str, application: str = "gpad") -> dict[str, Any]:
    """Return the settings of one target domain.

    Raises:
        ValueError: the lab has no tenant.
    """
    if settings.entra is None:
        raise ValueError("the lab has no tenant")
    entra, forest = settings.entra, settings.forests[domain]
    client = entra.applications[application]
    catalog = {"gpad_global_catalog_server": forest.address} if forest.forest_domains else {}
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "gpad_tenant_id": entra.tenant_id,
        "gpad_client_id": client.client_id,
        "gpad_client_secret": client.client_secret,
        "gpad_login_url": entra.login_url,
        "gpad_graph_url": entra.graph_url,
        "gpad_ca_cert": entra.ca_cert,
        "gpad_domain_server": forest.address,
        "gpad_domain_port": forest.ldaps_port,
        "gpad_domain_username": forest.service_account.username,
        "gpad_domain_password": forest.service_account.password,
        "gpad_domain_ca_cert": forest.ca_cert,
        **catalog,
        "gpad_managed_containers": forest.managed_containers,
        "gpad_target_container": forest.managed_containers[0],
        "gpad_scope_mode": "all",
        "gpad_provision_state_directory": str(Path(settings.dir) / "state" / domain),
    }


def write_inventory(settings: LabSettings, path: Path, more: Mapping[str, Any] | None = None) -> Path:
    """Write the inventory of all forests, readable by its owner only, and return its path.

    Args:
        settings: the running lab.
        path: the file.
        more: variables for every host, over those of the lab.
    """
    return write_hosts(path, {domain: {**host_vars(settings, domain), **(more or {})} for domain in settings.forests})


def write_hosts(path: Path, hosts: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write an inventory of hosts with their variables, readable by its owner only, and return its path."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"gpad": {"hosts": dict(hosts)}}, sort_keys=False), encoding="utf-8")
    return path
