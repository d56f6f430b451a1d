# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature of a snapshot: who lacks the key can neither make a snapshot nor change one.

It stands in a file of its own beside the snapshot. The two are never replaced in one step; one that belongs to another
snapshot is refused, and the next capture makes both anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import replacing

FORMAT = 1
ALGORITHM = "HMAC-SHA256"
SHORTEST_KEY = 32
_KEY_ID_DIGITS = 16
_KEY_ID_DOMAIN = b"hybrid_identity.gpad snapshot key id\0"
_CHUNK = 1 << 20
# More than a signature ever takes.
_MOST_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """What snapshots are signed with.

    Parameters:
        secret: the key; both sides have it and nobody else.
    """

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A word that tells keys apart and gives nothing of them away."""
        return hashlib.sha256(_KEY_ID_DOMAIN + self.secret).hexdigest()[:_KEY_ID_DIGITS]


def key_of(text: str | None) -> SnapshotKey | None:
    """Return the key that an option gives, or None.

    Raises:
        ConfigurationError: it is too short to be hard to guess.
    """
    if text is None:
        return None
    if len(text) < SHORTEST_KEY:
        raise ConfigurationError(
            f"snapshot_key has {len(text)} characters, less than {SHORTEST_KEY}.",
            "Make one with: openssl rand -base64 48",
            code="snapshot_key_short",
        )
    return SnapshotKey(text.encode())


def path_of(snapshot: Path) -> Path:
    """Return where the signature of a snapshot is."""
    return snapshot.with_name(snapshot.name + ".sig")


def sign(content: Path, key: SnapshotKey) -> str:
    """Return the signature of a file's bytes, as it is written."""
    mac = hmac.new(key.secret, digestmod=hashlib.sha256)
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            mac.update(chunk)
    values = {"format": FORMAT, "algorithm": ALGORITHM, "key_id": key.id, "signature": mac.hexdigest()}
    return json.dumps(values) + "\n"


def put(snapshot: Path, signed: str | None) -> None:
    """Write the signature of a snapshot that was just put in place; None leaves it unsigned.

    Raises:
        StoreError: it cannot be written.
    """
    path = path_of(snapshot)
    if signed is None:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as draft:
        draft.write_text(signed, encoding="utf-8")


@contextmanager
def verified(snapshot: Path, key: SnapshotKey) -> Iterator[Path]:
    """Give a private copy of a snapshot whose signature is right; what is read is what was verified.

    Raises:
        StoreError: it has no signature, or one that is not this key's or not of these bytes.
    """
    expected = _read(snapshot, key)
    mac = hmac.new(key.secret, digestmod=hashlib.sha256)
    descriptor, name = tempfile.mkstemp(prefix="gpad-snapshot-")
    try:
        with os.fdopen(descriptor, "wb") as copy, snapshot.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                mac.update(chunk)
                copy.write(chunk)
        if not hmac.compare_digest(mac.hexdigest(), expected):
            raise _forged(snapshot, "its signature is not that of its contents")
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _read(snapshot: Path, key: SnapshotKey) -> str:
    """Return the signature that stands beside a snapshot."""
    path = path_of(snapshot)
    try:
        with path.open(encoding="utf-8") as stream:
            values = json.loads(stream.read(_MOST_CHARACTERS))
    except FileNotFoundError:
        raise StoreError(
            f"The snapshot {snapshot} is not signed: {path} does not exist.",
            "Give gpad_scope the same snapshot_key, and carry both files over.",
            code="snapshot_unsigned",
        ) from None
    except (OSError, ValueError) as error:
        raise _forged(snapshot, f"{path.name} cannot be read ({error})") from None
    if not isinstance(values, dict) or (values.get("format"), values.get("algorithm")) != (FORMAT, ALGORITHM):
        raise _forged(snapshot, f"{path.name} is no signature that this version knows")
    if values.get("key_id") != key.id:
        raise _forged(snapshot, f"it is signed with the key {values.get('key_id')!r}, not with the one given, {key.id}")
    signature = values.get("signature")
    # Anything else than hexadecimal digits makes compare_digest raise.
    return signature if isinstance(signature, str) and signature.isascii() else ""


def _forged(snapshot: Path, why: str) -> StoreError:
    return StoreError(
        f"The snapshot {snapshot} is not to be trusted: {why}.",
        "Carry snapshot and signature over together, and run gpad_scope again; if that does not help, find out who "
        "writes there.",
        code="snapshot_forged",
    )
