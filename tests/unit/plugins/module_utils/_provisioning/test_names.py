# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Active Directory accepts as a name."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import names


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("Sales_2b6d3f6f6b10", None),
        ("x" * 64, None),
        ("x" * 65, "65"),
        ("\U0001f680" * 32, None),
        ("\U0001f680" * 33, "66"),
        ("", "empty"),
        ("   ", "empty"),
        ("a\nb", "control"),
        ("a\ud800", "half"),
        (" a", "blank"),
        ("a ", "blank"),
        ("a,b+c", None),
    ],
)
def test_cn(value: str, problem: str | None) -> None:
    found = names.cn_problem(value)
    assert found is None if problem is None else found is not None and problem in found


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("Sales", None),
        ("Sales and more", None),
        ("x" * 256, None),
        ("x" * 257, "257"),
        ("", "empty"),
        (". .", "empty"),
        ("a.", "dot"),
        (".a", None),
        *((f"a{char}b", repr(char)) for char in '"/\\[]:;|=,+*?<>\t'),
    ],
)
def test_sam_account_name(value: str, problem: str | None) -> None:
    found = names.sam_account_name_problem(value)
    assert found is None if problem is None else found is not None and problem in found
