# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an access control list lets somebody do."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.access import GROUP_CLASS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import (
    EVERYTHING,
    Ace,
    SecurityDescriptor,
)
from tests.unit.samples import OWN_SID, STRANGER_SID

MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"
TOKEN = {OWN_SID, "S-1-5-11"}
WRITE = rights.WRITE_PROPERTY


def ace(
    mask: int = WRITE,
    about: str | None = None,
    *,
    allow: bool = True,
    who: str = OWN_SID,
    inherit_only: bool = False,
    of: str | None = None,
    inherits: bool = False,
    conditional: bool = False,
) -> Ace:
    return Ace(allow, mask, who, about, inherit_only, of, inherits, conditional)


@pytest.mark.parametrize(
    ("aces", "allowed"),
    [
        ((), False),
        ((ace(),), True),
        ((ace(about=MEMBER),), True),
        ((ace(about=GROUP_CLASS),), False),
        ((ace(rights.DELETE),), False),
        ((ace(who=STRANGER_SID),), False),
        ((ace(who="S-1-5-11"),), True),
        ((ace(inherit_only=True),), False),
        ((ace(rights.GENERIC_ALL),), True),
        ((ace(rights.GENERIC_WRITE),), True),
        ((ace(EVERYTHING, who=OWN_SID),), False),
        ((ace(conditional=True),), False),
        ((ace(conditional=True), ace()), True),
        ((ace(allow=False, conditional=True), ace()), False),
        ((ace(allow=False), ace()), False),
        ((ace(), ace(allow=False)), True),
        ((ace(allow=False, about=GROUP_CLASS), ace()), True),
        ((ace(allow=False, who=STRANGER_SID), ace()), True),
    ],
)
def test_the_first_entry_that_speaks_of_it_decides(aces: tuple[Ace, ...], allowed: bool) -> None:
    assert access.may(SecurityDescriptor(None, aces), TOKEN, WRITE, {MEMBER}) is allowed


def test_an_object_without_a_list_lets_everybody() -> None:
    assert access.may(SecurityDescriptor(None, None), set(), WRITE)
    assert access.inherited(SecurityDescriptor(OWN_SID, None), GROUP_CLASS).aces is None


def test_a_new_group_inherits_what_is_for_groups_and_for_all() -> None:
    aces = (
        ace(inherits=True, inherit_only=True, of=GROUP_CLASS),
        ace(rights.DELETE, inherits=True),
        ace(inherits=True, of=USER_CLASS),
        ace(rights.CREATE_CHILD),
    )
    found = access.inherited(SecurityDescriptor(None, aces), GROUP_CLASS)
    assert found.aces == (ace(inherits=True, of=GROUP_CLASS), ace(rights.DELETE, inherits=True))
    assert access.may(found, TOKEN, WRITE, {MEMBER}) and not access.may(found, TOKEN, rights.CREATE_CHILD)
