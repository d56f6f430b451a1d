# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows refuses, as pure rules: lengths, nesting, conversions (MS-ADTS 3.1.1.5, MS-SAMR 3.1.1.8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .wire import Result

GLOBAL, DOMAIN_LOCAL, UNIVERSAL = 2, 4, 8
_SCOPES = GLOBAL | DOMAIN_LOCAL | UNIVERSAL
_BUILTIN = 1
SECURITY = 0x80000000
FOREIGN = "foreignSecurityPrincipal"

BUSY, UNAVAILABLE, NO_SUCH_OBJECT, CONSTRAINT, SYNTAX, UNWILLING, ADMIN_LIMIT = 51, 52, 32, 19, 21, 53, 11

# Win32 codes of winerror.h, as they stand in front of the text.
_INVALID_GROUP_TYPE = 0x2141
_GLOBAL_HOLDS_LOCAL = 0x2144
_GLOBAL_HOLDS_UNIVERSAL = 0x2145
_UNIVERSAL_HOLDS_LOCAL = 0x2146
_GLOBAL_HOLDS_OTHER_DOMAIN = 0x2147
_LOCAL_HOLDS_OTHER_LOCAL = 0x2148
_HAS_PRIMARY_MEMBERS = 0x2149
_UNWILLING = 0x2035


class RefusedError(Exception):
    """The policy refuses an operation."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.result = result


@dataclass(frozen=True, slots=True)
class Fact:
    """What the directory says of one object."""

    dn: str
    guid: str
    sid: str | None
    object_class: str
    group_type: int | None
    domain: str
    critical: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths that the schema allows for a string attribute, in characters or bytes."""

    lower: int
    upper: int
    in_characters: bool


def refusal(code: int, win32: int, problem: str, kind: str = "SvcErr") -> Result:
    """Return a result with a text as a Windows controller writes it, the terminating NUL included."""
    return Result(code, f"{win32:08X}: {kind}: DSID-031A1254, problem {problem}, data 0\n\x00")


def unwilling(win32: int = _UNWILLING) -> Result:
    """Return unwillingToPerform."""
    return refusal(UNWILLING, win32, "5003 (WILL_NOT_PERFORM)")


def missing() -> Result:
    """Return noSuchObject."""
    return refusal(NO_SUCH_OBJECT, 0x208D, "2001 (NO_OBJECT)", "NameErr")


def admin_limit() -> Result:
    """Return adminLimitExceeded."""
    return refusal(ADMIN_LIMIT, 0x2024, "5008 (ADMIN_LIMIT_EXCEEDED)")


def busy() -> Result:
    """Return busy."""
    return refusal(BUSY, 0x200E, "5001 (BUSY)")


def unavailable() -> Result:
    """Return unavailable."""
    return refusal(UNAVAILABLE, 0x200F, "5002 (UNAVAILABLE)")


def length_refusal(attribute: str, values: Iterable[bytes], limits: Limits | None) -> Result | None:
    """Return the refusal of a value that is empty, too short or too long; characters are UTF-16 units."""
    for value in values:
        if not value:
            return refusal(SYNTAX, 0x57, "1001 (NO_ATTRIBUTE_OR_VAL)", "LdapErr")
        if limits is None:
            continue
        size = len(value.decode("utf-8", "replace").encode("utf-16-le")) // 2 if limits.in_characters else len(value)
        if not limits.lower <= size <= limits.upper:
            text = f"Att ({attribute}):len {size}"
            return Result(
                CONSTRAINT,
                f"00002082: AtrErr: DSID-03151904, #1:\n\t0: 00002082: DSID-03151904, problem 1005 "
                f"(CONSTRAINT_ATT_TYPE), data 0, {text}\n\x00",
            )
    return None


def scope_of(group_type: int) -> int:
    """Return the scope bit of a group type, 0 when there is not exactly one."""
    scope = group_type & _SCOPES
    return scope if scope in (GLOBAL, DOMAIN_LOCAL, UNIVERSAL) else 0


# What a group of the first scope says to a member group of the second, of its own and of another domain.
_SAME_DOMAIN: Mapping[tuple[int, int], int] = {
    (GLOBAL, DOMAIN_LOCAL): _GLOBAL_HOLDS_LOCAL,
    (GLOBAL, UNIVERSAL): _GLOBAL_HOLDS_UNIVERSAL,
    (UNIVERSAL, DOMAIN_LOCAL): _UNIVERSAL_HOLDS_LOCAL,
}
_OTHER_DOMAIN: Mapping[tuple[int, int], int] = {
    **_SAME_DOMAIN,
    (GLOBAL, GLOBAL): _GLOBAL_HOLDS_OTHER_DOMAIN,
    (DOMAIN_LOCAL, DOMAIN_LOCAL): _LOCAL_HOLDS_OTHER_LOCAL,
}


def nesting_refusal(group_type: int, domain: str, member: Fact) -> Result | None:
    """Return why a group of this type and domain may not hold this member (MS-SAMR 3.1.1.8.9)."""
    scope, same = scope_of(group_type), member.domain == domain
    if member.object_class == FOREIGN:
        return None if scope == DOMAIN_LOCAL else unwilling()
    if member.group_type is None:
        return None if same or scope != GLOBAL else unwilling(_GLOBAL_HOLDS_OTHER_DOMAIN)
    if member.group_type & _BUILTIN:
        return unwilling(_INVALID_GROUP_TYPE)
    win32 = (_SAME_DOMAIN if same else _OTHER_DOMAIN).get((scope, scope_of(member.group_type)))
    return unwilling(win32) if win32 else None


def conversion_refusal(
    old: int, new: int, domain: str, members: Collection[Fact], holders: Collection[Fact], *, primary: bool
) -> Result | None:
    """Return why a group may not change its type.

    Parameters:
        old, new: group types.
        domain: of the group.
        members: what it holds.
        holders: the groups that hold it.
        primary: whether it is somebody's primary group.
    """
    before, after = scope_of(old), scope_of(new)
    if (old | new) & _BUILTIN or not after or {before, after} == {GLOBAL, DOMAIN_LOCAL}:
        return unwilling(_INVALID_GROUP_TYPE)
    if primary and (after != before or not new & SECURITY):
        return unwilling(_HAS_PRIMARY_MEMBERS)
    if after == before or (before, after) == (UNIVERSAL, DOMAIN_LOCAL):
        return None
    if (before, after) == (GLOBAL, UNIVERSAL) and any(scope_of(holder.group_type or 0) == GLOBAL for holder in holders):
        return unwilling(_GLOBAL_HOLDS_UNIVERSAL)
    refusals = (nesting_refusal(new, domain, member) for member in members)
    return next((found for found in refusals if found), None)
