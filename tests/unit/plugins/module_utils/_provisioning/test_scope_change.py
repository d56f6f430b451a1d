# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups can be made universal."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import scope_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Nesting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope_change import (
    DOMAIN_LOCAL,
    GLOBAL,
    SECURITY,
    UNIVERSAL,
)

TYPES = {"global": GLOBAL, "domain local": DOMAIN_LOCAL, "universal": UNIVERSAL}


# MS-ADTS 3.1.1.5.3.4: what may stand around a group that becomes universal.
@pytest.mark.parametrize(
    ("scope", "around", "neighbour", "refused"),
    [
        ("global", "parents", "global", True),
        ("global", "parents", "universal", False),
        ("global", "parents", "domain local", False),
        ("global", "members", "global", False),
        ("domain local", "members", "domain local", True),
        ("domain local", "members", "global", False),
        ("domain local", "members", "universal", False),
        ("domain local", "parents", "domain local", False),
        ("universal", "parents", "global", False),
        ("universal", "members", "domain local", False),
    ],
)
@pytest.mark.parametrize("security", [0, SECURITY - (1 << 32)])
def test_what_stands_around_a_group_decides(
    scope: str, around: str, neighbour: str, refused: bool, security: int
) -> None:
    """A groupType is a signed number: that of a security group is negative."""
    beside = (("CN=harmless", UNIVERSAL + security), ("CN=neighbour", TYPES[neighbour] + security))
    nesting = Nesting(**{around: beside})
    found = scope_change.to_universal(TYPES[scope] + security, nesting)
    assert ("CN=neighbour" in found) is refused
    assert bool(found) is refused


def test_a_group_that_stands_alone_can_be_made_universal() -> None:
    assert [scope_change.to_universal(kind, Nesting()) for kind in TYPES.values()] == ["", "", ""]


@pytest.mark.parametrize("group_type", [0, 1, SECURITY])
def test_a_group_of_unknown_scope_cannot(group_type: int) -> None:
    assert scope_change.to_universal(group_type, Nesting()) == "its scope is unknown"
    assert scope_change.scope_name(group_type) == "unknown"


@pytest.mark.parametrize(
    ("group_type", "name", "security"),
    [
        (-2147483646, "global", True),
        (-2147483644, "domain local", True),
        (-2147483640, "universal", True),
        (2, "global", False),
        (8, "universal", False),
    ],
)
def test_group_types_of_windows(group_type: int, name: str, security: bool) -> None:
    assert scope_change.scope_name(group_type) == name
    assert scope_change.is_security(group_type) is security


@pytest.mark.parametrize(("before", "after"), [(-2147483646, -2147483640), (-2147483644, -2147483640), (2, 8), (8, 8)])
def test_a_group_that_becomes_universal_stays_a_security_group_or_none(before: int, after: int) -> None:
    assert scope_change.as_universal(before) == after
