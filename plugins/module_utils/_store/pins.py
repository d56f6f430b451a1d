# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journal holds runs to: tenant, domain, age, size and server of what was applied before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Size


class Pins:
    """The settings table of a journal.

    Parameters:
        db: the open journal.
        path: its file, for messages.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def get(self, name: str) -> str | None:
        """Return a setting, or None."""
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, name: str, value: str | None) -> None:
        """Write a setting; None takes it away."""
        if value is None:
            self._db.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def _pin(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, value))

    def tenant_id(self) -> str:
        """Return the tenant that the journal belongs to, or an empty string before the first run."""
        return self.get("tenant_id") or ""

    def pin_tenant(self, tenant_id: str) -> None:
        """Remember the tenant at first use; a plan that came from no snapshot may not know it."""
        if tenant_id:
            self._pin("tenant_id", tenant_id)

    def check_tenant(self, tenant_id: str) -> None:
        """Compare a tenant with the one remembered.

        Raises:
            StoreError: the journal belongs to another tenant.
        """
        pinned = self.get("tenant_id")
        if pinned is not None and pinned != tenant_id:
            raise StoreError(
                f"The snapshot is of tenant {tenant_id}, the journal {self._path} belongs to tenant {pinned}.",
                "Give each tenant and domain a journal of its own.",
                code="other_tenant",
            )

    def pin_domain(self, domain: str) -> None:
        """Remember the DN of the target domain at first use."""
        self._pin("domain", domain.lower())

    def check_domain(self, domain: str) -> None:
        """Compare a target domain with the one remembered.

        Raises:
            StoreError: the journal belongs to another domain, whose objects it knows.
        """
        pinned = self.get("domain")
        if pinned is not None and pinned != domain.lower():
            raise StoreError(
                f"The target domain is {domain}, the journal {self._path} belongs to {pinned}.",
                "Give each tenant and domain a journal of its own.",
                code="other_domain_journal",
            )

    def check_snapshot_key(self, key_id: str) -> None:
        """Compare the key of a snapshot with the one remembered.

        Parameters:
            key_id: which key the snapshot was signed with; empty for an unsigned one.

        Raises:
            StoreError: snapshots of this journal are signed with another key.
        """
        pinned = self.snapshot_key()
        if pinned and pinned != key_id:
            found = f"was verified with the key {key_id}" if key_id else "was not verified with any key"
            raise StoreError(
                f"The journal {self._path} takes snapshots that are signed with the key {pinned}; this one {found}.",
                "Give that key as snapshot_key; if it was replaced on purpose, gpad_journal with released: "
                "[snapshot_key] takes another.",
                code="snapshot_key_changed",
            )

    def snapshot_key(self) -> str:
        """Return the id of the key that snapshots are signed with, or an empty string."""
        return self.get("snapshot_key") or ""

    def pin_snapshot_key(self, key_id: str) -> None:
        """Remember at first use which key snapshots are signed with."""
        if key_id:
            self._pin("snapshot_key", key_id)

    def configuration(self) -> str:
        """Return the digest of the configuration that plans must be made under, or an empty string for any."""
        return self.get("configuration") or ""

    def configure(self, digest: str) -> None:
        """Remember a configuration; it is not enabled."""
        self.put("configuration", digest)
        self.put("enabled_by", None)

    def enabled_by(self) -> str:
        """Return the checksum of the reviewed plan by which the configuration was enabled, or an empty string."""
        return self.get("enabled_by") or ""

    def enable(self, checksum: str | None) -> None:
        """Enable the configuration by a reviewed plan; None disables it."""
        self.put("enabled_by", checksum)

    def check_age(self, captured_at: str) -> None:
        """Compare a snapshot's time with that of the last one applied.

        Raises:
            StoreError: it is older, so that what was taken away since would be given again.
        """
        applied = self.age()
        if applied is not None and captured_at < applied:
            raise StoreError(
                f"The snapshot of {captured_at} is older than the one of {applied}, which was applied.",
                "Run gpad_scope again.",
                code="snapshot_outdated",
            )

    def remember_age(self, captured_at: str) -> None:
        """Remember the time of the snapshot that is applied."""
        self.put("captured_at", captured_at)

    def age(self) -> str | None:
        """Return the time of the snapshot that was applied last, or None."""
        return self.get("captured_at")

    def forget_age(self) -> None:
        """Forget the time of the snapshot that was applied last."""
        self.put("captured_at", None)

    def applied_size(self) -> Size | None:
        """Return how much the snapshot held that was applied last, or None."""
        text = self.get("applied_size")
        return None if text is None else Size(*map(int, text.split()))

    def remember_size(self, size: Size) -> None:
        """Remember how much the snapshot held that is applied."""
        self.put("applied_size", f"{size.groups} {size.memberships}")

    def container_rule(self) -> str | None:
        """Return the rule for containers that was applied last, or None."""
        return self.get("container_rule")

    def remember_container_rule(self, rule: str) -> None:
        """Remember the rule for containers that was applied."""
        self.put("container_rule", rule)
