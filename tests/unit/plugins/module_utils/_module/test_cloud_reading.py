# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a tenant has a word; how it is read is tested in test_capturing.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery, MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.cloud_reading import Asked
from tests.unit.plugins.module_utils._entra.scripted import SETTINGS


class Client:
    """Only has permissions."""

    def __init__(self, *roles: str) -> None:
        self.roles = frozenset(roles)


ASKED: dict[str, Any] = {
    "client": Client("A", "B"),
    "settings": SETTINGS,
    "groups": GroupQuery(frozenset({"mail", "displayName"})),
    "members": MemberQuery(),
}


def test_the_same_question_has_the_same_word() -> None:
    again = {**ASKED, "client": Client("B", "A"), "groups": GroupQuery(frozenset({"displayName", "mail"}))}
    assert Asked(**ASKED).word() == Asked(**again).word()


@pytest.mark.parametrize(
    "other",
    [
        {"client": Client("A")},
        {"settings": replace(SETTINGS, graph_url="https://graph.example")},
        {"groups": GroupQuery(frozenset({"mail"}))},
        {"groups": GroupQuery(frozenset({"mail", "displayName"}), service_filter="x")},
        {"members": MemberQuery(immutable_id=True)},
        {"members": MemberQuery(object_identifier=True)},
    ],
)
def test_another_question_has_another_word(other: dict[str, Any]) -> None:
    assert Asked(**ASKED).word() != Asked(**{**ASKED, **other}).word()
