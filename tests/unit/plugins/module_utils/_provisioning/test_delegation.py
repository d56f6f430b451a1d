# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of rights, and what is made from it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, delegation, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.access import GROUP_CLASS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import Grant, Place
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor
from tests.unit import powershell
from tests.unit.samples import DOMAIN_SID, OWN_SID, STRANGER_SID

MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
ALL = list(delegation.grants(OWN_SID, {"member": MEMBER}, restore=True, units=True))


def test_each_place_has_its_rights() -> None:
    assert [(grant.place, delegation.sddl(grant.ace)) for grant in ALL] == [
        (Place.CONTAINER, f"(OA;CI;CCDC;{GROUP_CLASS};;{OWN_SID})"),
        (Place.CONTAINER, f"(OA;CIIO;SD;;{GROUP_CLASS};{OWN_SID})"),
        (Place.CONTAINER, f"(OA;CIIO;RPWP;{MEMBER};{GROUP_CLASS};{OWN_SID})"),
        (Place.CONTAINER, f"(OA;CI;CC;bf967aa5-0de6-11d0-a285-00aa003049e2;;{OWN_SID})"),
        (Place.DOMAIN, f"(OA;;CR;{access.REANIMATE_TOMBSTONES};;{OWN_SID})"),
        (Place.DELETED, f"(A;CI;LCRP;;;{OWN_SID})"),
    ]
    fewer = list(delegation.grants(OWN_SID, {}, restore=False, units=False))
    assert {grant.place for grant in fewer} == {Place.CONTAINER} and len(fewer) == 2


@pytest.mark.parametrize(
    ("change", "there"),
    [
        ({}, True),
        ({"mask": 0xFF}, True),
        ({"inherit_only": False}, True),
        ({"mask": rights.WRITE_PROPERTY}, False),
        ({"mask": rights.EVERYTHING}, False),
        ({"allow": False}, False),
        ({"trustee": STRANGER_SID}, False),
        ({"object_type": None}, False),
        ({"inherited_type": None}, False),
        ({"inherits": False}, False),
        ({"conditional": True}, False),
        ({"one_level": True}, False),
    ],
)
def test_what_is_there_is_not_added_again(change: dict[str, Any], there: bool) -> None:
    wanted = ALL[2]
    held = SecurityDescriptor(None, (replace(wanted.ace, **change),))
    assert delegation.missing(held, [wanted]) == ([] if there else [wanted])


def test_the_rights_suffice_for_what_they_are_for() -> None:
    on_container = SecurityDescriptor(None, tuple(grant.ace for grant in ALL if grant.place is Place.CONTAINER))
    new = access.inherited(on_container, GROUP_CLASS)
    assert access.may(on_container, {OWN_SID}, rights.CREATE_CHILD, {GROUP_CLASS})
    assert access.may(new, {OWN_SID}, rights.DELETE)
    assert access.may(new, {OWN_SID}, rights.WRITE_PROPERTY, {MEMBER})
    assert not access.may(on_container, {OWN_SID}, rights.WRITE_DAC)


def test_the_script_only_adds_and_keeps_names_in_their_quotes() -> None:
    odd = "OU=O'Hara,DC=x"
    script = delegation.powershell(OWN_SID, {odd: ALL[:3], "CN=Deleted Objects,DC=x": ALL[-1:]})
    calls = [line for line in script.splitlines() if line.startswith("Add-Right")]
    empty = "00000000-0000-0000-0000-000000000000"
    assert calls == [
        f"Add-Right 'OU=O''Hara,DC=x' 3 '{GROUP_CLASS}' All '{empty}'",
        f"Add-Right 'OU=O''Hara,DC=x' 65536 '{empty}' Descendents '{GROUP_CLASS}'",
        f"Add-Right 'OU=O''Hara,DC=x' 48 '{MEMBER}' Descendents '{GROUP_CLASS}'",
    ]
    assert script.count("{") == script.count("}") and "Remove" not in script and "if ($Apply) { Set-Acl" in script
    assert '#   dsacls "CN=Deleted Objects,DC=x" /takeownership' in script


HOSTILE = (
    "OU=O'Hara; Remove-ADObject x",
    'OU=$(Remove-ADObject x) `" \\"quoted\\"',
    "OU=a\nRemove-ADObject x\r\n'@\nRemove-ADObject x",
    "OU=\u2018\u2019\u201a\u201b; Remove-ADObject x #",
    # Windows PowerShell 5.1 reads a file without a mark as the system's code page: the second byte of this letter is a
    # typographic quote there.
    "OU=\u0111; Remove-ADObject x #",
    "OU=\u202egnp.exe\U0001f600\0",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_the_script(name: str) -> None:
    plain = delegation.powershell(OWN_SID, {"OU=x": ALL[:3], "CN=Deleted Objects,OU=x": ALL[-1:]})
    script = delegation.powershell(OWN_SID, {name: ALL[:3], f"CN=Deleted Objects,{name}": ALL[-1:]})
    assert script.isascii() and not [char for char in script if not (char.isprintable() or char == "\n")]
    assert powershell.names(script) == powershell.names(plain)
    assert len(script.splitlines()) == len(plain.splitlines())
    kinds = [
        [node.type for node in powershell.nodes(powershell.parsed(one))].count("comment") for one in (plain, script)
    ]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_literal_means_what_it_was_made_from(name: str) -> None:
    literal = delegation.quoted(name)
    parts = re.findall(r"'((?:[^']|'')*)'|\[char\]0x([0-9A-F]+)", literal)
    units = b"".join(
        int(code, 16).to_bytes(2, "little") if code else text.replace("''", "'").encode("utf-16-le")
        for text, code in parts
    )
    assert units.decode("utf-16-le") == name


def test_the_parser_refuses_what_is_none() -> None:
    with pytest.raises(AssertionError):
        powershell.parsed(delegation.powershell(OWN_SID, {"OU=x": ALL[:1]}) + "\nif ($x { }")


@pytest.mark.parametrize(
    ("sid", "fine"),
    [
        (OWN_SID, True),
        ("S-1-1-0", False),
        ("S-1-5-32-545", False),
        ("x", False),
        (DOMAIN_SID, False),
        (f"{DOMAIN_SID}-513", False),
        (f"{DOMAIN_SID}-512", False),
        (f"{DOMAIN_SID}-999", False),
        (f"{DOMAIN_SID}-1000", True),
        (f"{DOMAIN_SID}-1000-1000", False),
    ],
)
def test_only_accounts_of_a_domain_get_rights(sid: str, fine: bool) -> None:
    assert (delegation.account_problem(sid) == "") is fine


def test_a_grant_for_all_has_no_class() -> None:
    grant = Grant(Place.CONTAINER, "x", Ace(True, rights.DELETE, OWN_SID, None, False))
    assert delegation.sddl(grant.ace) == f"(A;;SD;;;{OWN_SID})"
