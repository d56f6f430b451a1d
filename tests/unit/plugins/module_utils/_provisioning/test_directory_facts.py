# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts survive the way from one module to another; anything else is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import (
    facts_entry,
    read_facts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from tests.unit.plugins.module_utils._provisioning.authorities import facts
from tests.unit.samples import cloud_id, sid

WHOLE = facts(1, [sid(5001), None], guarded="x", managed=False, admin_description="y", problem="z", member_of=("CN=a",))
ENTRY: dict[str, Any] = facts_entry(WHOLE)


@pytest.mark.parametrize("given", [[ENTRY], {"soa": [ENTRY]}, {"info": {"soa": [ENTRY]}, "changed": False}])
def test_what_was_gathered_is_read_back(given: object) -> None:
    assert read_facts(given) == {WHOLE.sid: WHOLE}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"info": {"groups": []}},
        "text",
        ["text"],
        [{**ENTRY, "sid": "S-1"}],
        [{**ENTRY, "members": None}],
        [{**ENTRY, "member_of": "CN=a"}],
        [{**ENTRY, "managed": "yes"}],
        [{**ENTRY, "members": ["x"]}],
        [{name: value for name, value in ENTRY.items() if name != "scope"}],
    ],
)
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_facts(given)
    assert caught.value.code == "directory_facts_invalid"


@pytest.mark.parametrize(
    ("value", "marked"),
    [
        (f"Group_{cloud_id(1)}", True),
        (f"takenover_group_{cloud_id(1)}", True),
        ("Group_of_friends", False),
        ("kept by hand", False),
        ("", False),
    ],
)
def test_the_mark_of_provisioning_is_told_from_other_texts(value: str, marked: bool) -> None:
    assert replace(WHOLE, admin_description=value).is_marked is marked
