# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of like users in seconds: one that Samba made is copied as a record, and the indexes are made at the end.

Added through Samba's modules each user costs a copy of every index entry that all users share, so that the time grows
with the square of their number: an hour for 50,000.
Part of ``build_forest.py``, in the system's Python.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import ldb

AT_ONCE = 500
FIRST_RID = 100_000
"""Far above what the RID manager of a new domain gives out."""

_INDEXES = ("@IDXATTR", "@IDXONE")
_OWN = ("dn", "distinguishedName")


def partition_of(private: Path) -> Path:
    """Return the file of a domain's partition, whose name is the domain's, escaped where that has a hyphen."""
    (found,) = (private / "sam.ldb.d").glob("DC*.ldb")
    return found


def copy_user(database: Path, model: str, others: Iterable[Mapping[str, str]], first_rid: int) -> None:
    """Copy a user, under other names, while nobody else has the database open.

    The indexes are gone afterwards: :func:`restore_indexes` must follow.

    Args:
        database: file of the domain's partition.
        model: DN of the user.
        others: for each copy ``dn`` and the attributes in which it differs.
        first_rid: relative identifier of the first copy.
    """
    raw = ldb.Ldb(f"tdb://{database}", flags=ldb.FLG_NOSYNC)
    raw.transaction_start()
    raw.modify(_message(raw, "@INDEXLIST", {name: [] for name in _INDEXES}, ldb.FLAG_MOD_DELETE))
    raw.transaction_commit()
    (found,) = raw.search(base=model, scope=ldb.SCOPE_BASE)
    shared = {name: [bytes(value) for value in values] for name, values in found.items() if name not in _OWN}
    domain = shared["objectSid"][0][:-4]
    numbered = enumerate(others, first_rid)
    while batch := list(islice(numbered, AT_ONCE)):
        raw.transaction_start()
        for rid, other in batch:
            own = {name: [value.encode()] for name, value in other.items() if name != "dn"}
            own["objectGUID"] = [uuid.uuid4().bytes_le]
            own["objectSid"] = [domain + struct.pack("<I", rid)]
            raw.add(_message(raw, other["dn"], {**shared, **own}, ldb.FLAG_MOD_ADD))
        raw.transaction_commit()


def restore_indexes(samdb: Any) -> None:
    """Let Samba make all indexes anew, those of its main file being the list."""
    (found,) = samdb.search(base="@INDEXLIST", scope=ldb.SCOPE_BASE)
    wanted = {name: [bytes(value) for value in found[name]] for name in _INDEXES}
    samdb.transaction_start()
    samdb.modify(_message(samdb, "@INDEXLIST", wanted, ldb.FLAG_MOD_REPLACE))
    samdb.transaction_commit()


def _message(database: Any, dn: str, values: Mapping[str, list[bytes]], flag: int) -> Any:
    message = ldb.Message(ldb.Dn(database, dn))
    for name, given in values.items():
        message[name] = ldb.MessageElement(given, flag, name)
    return message
