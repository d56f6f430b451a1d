# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private files, replaced whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import (
    create_private,
    replacing,
    require_folder,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_file_is_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    create_private(path)
    assert (mode(path), path.read_bytes()) == (0o600, b"")


def test_an_old_file_with_a_wider_mode_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o666)
    create_private(path)
    assert (mode(path), path.read_bytes()) == (0o600, b"")


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    path = tmp_path / "file"
    path.symlink_to(target)
    create_private(path)
    assert (target.read_text(), path.is_symlink()) == ("mine", False)


def test_a_new_file_takes_its_place_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_stays_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_told_before_work_is_done(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    for attempt in (require_folder, create_private):
        with pytest.raises(StoreError, match="folder"):
            attempt(path)


def test_a_place_that_is_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        create_private(tmp_path / "file")
