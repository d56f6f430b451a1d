# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The links of groups, each group's whole or with the reason why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    TERMS_AT_ONCE,
    any_of,
    guid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import extended, values_in_range
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.results import ReadRefusedError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    Control,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import chunks
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    HeldLinks,
    IncompleteReading,
    Link,
)

_READ_TRIES = 3
# Each refusal has already been waited for; a server that refuses this many groups in a row refuses the others too.
_MOST_REFUSALS = 3


@dataclass(slots=True)
class _Progress:
    """One group's links, as far as they are read.

    Parameters:
        guid: objectGUID of the group.
        usn: its uSNChanged; a reading whose answers differ in it is of two states of the group.
        links: what was read.
        next: index of the first link that is not read yet; None at the end.
    """

    guid: str
    usn: int
    links: list[Link]
    next: int | None = 0

    def take(self, entry: Entry) -> None:
        """Add the next range of an answer."""
        values, last = values_in_range(entry, "member", self.next or 0)
        self.links += [_link(value) for value in values]
        self.next = last + 1 if last is not None else None

    def held(self, why: str = "") -> HeldLinks:
        """Return the links; not whole where a reason is given."""
        links = tuple(self.links)
        return HeldLinks(self.guid, IncompleteReading(links, why) if why else CompleteReading(links), self.usn)


class LinkReader:
    """Reads the links of groups.

    Parameters:
        session: a bound connection.
        domain_dn: where to search.
        condition: the filter term that the groups answer to.
        controls: controls beside the one that shows GUID and SID of a link.
    """

    def __init__(
        self,
        session: Session,
        domain_dn: str,
        condition: str = "(objectClass=group)",
        controls: Sequence[Control] = (),
    ) -> None:
        self._session = session
        self._domain_dn = domain_dn
        self._condition = condition
        self._controls = (EXTENDED_DN_CONTROL, *controls)

    def read(self, guids: Collection[str]) -> Iterator[HeldLinks]:
        """Yield the links of each of these groups that exists.

        A group whose answer is odd, refused or cut off gets a reading that says so; the others go on.

        Raises:
            DirectoryError: the connection is gone.
        """
        for part in chunks(dict.fromkeys(guids), TERMS_AT_ONCE):
            yield from self._together(part)

    def _together(self, guids: Sequence[str]) -> Iterator[HeldLinks]:
        waiting = dict.fromkeys(guids)
        large: list[_Progress] = []
        (either,) = any_of([guid_term(guid) for guid in guids])
        search = self._session.search(
            self._domain_dn,
            f"(&{self._condition}{either})",
            ("objectGUID", "uSNChanged", "member;range=0-*"),
            controls=self._controls,
        )
        try:
            for entry in search:
                progress = _Progress(identity.guid_from_bytes(entry.first("objectGUID") or b""), _usn(entry), [])
                waiting.pop(progress.guid, None)
                why = _taken(progress, entry)
                if not why and progress.next is not None:
                    large.append(progress)
                else:
                    yield progress.held(why)
        except ReadRefusedError:
            # Perhaps one group is too much for the server; asked alone, the others may be read.
            yield from self._one_by_one(waiting)
        for progress in large:
            yield self._whole(progress)

    def _one_by_one(self, guids: Collection[str]) -> Iterator[HeldLinks]:
        refusals = 0
        why = ""
        for guid in guids:
            progress = _Progress(guid, 0, [])
            if refusals < _MOST_REFUSALS:
                try:
                    entry = self._range(guid, 0)
                except ReadRefusedError as error:
                    refusals, why = refusals + 1, str(error)
                else:
                    refusals = 0
                    if entry is not None:
                        progress.usn = _usn(entry)
                        odd = _taken(progress, entry)
                        yield progress.held(odd) if odd else self._whole(progress)
                    continue
            yield progress.held(why)

    def _range(self, guid: str, low: int) -> Entry | None:
        search = self._session.search(
            f"<GUID={guid}>",
            self._condition,
            ("uSNChanged", f"member;range={low}-*"),
            scope="BASE",
            controls=self._controls,
        )
        return next(search, None)

    def _whole(self, progress: _Progress) -> HeldLinks:
        """Read on to the end of a group that one answer does not hold, from the start again if it changes meanwhile."""
        try:
            for _attempt in range(_READ_TRIES):
                if self._read_on(progress):
                    return progress.held()
                progress.links, progress.next = [], 0
        except (IncompleteReadError, ReadRefusedError) as error:
            return progress.held(str(error))
        return progress.held(f"The members of the group {progress.guid} change faster than they can be read.")

    def _read_on(self, progress: _Progress) -> bool:
        """Read the ranges that are missing; False when the group changed."""
        while progress.next is not None:
            entry = self._range(progress.guid, progress.next)
            if entry is None:
                raise IncompleteReadError(f"The group {progress.guid} went away while its members were read.")
            usn = _usn(entry)
            if progress.next and usn != progress.usn:
                return False
            progress.usn = usn
            progress.take(entry)
        return True


def _taken(progress: _Progress, entry: Entry) -> str:
    """Take the range of an answer; return what is odd about it, or an empty string."""
    try:
        progress.take(entry)
    except IncompleteReadError as error:
        return str(error)
    return ""


def _usn(entry: Entry) -> int:
    return int(entry.first("uSNChanged") or 0)


def _link(value: bytes) -> Link:
    text = value.decode("utf-8", "replace")
    parts = extended(text)
    if parts is None:
        raise IncompleteReadError(f"The server ignored the extended-DN control: {text!r}.", "Use another DC.")
    return Link(*parts)
