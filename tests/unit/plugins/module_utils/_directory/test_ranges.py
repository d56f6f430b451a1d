# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes whose values come in ranges."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import (
    all_values,
    extended,
    values_in_range,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from tests.unit.plugins.module_utils._directory.scripted import (
    Answer,
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    with_raw,
)
from tests.unit.samples import guid


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"<GUID={guid(1).upper()}>;<SID=S-1-5-32-544>;CN=a\n,DC=x", (guid(1), "S-1-5-32-544", "CN=a\n,DC=x")),
        (f"<GUID={guid(1)}>;CN=a;<SID=S-1>;b", (guid(1), None, "CN=a;<SID=S-1>;b")),
        ("CN=a,DC=x", None),
        ("<GUID=1>;CN=a", None),
    ],
)
def test_guid_and_sid_in_front_of_a_name(text: str, parts: tuple[str, str | None, str] | None) -> None:
    assert extended(text) == parts


def test_a_range_of_another_attribute_is_none_of_this_one() -> None:
    held = Entry("CN=a", {"memberof;range=0-*": [b"x"], "member;range=0-0": [b"y"]})
    assert values_in_range(held, "memberOf", 0) == ([b"x"], None)
    assert values_in_range(held, "member", 0) == ([b"y"], 0)


@pytest.mark.parametrize("low", [0, 2])
def test_a_range_that_begins_elsewhere_is_refused(low: int) -> None:
    with pytest.raises(IncompleteReadError, match="whole range"):
        values_in_range(Entry("CN=a", {"member;range=1-1": [b"y"]}), "member", low)


def values(patch: pytest.MonkeyPatch, *later: dict[str, list[bytes]] | None) -> list[bytes]:
    answers = list(later)

    def handler(_operation: Operation) -> Answer:
        raw = answers.pop(0)
        return page([] if raw is None else [with_raw(entry("CN=a"), raw)])

    session = connect(patch, ScriptedConnection(handler))
    return all_values(session, guid(1), Entry("CN=a", {"memberof;range=0-1": [b"0", b"1"]}), "memberOf")


def test_all_ranges_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values(monkeypatch, {"memberOf;range=2-3": [b"2", b"3"]}, {"memberOf;range=4-*": [b"4"]}) == [
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
    ]


def test_an_object_that_goes_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IncompleteReadError, match="went away"):
        values(monkeypatch, None)
