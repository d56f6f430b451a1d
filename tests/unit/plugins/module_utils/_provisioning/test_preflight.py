# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a preflight."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
    of_error,
)


def test_a_check_that_is_fine_needs_no_remedy() -> None:
    assert judged("clock", True, "0 s apart", "Set it.") == Row("clock", Status.OK, "0 s apart")
    assert judged("clock", False, "900 s apart", "Set it.") == Row("clock", Status.FAILED, "900 s apart", "Set it.")
    assert judged("clock", False, "?", "Set it.", Status.WARNING).status is Status.WARNING


def test_an_error_is_a_row_of_what_is_not_known() -> None:
    error = DirectoryError("It does not answer.", "Look.")
    assert of_error("x", error) == Row("x", Status.UNKNOWN, "It does not answer.", "Look.")
    assert of_error("x", error, Status.FAILED).status is Status.FAILED


def test_a_long_list_is_cut_and_says_so() -> None:
    assert listed("edcba") == "a, b, c, d, e"
    assert listed("gfedcba") == "a, b, c, d, e and 2 more"
