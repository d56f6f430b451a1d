# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client of the lab's interface to the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests


class AdminError(Exception):
    """The emulator refused an operation; the message is its sentence."""


class EntraAdmin:
    """Changes the tenant behind Graph's back, turns knobs, scripts faults, reads the request record.

    ``url`` is the emulator's base URL, ``key`` the ``adminKey`` of its configuration, ``ca_cert`` a PEM file.
    Every method raises AdminError when the emulator refuses.
    """

    def __init__(self, url: str, key: str, ca_cert: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_cert
        self._session.headers["X-Lab-Key"] = key

    def close(self) -> None:
        self._session.close()

    def _call(self, operation: str, **arguments: Any) -> Any:
        response = self._session.post(f"{self._url}/_lab/{operation}", json=arguments, timeout=60)
        body = response.json()
        if response.status_code != 200:
            raise AdminError(f"{operation}: {body['error']}")
        return body["result"]

    # Directory

    def create(self, type_name: str, properties: dict[str, Any], members: Sequence[str] = ()) -> str:
        """Create an object of any type (``user``, ``group``, ``device``, …) and return its id."""
        return str(self._call("create", type=type_name, properties=properties, members=list(members)))

    def create_group(self, display_name: str, members: Sequence[str] = (), **properties: Any) -> str:
        """Create a group, a cloud security group unless the properties say otherwise, and return its id."""
        base = {
            "displayName": display_name,
            "mailEnabled": False,
            "mailNickname": "".join(filter(str.isalnum, display_name)) or "group",
            "securityEnabled": True,
            "groupTypes": [],
        }
        return self.create("group", {**base, **properties}, members)

    def create_user(self, display_name: str, user_principal_name: str, **properties: Any) -> str:
        base = {"displayName": display_name, "userPrincipalName": user_principal_name, "accountEnabled": True}
        return self.create("user", {**base, **properties})

    def patch_group(self, group_id: str, **properties: Any) -> None:
        self._call("patch", id=group_id, properties=properties)

    def patch_user(self, user_id: str, **properties: Any) -> None:
        self._call("patch", id=user_id, properties=properties)

    def delete_group(self, group_id: str) -> None:
        """Soft-delete; the group stays in deletedItems."""
        self._call("delete", id=group_id)

    def delete_user(self, user_id: str) -> None:
        self._call("delete", id=user_id)

    def restore_group(self, group_id: str) -> None:
        self._call("restore", id=group_id)

    def restore_user(self, user_id: str) -> None:
        self._call("restore", id=user_id)

    def purge(self, object_id: str) -> None:
        """Delete an object for good, live or soft-deleted."""
        self._call("purge", id=object_id)

    def add_member(self, group_id: str, object_id: str) -> None:
        self.add_members(group_id, [object_id])

    def add_members(self, group_id: str, object_ids: Sequence[str]) -> None:
        self._call("add_members", id=group_id, members=list(object_ids))

    def remove_member(self, group_id: str, object_id: str) -> None:
        self.remove_members(group_id, [object_id])

    def remove_members(self, group_id: str, object_ids: Sequence[str]) -> None:
        self._call("remove_members", id=group_id, members=list(object_ids))

    def set_cloud_managed(self, object_id: str, cloud_managed: bool) -> None:
        """Convert to cloud mastery (True) or roll back (False)."""
        self._call("set_cloud_managed", id=object_id, cloud_managed=cloud_managed)

    def take_over(self, object_id: str) -> None:
        """What the sync client does next: it takes a rolled-back object over again, and lets a converted one go."""
        self._call("take_over", id=object_id)

    def assign_app_role(self, resource_id: str, principal_id: str, app_role_id: str) -> str:
        """Assign a group to a service principal and return the id of the assignment."""
        return str(
            self._call("assign_app_role", resource_id=resource_id, principal_id=principal_id, app_role_id=app_role_id)
        )

    def unassign_app_role(self, assignment_id: str) -> None:
        self._call("unassign_app_role", id=assignment_id)

    def get_object(self, object_id: str) -> dict[str, Any] | None:
        """The stored object with ``type`` and ``deletedDateTime``, or None."""
        result: dict[str, Any] | None = self._call("object", id=object_id)
        return result

    def members(self, group_id: str) -> list[str]:
        """Ids of all member links, soft-deleted members included."""
        return list(self._call("members", id=group_id))

    # Behaviour

    def knobs(self, **values: Any) -> dict[str, Any]:
        """Turn knobs (see knobs.Knobs) and return all of them."""
        return dict(self._call("knobs", **values))

    def shuffle_seed(self, seed: int) -> None:
        self._call("shuffle_seed", seed=seed)

    def fault(
        self,
        action: str,
        *,
        path: str = "",
        method: str = "*",
        skip: int = 0,
        times: int = 1,
        probability: float = 1.0,
        seed: int = 0,
        **options: Any,
    ) -> None:
        """Script a fault for requests whose path and query match the pattern ``path``.

        Actions and their options: ``status`` (status, body, headers), ``reset``, ``hang`` (seconds), ``slow_body``
        (seconds), ``truncate`` and ``splice`` (broken JSON under a 200), ``disconnect`` (in mid-body), ``foreign_link``
        (host), ``loop_link``, ``drop_tail`` (items). ``times=0`` strikes for ever.
        """
        rule = {"path": path, "method": method, "skip": skip, "times": times, "probability": probability, "seed": seed}
        self._call("fault", action=action, **rule, **options)

    def faults(self) -> list[dict[str, Any]]:
        """The scripted rules with how often they matched and struck."""
        return list(self._call("faults"))

    def clear_faults(self) -> None:
        self._call("clear_faults")

    def requests(self) -> list[dict[str, Any]]:
        """The request record, oldest first; an item of a batch names the id of its batch as ``batch``."""
        return list(self._call("requests"))

    def clear_requests(self) -> None:
        self._call("clear_requests")

    def expire_page_tokens(self) -> None:
        self._call("expire_page_tokens")

    def expire_delta_tokens(self) -> None:
        """Make every delta token issued so far answer 410."""
        self._call("expire_delta_tokens")

    def revoke_access_tokens(self) -> None:
        self._call("revoke_access_tokens")

    def refill_throttle(self) -> None:
        self._call("refill_throttle")

    def snapshot(self, name: str) -> None:
        self._call("snapshot", name=name)

    def restore_snapshot(self, name: str) -> None:
        self._call("restore_snapshot", name=name)

    def reset(self) -> None:
        """Back to the seed: directory, knobs, faults, record."""
        self._call("reset")
