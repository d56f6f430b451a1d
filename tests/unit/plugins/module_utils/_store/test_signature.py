# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signed snapshot is what was captured, or it is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import signature
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot as snapshots
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.unit.samples import TENANT, cloud_group

KEY = SnapshotKey(b"k" * 32)
OTHER = SnapshotKey(b"o" * 32)


def capture(path: Path, key: SnapshotKey | None = KEY, number: int = 1) -> None:
    with snapshots.writing(path, key) as writer:
        writer.add_group(cloud_group(number), Decision(None, "all"))
        writer.finish(SnapshotHeader(TENANT, "2026-01-01T00:00:00Z", "f"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    capture(tmp_path / "snapshot")
    return tmp_path / "snapshot"


def code(path: Path, key: SnapshotKey | None = KEY) -> str:
    with pytest.raises(StoreError) as caught:
        Snapshot(path, key)
    return caught.value.code


def test_a_signed_snapshot_is_read(path: Path) -> None:
    found = Snapshot(path, KEY)
    assert [item.group.display_name for item in found.groups()] == ["Group 1"]
    assert found.key_id == KEY.id
    # Whoever has no key reads it all the same.
    assert Snapshot(path).key_id == ""


def test_the_signature_is_that_of_the_bytes(path: Path) -> None:
    values = json.loads(signature.path_of(path).read_text())
    assert values == {
        "format": 1,
        "algorithm": "HMAC-SHA256",
        "key_id": KEY.id,
        "signature": hmac.new(KEY.secret, path.read_bytes(), hashlib.sha256).hexdigest(),
    }
    assert signature.path_of(path).name == "snapshot.sig"
    assert stat.S_IMODE(signature.path_of(path).stat().st_mode) == 0o600


def test_the_id_of_a_key_gives_nothing_of_it_away() -> None:
    assert len(KEY.id) == 16 and int(KEY.id, 16)
    assert OTHER.id != KEY.id != hashlib.sha256(KEY.secret).hexdigest()[:16]
    assert "kkk" not in repr(KEY)


@pytest.mark.parametrize("place", [100, 4096, -1])
def test_a_byte_that_was_changed_is_seen(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert code(path) == "snapshot_forged"


def test_a_snapshot_without_signature(path: Path) -> None:
    signature.path_of(path).unlink()
    assert code(path) == "snapshot_unsigned"


def test_another_key(path: Path) -> None:
    with pytest.raises(StoreError, match=f"{KEY.id}.*{OTHER.id}") as caught:
        Snapshot(path, OTHER)
    assert caught.value.code == "snapshot_forged"


def altered(**values: object) -> Callable[[str], str]:
    return lambda text: json.dumps({**json.loads(text), **values})


@pytest.mark.parametrize(
    "change",
    [
        altered(signature="0" * 64),
        altered(signature=None),
        altered(signature="\u00e9"),
        altered(format=2),
        altered(algorithm="none"),
        lambda text: text[:40],
        lambda _text: "[]",
        lambda _text: "",
        lambda text: " " * 5000 + text,
    ],
)
def test_a_signature_that_is_none(path: Path, change: Callable[[str], str]) -> None:
    beside = signature.path_of(path)
    beside.write_text(change(beside.read_text()))
    assert code(path) == "snapshot_forged"


def test_a_signature_that_is_no_text(path: Path) -> None:
    signature.path_of(path).write_bytes(b"\xff\xfe")
    assert code(path) == "snapshot_forged"


def test_a_capture_that_died_between_the_two_files_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def died(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(signature, "put", died)
    with pytest.raises(RuntimeError):
        capture(path, number=2)
    assert code(path) == "snapshot_forged"


def test_a_capture_without_key_leaves_no_signature_behind(path: Path) -> None:
    capture(path, None)
    assert not signature.path_of(path).exists()
    assert code(path) == "snapshot_unsigned"


def test_what_is_read_is_what_was_verified(path: Path, tmp_path: Path) -> None:
    """Whoever replaces the file afterwards, or in place, changes nothing of the reading."""
    found = Snapshot(path, KEY)
    capture(tmp_path / "other", number=2)
    path.write_bytes((tmp_path / "other").read_bytes())
    assert [item.group.display_name for item in found.groups()] == ["Group 1"]


def test_no_copy_stays(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    Snapshot(path, KEY)
    path.write_bytes(b"x")
    assert code(path) == "snapshot_forged"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("k" * 32, KEY), ("\u00e9" * 32, SnapshotKey(b"\xc3\xa9" * 32))]
)
def test_keys_of_options(text: str | None, expected: SnapshotKey | None) -> None:
    assert signature.key_of(text) == expected


@pytest.mark.parametrize("text", ["", "k" * 31])
def test_a_key_that_is_too_short(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{len(text)} characters") as caught:
        signature.key_of(text)
    assert caught.value.code == "snapshot_key_short"
    assert "kkk" not in str(caught.value)
