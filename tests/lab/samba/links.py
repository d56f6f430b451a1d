# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A million members in minutes: the links of empty groups are written as records, both ends, as Samba stores them.

Over LDAP a link takes Samba a millisecond and more. Run by the system's Python in the directory of a forest, whose
server may run; standard input holds, as JSON, the DNs of the members by the DN of the group, which has none yet.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import ldb
from samba.dcerpc import security
from samba.ndr import ndr_unpack

AT_ONCE = 500
_STAMP = re.compile(r"^<GUID=[^>]+>;(.*);<SID=[^>]+>;")


@dataclass(frozen=True)
class Object:
    """One end of a link."""

    dn: str
    guid: uuid.UUID
    sid: str

    def value(self, stamp: str = "") -> bytes:
        """Return the link to this object: a forward link has a stamp, a backlink none."""
        return f"<GUID={self.guid}>;{stamp}<SID={self.sid}>;{self.dn}".encode()


def main(wanted: Mapping[str, Sequence[str]]) -> None:
    """Write all links."""
    partition = next(path for path in Path("private/sam.ldb.d").glob("DC*.ldb"))
    raw = ldb.Ldb(f"tdb://{partition}", flags=ldb.FLG_NOSYNC)
    objects = _objects(raw)
    stamp = _stamp(raw)
    holders: dict[str, list[Object]] = {}
    forward: dict[str, list[bytes]] = {}
    for group, members in wanted.items():
        # Samba searches the links of an object by halves: they stand in the order of their GUIDs.
        ordered = sorted((objects[member.lower()] for member in members), key=lambda one: one.guid.bytes_le)
        forward[group] = [one.value(stamp) for one in ordered]
        for member in members:
            holders.setdefault(member, []).append(objects[group.lower()])
    _write(raw, "member", forward.items())
    _write(raw, "memberOf", ((member, [one.value() for one in groups]) for member, groups in holders.items()))


def _objects(raw: Any) -> dict[str, Object]:
    found = raw.search(expression="(objectSid=*)", attrs=["objectGUID", "objectSid"])
    return {
        str(entry.dn).lower(): Object(
            str(entry.dn),
            uuid.UUID(bytes_le=bytes(entry["objectGUID"][0])),
            str(ndr_unpack(security.dom_sid, entry["objectSid"][0])),
        )
        for entry in found
    }


def _stamp(raw: Any) -> str:
    """Return time, origin and version of a link that Samba itself wrote."""
    (model, *_others) = raw.search(expression="(&(objectClass=group)(member=*))", attrs=["member"])
    match = _STAMP.match(bytes(model["member"][0]).decode())
    assert match is not None
    return f"{match[1]};"


def _write(raw: Any, name: str, values: Iterable[tuple[str, list[bytes]]]) -> None:
    for batch in _batches(values):
        raw.transaction_start()
        for dn, links in batch:
            message = ldb.Message(ldb.Dn(raw, dn))
            message[name] = ldb.MessageElement(links, ldb.FLAG_MOD_ADD, name)
            raw.modify(message)
        raw.transaction_commit()


def _batches(values: Iterable[tuple[str, list[bytes]]]) -> Iterator[list[tuple[str, list[bytes]]]]:
    left = iter(values)
    while batch := list(islice(left, AT_ONCE)):
        yield batch


if __name__ == "__main__":
    main(json.load(sys.stdin))
