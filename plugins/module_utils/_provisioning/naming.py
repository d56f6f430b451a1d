# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that must be free: the cn in its container, the sAMAccountName in the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import attributes, dn, names, plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DesiredGroup,
    DirectoryGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

_SUFFIX_LENGTH = 12  # as the default mapping of cn takes it: the last part of the object id


class NameCollision(Word):
    """What happens when a name is taken."""

    FAIL = "fail"
    SUFFIX = "suffix"


@dataclass(frozen=True, slots=True)
class Occupied:
    """Names that objects of the domain have.

    Parameters:
        dns: key of a DN to the objectGUID of the object.
        sams: sAMAccountName, case folded, to the objectGUID of the account.
    """

    dns: Mapping[dn.Dn, str] = field(default_factory=dict)
    sams: Mapping[str, str] = field(default_factory=dict)


def alternatives(value: str, cloud_id: str, limit: int) -> tuple[str, str]:
    """Return a name, and the same with a suffix from the object id, cut so that it fits and splits no character."""
    suffix = f"_{cloud_id[-_SUFFIX_LENGTH:]}"
    stem = value
    while names.utf16_length(stem) + len(suffix) > limit:
        stem = stem[:-1]
    return value, f"{stem.rstrip()}{suffix}"


def cn_alternatives(desired: DesiredGroup) -> tuple[str, ...]:
    """Return the cn that a group wants and the one that it may fall back to."""
    return alternatives(desired.cn, desired.id, names.CN_LIMIT) if desired.cn else ()


def sam_alternatives(desired: DesiredGroup) -> tuple[str, ...]:
    """Return the sAMAccountName that a group wants and the one that it may fall back to."""
    values = desired.attributes.get(attributes.SAM, ())
    return alternatives(values[0], desired.id, names.SAM_LIMIT) if values else ()


def wants_name(desired: DesiredGroup, found: DirectoryGroup | None) -> bool:
    """Return whether a group is created, renamed or moved, if nothing stands in its way."""
    return found is None or plan.relocation(desired, found) is not None


def settle(
    desired: DesiredGroup,
    found: DirectoryGroup | None,
    occupied: Occupied,
    claimed: set[object],
    policy: NameCollision,
) -> DesiredGroup:
    """Return the group with names that are free, and claim them.

    A name that the object itself holds is free for it.

    Parameters:
        desired: what should be.
        found: what is, or None.
        occupied: names that objects of the domain have.
        claimed: names given to other groups of this run; added to.
        policy: whether a taken name fails or gets a suffix.

    Raises:
        ObjectError: a name is taken.
    """
    if not wants_name(desired, found):
        return desired
    own = found.guid if found else None
    here = dn.parse(found.dn) if found else ()
    container = desired.container or dn.text(here[1:])
    cns = cn_alternatives(desired) or (here[0].value,)
    choices = cns if policy is NameCollision.SUFFIX else cns[:1]
    keys = {cn: dn.key(dn.child("CN", cn, container)) for cn in choices}
    cn = next((c for c in choices if occupied.dns.get(keys[c]) in (None, own) and keys[c] not in claimed), None)
    if cn is None:
        raise _taken(f"The name {dn.child('CN', choices[0], container)}", "cn")
    claimed.add(keys[cn])
    settled = replace(desired, cn=cn if desired.cn else "")
    sams = sam_alternatives(desired) if found is None else ()
    sams = sams if policy is NameCollision.SUFFIX else sams[:1]
    if not sams:
        return settled
    sam = next((s for s in sams if s.casefold() not in occupied.sams and ("sam", s.casefold()) not in claimed), None)
    if sam is None:
        raise _taken(f"The sAMAccountName {sams[0]}", attributes.SAM)
    claimed.add(("sam", sam.casefold()))
    return replace(settled, attributes={**settled.attributes, attributes.SAM: (sam,)})


def _taken(what: str, target: str) -> ObjectError:
    return ObjectError(
        f"{what} is taken.",
        f"Rename one of the two, make the mapping of {target} unique, or set name_collision: suffix.",
        code="name_collision",
    )
