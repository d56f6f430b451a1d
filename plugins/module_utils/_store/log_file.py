# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provisioning log as JSON lines, for a log collector."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.provisioning_log import summary_object
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import Log, Mark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins

# A setting: the last outcome and the last remark that the file has.
_IN_FILE = "in_log_file"


def append(path: Path, log: Log, pins: Pins, before: Mark) -> None:
    """Append what the file does not have yet, also what a run before wrote that ended before it came to this.

    What is written is on the disk before the journal notes that it is: an entry may come twice, with one `id`, and is
    never missing. The file is created with mode 0600; a collector may rotate it away between runs.

    Parameters:
        path: the file.
        log: the log of the journal.
        pins: the settings of the journal.
        before: where the log was when this run began, for the first file of a journal.

    Raises:
        StoreError: the file cannot be written.
    """
    noted = pins.get(_IN_FILE)
    start = _earlier(Mark(*map(int, noted.split())), before) if noted else before
    end = log.mark()
    try:
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            if _is_cut(handle):
                stream.write("\n")
            for entry in log.after(start):
                stream.write(json.dumps(summary_object(entry), ensure_ascii=False, separators=(",", ":")) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise StoreError(
            f"log_path: {path} cannot be written: {error.strerror}.",
            "Give the path of a file that may be written; the next run appends what is missing.",
            code="log_unwritten",
        ) from None
    pins.put(_IN_FILE, f"{end.outcomes} {end.remarks}")


def _earlier(noted: Mark, before: Mark) -> Mark:
    """Return where to go on; the numbers of a journal that lost entries begin again below what was noted."""
    return Mark(min(noted.outcomes, before.outcomes), min(noted.remarks, before.remarks))


def _is_cut(handle: int) -> bool:
    """Return whether the file ends within a line, which a crash or a full disk cut."""
    size = os.fstat(handle).st_size
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"
