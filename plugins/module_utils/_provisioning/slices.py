# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of a plan in slices that several machines carry out: whose a change is, and what became of all of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.apply import failed
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import GroupChange, MemberChange
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Applied,
    KnownGroup,
    wanted_guids,
)


@dataclass(frozen=True, slots=True)
class Slice:
    """The changes of one machine.

    Parameters:
        count: how many slices there are.
        index: which one this is, from 0.
    """

    count: int
    index: int

    def has(self, cloud_id: str) -> bool:
        """Return whether a change is of this slice; one of no cloud group, a container, is of every slice."""
        return not cloud_id or index_of(cloud_id, self.count) == self.index


def index_of(cloud_id: str, count: int) -> int:
    """Return the slice of a cloud group: the same on every machine, and in every version of Python."""
    return int.from_bytes(hashlib.sha256(cloud_id.encode()).digest(), "big") % count


@dataclass(frozen=True, slots=True)
class HandOver:
    """A part of a plan that was handed over to slices.

    Parameters:
        plan_id: the plan.
        module: the module whose part it is.
        count: how many slices.
        minutes: for how long they may write.
        at: since when, ISO 8601.
    """

    plan_id: str
    module: str
    count: int
    minutes: int
    at: str

    @property
    def until(self) -> str:
        """Until when slices may write, ISO 8601."""
        return moment_text(moment_of(self.at) + timedelta(minutes=self.minutes))


@dataclass(frozen=True, slots=True)
class Returned:
    """What a slice brought back.

    Parameters:
        done: what became of its changes, in the order of the plan, as far as it came.
        ended: why it ended before its end, a sentence; empty where it did not, or where nobody knows.
    """

    done: Iterable[Applied]
    ended: str = ""


def replay(
    changes: Iterable[GroupChange | MemberChange],
    count: int,
    returned: Mapping[int, Returned],
    known: Mapping[str, KnownGroup],
    lost: Counter[int],
) -> Iterator[Applied]:
    """Yield what became of each change of a part, as one machine would have told it that carried out all of them.

    Parameters:
        changes: the part of the plan.
        count: how many slices it was handed over to.
        returned: what the slices brought back, by index.
        known: what the journal remembers of each cloud group.
        lost: counts, by index, the changes that a slice did not bring back.

    Raises:
        StoreError: what a slice brought back is not of these changes.
    """
    left = {index: iter(one.done) for index, one in returned.items()}
    for change in changes:
        owners = [index_of(change.id, count)] if change.id else list(range(count))
        found = [told for index in owners if index in left and (told := _next(left[index], change, index)) is not None]
        if found:
            # A container is there if one of the slices could make it.
            best = min(found, key=lambda applied: applied.status == "failed")
            yield best if isinstance(change, GroupChange) else _with_ids(change, best, known)
            continue
        lost.update(owners)
        yield failed(change, _missing(owners[0], count, returned.get(owners[0])))


def _next(left: Iterator[Applied], change: GroupChange | MemberChange, index: int) -> Applied | None:
    applied = next(left, None)
    if applied is None:
        return None
    told, wanted = (applied.action, applied.id), (change.action.value, change.id)
    if told != wanted or (not change.id and applied.dn != change.dn):
        raise StoreError(
            f"merged: slice {index} tells of {applied.action} {applied.name or applied.dn} where the plan has "
            f"{change.action} {change.name or change.dn}.",
            "Leave its journal out of merged: the slice counts as missing then.",
            code="slice_wrong",
        )
    return applied


def _with_ids(change: MemberChange, applied: Applied, known: Mapping[str, KnownGroup]) -> Applied:
    """Return the same with the cloud principals behind the links, which no journal keeps."""
    added = set(applied.added)
    ids = (want.id for guid, want in wanted_guids(change.add, known).items() if guid in added)
    return replace(applied, added_ids=frozenset(ids))


def _missing(index: int, count: int, returned: Returned | None) -> ObjectError:
    if returned is None:
        what = "did not come back, so that nobody knows whether this was done."
    elif returned.ended:
        what = f"ended before it: {returned.ended}"
    else:
        what = "broke off before it."
    return ObjectError(
        f"Slice {index} of 0 to {count - 1} {what}",
        "Look at its machine; the next run plans again and does what is left.",
        code="slice_missing",
    )
