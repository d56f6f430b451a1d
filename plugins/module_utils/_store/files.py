# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private files: created with mode 0600, replaced whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError

# What a disk says that has no room, or no life, left.
_DISK = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EROFS})


def require_folder(path: Path) -> None:
    """Make sure that a file can be created here, before work is done that would be lost.

    Raises:
        StoreError: the folder is missing or not writable.
    """
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(
            f"{path} cannot be written: the folder {folder} is missing or not writable.",
            "Create it, or give another path.",
        )


def create_private(path: Path) -> None:
    """Create an empty file that only its owner can read, in place of any other.

    Raises:
        StoreError: it cannot be created.
    """
    require_folder(path)
    try:
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "Give another path.") from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new private file beside `path` and put it in its place when the block ends well.

    Raises:
        StoreError: the folder is missing or not writable, or the disk is full.
    """
    require_folder(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    create_private(draft)
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "Look at the disk.") from None
    finally:
        draft.unlink(missing_ok=True)
