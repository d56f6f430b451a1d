# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base64, hexadecimal, security identifiers, distinguished names."""

from __future__ import annotations

import base64
import binascii
import re
import struct

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Value,
    integer_of,
    optional_text,
    single,
)

_ENCODINGS = {"unicode": "utf-16-le", "utf8": "utf-8", "utf-8": "utf-8", "ascii": "ascii"}
_SID_TEXT = re.compile(r"S-1-[0-9]+(?:-[0-9]+)+", re.ASCII)
_SID_HEADER = 8
_RDN = re.compile(r'\s*[A-Za-z0-9.\-]+\s*=((?:\\.|"(?:\\.|[^"\\])*"|[^\\",;+])*)', re.DOTALL)
_ESCAPES = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)


def _to_base64(source: Value) -> Value:
    """Base64 of the text's UTF-16 (FUNC), or of the bytes themselves (chosen)."""
    one = single(source)
    if one is None:
        return None
    octets = one if isinstance(one, bytes) else str(one).encode("utf-16-le", "surrogatepass")
    return base64.b64encode(octets).decode("ascii")


def _from_base64(source: Value, encoding: Value) -> Value:
    """Text of a Base64 value; the encoding is Unicode (UTF-16), UTF8 or ASCII (CSX).

    :raises Fault: for what is no Base64, or no text in that encoding.
    """
    text = optional_text(source)
    codec = _ENCODINGS.get((optional_text(encoding) or "Unicode").lower())
    if codec is None:
        raise Fault("ConvertFromBase64: the encoding is Unicode, UTF8 or ASCII", encoding, argument=1)
    if text is None:
        return None
    try:
        return base64.b64decode(text, validate=True).decode(codec)
    except (binascii.Error, ValueError) as error:
        raise Fault(f"ConvertFromBase64: this is not Base64 of {codec} text", text, argument=0) from error


def _to_utf8_hex(source: Value) -> Value:
    text = optional_text(source)
    return None if text is None else text.encode("utf-8", "replace").hex().upper()


def _string_from_sid(source: Value) -> Value:
    """S-1-... of a binary security identifier (MS-DTYP 2.4.2); bytes, or their Base64. SID text stays (chosen).

    :raises Fault: for anything else.
    """
    one = single(source)
    if one is None or (isinstance(one, str) and _SID_TEXT.fullmatch(one)):
        return one
    octets = one if isinstance(one, bytes) else _decoded(str(one))
    if len(octets) < _SID_HEADER or octets[0] != 1 or len(octets) != _SID_HEADER + 4 * octets[1]:
        raise Fault("StringFromSid: this is no binary security identifier", argument=0)
    authority = int.from_bytes(octets[2:_SID_HEADER], "big")
    parts = struct.unpack_from(f"<{octets[1]}I", octets, _SID_HEADER)
    return "-".join(["S", "1", str(authority), *map(str, parts)])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _dn_component(source: Value, number: Value) -> Value:
    """The un-escaped value of the n-th component of a distinguished name, counted from the left (RFC 4514).

    Of a component with several values the first is given; beyond the last component the result is null (chosen).

    :raises Fault: for what is no distinguished name, and for a number below 1.
    """
    text = optional_text(source)
    place = integer_of(number, "the component's number")
    if place < 1:
        raise Fault("DNComponent: components are counted from 1", argument=1)
    if not text:
        return None
    values = _components(text)
    return values[place - 1] if place <= len(values) else None


def _components(text: str) -> list[str]:
    values: list[str] = []
    offset, separator = 0, ","
    while True:
        match = _RDN.match(text, offset)
        if match is None:
            raise Fault("DNComponent: this is no distinguished name", text, argument=0)
        if separator != "+":
            values.append(_unescaped(match[1]))
        if match.end() == len(text):
            return values
        separator = text[match.end()]
        if separator not in ",;+":
            raise Fault("DNComponent: this is no distinguished name", text, argument=0)
        offset = match.end() + 1


def _unescaped(raw: str) -> str:
    trimmed = _trimmed(raw)
    if len(trimmed) > 1 and trimmed[0] == trimmed[-1] == '"':
        trimmed = trimmed[1:-1]
    return _ESCAPES.sub(_unescape, trimmed)


def _trimmed(raw: str) -> str:
    """Without the blanks around the value; a last blank that a backslash escapes stays."""
    text = raw.strip()
    backslashes = len(text) - len(text.rstrip("\\"))
    return text + " " if backslashes % 2 else text


def _unescape(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    return bytes.fromhex(match[0].replace("\\", "")).decode("utf-8", "replace")


def _parent_dn(source: Value) -> Value:
    """The name of the container of an object, every escape kept right (RFC 4514); null for null.

    :raises Fault: for what is no distinguished name.
    """
    rdns = _distinguished_name("ParentDN", source)
    return dn.text(rdns[1:]) or None


def _rdn_value(source: Value) -> Value:
    """The un-escaped value of a name's leftmost component (RFC 4514); null for null.

    :raises Fault: for what is no distinguished name.
    """
    rdns = _distinguished_name("RdnValue", source)
    return rdns[0].value if rdns else None


def _distinguished_name(function: str, source: Value) -> dn.Dn:
    text = optional_text(source)
    try:
        return dn.parse(text or "")
    except ValueError as error:
        raise Fault(f"{function}: this is no distinguished name ({error})", text, argument=0) from None


FUNCTIONS = (
    Function("ConvertFromBase64", 1, 2, _from_base64),
    Function("ConvertToBase64", 1, 1, _to_base64),
    Function("ConvertToUTF8Hex", 1, 1, _to_utf8_hex),
    Function("DNComponent", 2, 2, _dn_component),
    Function("ParentDN", 1, 1, _parent_dn),
    Function("RdnValue", 1, 1, _rdn_value),
    Function("StringFromSid", 1, 1, _string_from_sid),
)
