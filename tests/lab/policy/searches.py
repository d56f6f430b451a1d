# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows limits in searches: values, entries, paged result sets (MS-ADTS 3.1.1.3.1.3.3, 3.1.1.3.4.1.1)."""

from __future__ import annotations

import re
import secrets
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ldap3.protocol.rfc2696 import Cookie, RealSearchControlValue, Size
from ldap3.utils.asn1 import decode_sequence, encode

from . import rules, wire
from .knobs import Fault, Operation, Policy
from .upstream import EXTENDED_DN

PAGED = "1.2.840.113556.1.4.319"
DOMAIN_SCOPE = "1.2.840.113556.1.4.1339"
SIZE_LIMIT_EXCEEDED, OPERATIONS_ERROR, UNAVAILABLE_EXTENSION = 4, 1, 12
RANGE = re.compile(r"(.+);range=(\d+)-(\d+|\*)\Z", re.IGNORECASE)
_CAPABILITIES, _INVOCATION_ID = "supportedcapabilities", "invocationid"
# LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID (MS-ADTS 3.1.1.3.4.3.5).
_PARTIAL_SECRETS = b"1.2.840.113556.1.4.1920"
# In the shortest possible answer a value takes three bytes.
_BYTES_OF_VALUE = 3


@dataclass(slots=True)
class RunningSearch:
    """A search whose answer is on its way to the client."""

    record: Operation
    attributes: tuple[str, ...]
    limit: int
    paged: bool
    extended: bool
    beyond_first: bool
    fault: Fault | None = None
    over: bool = False
    refused: wire.Result | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    size: int
    cookie: bytes


def page_of(controls: Sequence[wire.Control]) -> Page | None:
    """Read the control for paged results (RFC 2696)."""
    for control in controls:
        if control.oid == PAGED and control.value:
            ((_class, _constructed, _type, (size, cookie)),) = decode_sequence(control.value, 0, len(control.value))
            return Page(size[3], cookie[3])
    return None


def page_control(page: Page, *, critical: bool) -> wire.Control:
    """Encode the control for paged results."""
    value = RealSearchControlValue()
    value["size"] = Size(page.size)
    value["cookie"] = Cookie(page.cookie)
    return wire.Control(PAGED, critical, bytes(encode(value)))


def lost_cookie() -> wire.Result:
    """Return the answer to a cookie that this connection does not have."""
    return rules.refusal(UNAVAILABLE_EXTENSION, 0x2040, "5010 (UNAVAIL_EXTENSION)")


T = TypeVar("T")


class ResultSets(Generic[T]):
    """The open paged searches of one connection: a cookie counts here only, and the oldest yields to a new one."""

    def __init__(self) -> None:
        self._cookies: OrderedDict[bytes, T] = OrderedDict()

    def taken(self, cookie: bytes) -> T | None:
        """Return what is left behind a cookie that the client shows, and forget the cookie."""
        return self._cookies.pop(cookie, None)

    def given(self, rest: T, most: int) -> bytes:
        """Remember what is left and return the cookie that the client gets for it; none when nothing is left."""
        if not rest:
            return b""
        shown = secrets.token_bytes(16)
        self._cookies[shown] = rest
        while len(self._cookies) > most:
            self._cookies.popitem(last=False)
        return shown


def is_continuing(search: wire.Search, page: Page | None) -> bool:
    """Tell whether a search goes on with a reading."""
    return bool(page and page.cookie) or lowest_range(search) > 0


def lowest_range(search: wire.Search) -> int:
    """Return the highest start of the ranges that are asked for, 0 when there is none."""
    return max((int(match[2]) for name in search.attributes if (match := RANGE.match(name))), default=0)


def limited_ranges(attributes: Sequence[str], most: int) -> tuple[str, ...]:
    """Cut the ranges that are asked for down to what one answer may hold."""
    return tuple(_limited_range(name, most) for name in attributes)


def _limited_range(name: str, most: int) -> str:
    match = RANGE.match(name)
    if match is None:
        return name
    low = int(match[2])
    high = low + most - 1 if match[3] == "*" else min(int(match[3]), low + most - 1)
    return f"{match[1]};range={low}-{high}"


def needs_look(message: wire.Message, running: RunningSearch, policy: Policy) -> bool:
    """Tell whether an entry may hold what has to be changed."""
    return (
        running.beyond_first or running.fault is not None or len(message.frame) > policy.max_val_range * _BYTES_OF_VALUE
    )


def limited_entry(entry: wire.Entry, running: RunningSearch, policy: Policy) -> wire.Entry:
    """Force ranges on what holds more values than one answer may, and play a gap.

    Raises:
        rules.RefusedError: a range begins behind the last value.
    """
    attributes: list[tuple[str, tuple[bytes, ...]]] = []
    for name, values in entry.attributes:
        match = RANGE.match(name)
        if match and int(match[2]) > 0 and not values:
            raise rules.RefusedError(rules.refusal(OPERATIONS_ERROR, 0x2121, "5012 (DIR_ERROR)"))
        if match is None and len(values) > policy.max_val_range:
            most = policy.max_val_range
            attributes += [(name, ()), (f"{name};range=0-{most - 1}", values[:most])]
        elif match and running.fault and running.fault.action == "gap":
            low = int(match[2]) + running.fault.amount
            attributes.append((f"{match[1]};range={low}-{match[3]}", values[running.fault.amount :]))
        else:
            attributes.append((name, values))
    return wire.Entry(entry.dn, tuple(attributes))


def is_disguised(running: RunningSearch, policy: Policy) -> bool:
    """Tell whether an entry may hold what the controller says of itself and is to say otherwise."""
    asked = {name.lower() for name in running.attributes}
    return (policy.read_only_dc and _CAPABILITIES in asked and not running.record.base) or (
        bool(policy.invocation_id) and _INVOCATION_ID in asked
    )


def disguised(entry: wire.Entry, policy: Policy) -> wire.Entry:
    """Return an entry with what the controller is to say of itself."""
    invocation = (uuid.UUID(policy.invocation_id).bytes_le,) if policy.invocation_id else ()
    read_only = (_PARTIAL_SECRETS,) if policy.read_only_dc else ()
    attributes = []
    for name, values in entry.attributes:
        if name.lower() == _CAPABILITIES:
            values = (*values, *read_only)
        elif name.lower() == _INVOCATION_ID:
            values = invocation or values
        attributes.append((name, values))
    return wire.Entry(entry.dn, tuple(attributes))


def asks_extended(controls: Sequence[wire.Control]) -> bool:
    """Tell whether the control for extended DNs is there."""
    return any(control.oid == EXTENDED_DN.oid for control in controls)
