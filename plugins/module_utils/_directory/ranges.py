# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes whose values come in ranges (MS-ADTS 3.1.1.3.1.3.3), and values with GUID and SID in front of the DN.

Asked with a range option, an honest server answers with one range that starts where it was asked to, or with no value
at all; anything else is a short reading in disguise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Control, Entry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError

_RANGE = re.compile(r"([^;]+);range=(\d+)-(\d+|\*)\Z")
_EXTENDED = re.compile(r"<GUID=([0-9a-fA-F-]{36})>;(?:<SID=(S-[0-9-]+)>;)?(.*)\Z", re.DOTALL)


class Searcher(Protocol):
    """Something that can be searched: a domain controller, or the global catalog."""

    def search(
        self,
        base: str,
        ldap_filter: str,
        attributes: Sequence[str],
        *,
        scope: str = "SUBTREE",
        controls: Sequence[Control] = (),
    ) -> Iterator[Entry]:
        """Yield all entries of a search."""


def extended(text: str) -> tuple[str, str | None, str] | None:
    """Return GUID, SID and DN of a value as the extended-DN control shows it; None for a plain DN."""
    match = _EXTENDED.match(text)
    return (match[1].lower(), match[2], match[3]) if match else None


def values_in_range(entry: Entry, attribute: str, low: int) -> tuple[list[bytes], int | None]:
    """Return the values of one answer and the last index it holds, None when it holds the end.

    Raises:
        IncompleteReadError: the answer is not one range that begins at the index.
    """
    name = attribute.lower()
    hits = [(key, match) for key in entry.attributes if (match := _RANGE.match(key)) and match[1] == name]
    if not hits and not entry.attributes.get(name) and low == 0:
        return [], None
    key, match = hits[0] if len(hits) == 1 else ("", None)
    values = list(entry.attributes.get(key, ()))
    if match is None or int(match[2]) != low or not values:
        raise IncompleteReadError(
            f"The values of {attribute} of {entry.dn} came in an answer that is not a whole range.", "Run again."
        )
    if match[3] == "*":
        return values, None
    last = int(match[3])
    if last - low + 1 != len(values):
        raise IncompleteReadError(f"A range of {attribute} of {entry.dn} has gaps.", "Run again.")
    return values, last


def all_values(
    searcher: Searcher, guid: str, entry: Entry, attribute: str, controls: Sequence[Control] = ()
) -> list[bytes]:
    """Return all values of an attribute, whose first range is in the entry.

    Raises:
        DirectoryError: a further range could not be read.
        IncompleteReadError: an answer is not the range that was asked for.
    """
    values, last = values_in_range(entry, attribute, 0)
    while last is not None:
        low = last + 1
        search = searcher.search(
            f"<GUID={guid}>", "(objectClass=*)", (f"{attribute};range={low}-*",), scope="BASE", controls=controls
        )
        found = next(search, None)
        if found is None:
            raise IncompleteReadError(f"The object {guid} went away while its {attribute} was read.", "Run again.")
        chunk, last = values_in_range(found, attribute, low)
        values += chunk
    return values
