# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links of one group, written in batches in which the bad one is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.results import Meaning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import chunks
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError, GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import MemberResult, WriteOrder

# Values in one modify: far below what any server refuses, large enough that the round trip does not count.
LINKS_AT_ONCE = 1000
# Answers in a row that nothing came of: more than the halvings that find one bad link.
_MOST_BUSY = 16
_ENTRY_ALREADY_EXISTS = 68

_ADD, _DELETE = "MODIFY_ADD", "MODIFY_DELETE"
# What fewer links at a time would not change.
_HOPELESS = frozenset({Meaning.PERMISSION, Meaning.MISCONFIGURED})


class _Change(NamedTuple):
    """One link to write; the value is a DN, or the GUID in angle brackets."""

    operation: str
    member: str
    value: str


class MemberWriting:
    """Writes the links of one group.

    A modify is atomic: one bad value fails the whole of it. The batch is halved until the bad one stands alone.

    Parameters:
        session: a bound connection.
        guid: objectGUID of the group.
        order: what is written first, additions or removals.
    """

    def __init__(self, session: Session, guid: str, order: WriteOrder) -> None:
        self._session = session
        self._guid = guid
        self._operations = (_ADD, _DELETE) if order is WriteOrder.ADDITIONS_FIRST else (_DELETE, _ADD)
        self._done: set[_Change] = set()
        self._failed: dict[str, GpadError] = {}
        self._given_up: GpadError | None = None
        self._busy = 0
        self._group_is_there = False

    def run(self, add: Mapping[str, str], remove: Mapping[str, str]) -> MemberResult:
        """Add and remove.

        Raises:
            DirectoryError: the connection broke before a link was written.
        """
        links = {_ADD: add, _DELETE: remove}
        work = [
            _Change(operation, member, name or f"<GUID={member}>")
            for operation in self._operations
            for member, name in sorted(links[operation].items())
        ]
        for batch in chunks(work, LINKS_AT_ONCE):
            self._write_batch(batch)
        return MemberResult(
            frozenset(change.member for change in self._done if change.operation == _ADD),
            frozenset(change.member for change in self._done if change.operation == _DELETE),
            self._failed,
        )

    def _write_batch(self, batch: Sequence[_Change]) -> None:
        try:
            self._write(batch)
        except DirectoryError as error:
            if not self._done:
                raise
            self._given_up = error
            self._fail([change for change in batch if change not in self._done], error)

    def _fail(self, work: Sequence[_Change], error: GpadError) -> None:
        for change in work:
            self._failed.setdefault(change.member, error)

    def _write(self, work: Sequence[_Change], *, again: bool = True) -> None:
        """Write a batch.

        Parameters:
            work: the links.
            again: whether a batch that the server had no time for may be sent a second time as it is.
        """
        if self._given_up is not None:
            self._fail(work, self._given_up)
            return
        operations = [
            (operation, [change.value for change in work if change.operation == operation])
            for operation in self._operations
            if any(change.operation == operation for change in work)
        ]
        result = self._session.modify(f"<GUID={self._guid}>", {"member": operations})
        if result["result"] == results.SUCCESS:
            self._busy = 0
            self._done.update(work)
            return
        meaning = results.meaning(result)
        self._busy = self._busy + 1 if meaning is Meaning.BUSY else 0
        error = results.refusal("Writing member", result)
        if self._is_hopeless(meaning, result):
            self._given_up = error
            self._fail(work, error)
        elif meaning is Meaning.BUSY and again:
            self._write(work, again=False)
        elif len(work) > 1:
            middle = len(work) // 2
            self._write(work[:middle], again=False)
            self._write(work[middle:], again=False)
        elif not _is_so_already(work[0], result, meaning):
            self._fail(work, error)

    def _is_hopeless(self, meaning: Meaning, result: Mapping[str, object]) -> bool:
        if meaning in _HOPELESS or result["result"] in results.BUSY_CODES or self._busy > _MOST_BUSY:
            return True
        return meaning is Meaning.MISSING and not self._is_there()

    def _is_there(self) -> bool:
        """Look whether it is the group that is missing, not a member; once."""
        if not self._group_is_there:
            search = self._session.search(f"<GUID={self._guid}>", "(objectClass=group)", (), scope="BASE")
            self._group_is_there = next(search, None) is not None
        return self._group_is_there


def _is_so_already(change: _Change, result: Mapping[str, object], meaning: Meaning) -> bool:
    """Return whether a single link was refused because it is already as wanted.

    Adding a link that exists is entryAlreadyExists in every text a server gives it; removing one that does not is
    told by its prefix.
    """
    duplicate = change.operation == _ADD and result["result"] == _ENTRY_ALREADY_EXISTS
    return duplicate or meaning is Meaning.ALREADY_DONE
