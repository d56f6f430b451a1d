# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real snapshot, plan and journal files over the directory in memory, for running whole modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import applying, inspecting, planning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    Fate,
    Principal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision, Scope, decide
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey
from tests.unit.fakes import FakeDirectory
from tests.unit.samples import MANAGED, TENANT, cloud_group, cloud_id, user

PASSWORD = "Pa$$w0rd-of-the-account"


class FakeSession:
    """A connection that only counts."""

    operations: dict[str, int]

    def __init__(self) -> None:
        self.operations = {"search": 3}


class World:
    """Files in one folder, and the directory that modules find when they connect."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.directory = FakeDirectory()
        self.reached = True
        self.refused = False
        self.read: set[str] = set()
        for number in (1, 2, 3):
            self.directory.add_user(number)
        for module in (applying, inspecting, planning):
            patch.setattr(module, "open_directory", self.open)
        patch.setattr(applying, "Writer", lambda _session, _order: self.directory)

    @contextmanager
    def open(self, _params: dict[str, Any], attributes: Iterable[str] = ()) -> Iterator[tuple[Any, FakeDirectory]]:
        """Connect to the directory, and note which attributes are to be read beside the default ones."""
        self.read = set(attributes)
        if self.refused:
            raise DirectoryError("The log-on was refused.", code="directory_log_on_refused")
        if not self.reached:
            raise DirectoryError("The domain controller does not answer.", code="directory_unreachable")
        yield FakeSession(), self.directory

    def capture(
        self,
        groups: dict[int, tuple[Principal, ...]] | None = None,
        *,
        check_mode: bool = False,
        tenant: str = TENANT,
        incomplete: str = "",
        narrowed: bool = False,
        hours_ago: float = 0,
        more: Iterable[CloudGroup] = (),
        fates: Iterable[Fate] = (),
        other_writers: tuple[str, ...] = (),
        key: SnapshotKey | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        """Write a snapshot; by default one group with two users. More groups are decided over by the fixed clause.

        Names are other displayNames than the usual ones.
        """
        captured_at = datetime.now(timezone.utc) - timedelta(hours=hours_ago)
        wanted = {10: (user(1), user(2))} if groups is None else groups
        with snapshot.writing(self.folder / "snapshot", key) as writer:
            for number, members in wanted.items():
                named: dict[str, Any] = {"displayName": names[number]} if names and number in names else {}
                writer.add_group(cloud_group(number, **named), Decision(None, "all"))
                writer.add_members(cloud_id(number), CompleteReading(members))
            for group in more:
                writer.add_group(group, decide(group, Scope()))
            for fate in fates:
                writer.add_fate(fate)
            header = SnapshotHeader(
                tenant,
                captured_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "f",
                incomplete=incomplete,
                check_mode=check_mode,
                narrowed=narrowed,
                other_writers=other_writers,
            )
            writer.finish(header)

    def options(self, *stores: str, **more: Any) -> dict[str, Any]:
        """Return the options of a module that uses these files."""
        usual = {
            "domain_server": "dc1.contoso.com",
            "domain_username": "svc@contoso.com",
            "domain_password": PASSWORD,
            "managed_containers": [MANAGED],
            "target_container": MANAGED,
        }
        return {**usual, **{name: str(self.folder / name) for name in stores}, **more}

    def members(self, number: int = 10) -> set[str] | None:
        """Return the links of the directory's group for a cloud group, or None where there is none."""
        hits = [node for node in self.directory.nodes.values() if node.dn.startswith(f"CN=Group {number}_")]
        return hits[0].members if hits else None
