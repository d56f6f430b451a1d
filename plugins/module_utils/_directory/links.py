# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The links of groups, each group's whole or with the reason why not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

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
# A link as it mostly is; what else may come, `extended` tells.
_USUAL = re.compile(rb"<GUID=[0-9a-fA-F-]{36}>;<SID=(S-[0-9-]+)>;")
# Each refusal has already been waited for; a server that refuses this many groups in a row refuses the others too.
_MOST_REFUSALS = 3


class Links(Sequence[Link]):
    """Links that are taken apart when one of them is looked at: of most groups, the SIDs say enough.

    Parameters:
        values: each as the extended-DN control shows it, which was looked at before.
    """

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = values

    @cached_property
    def _links(self) -> tuple[Link, ...]:
        return tuple(map(_link, self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._links[index]

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links)


@dataclass(slots=True)
class _Progress:
    """One group's links, as far as they are read.

    Parameters:
        guid: objectGUID of the group.
        usn: its uSNChanged; a reading whose answers differ in it is of two states of the group.
        values: what was read.
        sids: of what was read, as far as a link is as they mostly are.
        next: index of the first link that is not read yet; None at the end.
    """

    guid: str
    usn: int
    values: list[bytes] = field(default_factory=list)
    sids: set[str] = field(default_factory=set)
    next: int | None = 0

    def take(self, entry: Entry) -> None:
        """Add the next range of an answer."""
        values, last = values_in_range(entry, "member", self.next or 0)
        for value in values:
            match = _USUAL.match(value)
            if match is not None:
                self.sids.add(match[1].decode())
            else:
                _link(value)
        self.values += values
        self.next = last + 1 if last is not None else None

    def restart(self) -> None:
        """Forget what was read."""
        self.values, self.sids, self.next = [], set(), 0

    def held(self, why: str = "") -> HeldLinks:
        """Return the links; not whole where a reason is given."""
        links = Links(self.values)
        if why:
            return HeldLinks(self.guid, IncompleteReading(links, why), self.usn)
        sids = frozenset(self.sids) if len(self.sids) == len(self.values) else None
        return HeldLinks(self.guid, CompleteReading(links), self.usn, sids)


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
                progress = _Progress(identity.guid_from_bytes(entry.first("objectGUID") or b""), _usn(entry))
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
            progress = _Progress(guid, 0)
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
                progress.restart()
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
