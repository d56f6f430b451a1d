# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of the policy for a Domain Admin: adds one SID, and is not given where it could do harm."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import enforcement_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    Controller,
    Enforcement,
    Mode,
    Policy,
)
from tests.unit import powershell
from tests.unit.plugins.module_utils._provisioning.test_delegation import HOSTILE
from tests.unit.samples import OWN_SID, STRANGER_SID

POLICY = Policy(
    "CN=Cloud,CN=SOA-Policies,CN=System,DC=contoso,DC=com", Mode.ENFORCED, (STRANGER_SID,), (), ("Enforced",)
)
OLD = Controller("dc2", "Windows Server 2019", "10.0 (17763)", False)
NEW = Controller("dc1", "Windows Server 2022", "10.0 (20348)", False)
FACTS = Enforcement((POLICY,), True, 0, frozenset({OWN_SID}), OWN_SID, {STRANGER_SID: "svc"}, (NEW, OLD))


def test_a_policy_without_the_account_gets_a_change_that_only_adds() -> None:
    found = enforcement_change.described(FACTS)
    (policy,) = found["policies"]
    assert (policy["own_account_listed"], policy["no_change_because"]) == (False, "")
    assert policy["allowed"] == [{"sid": STRANGER_SID, "name": "svc"}]
    lines = [line for line in policy["change"]["ldif"].splitlines() if not line.startswith("#")]
    # What is taken out is put back in the same change, which fails if the list was emptied since.
    expected = [
        f"dn: {POLICY.dn}",
        "changetype: modify",
        "delete: msDS-Settings",
        f"msDS-Settings: {STRANGER_SID}",
        "-",
        "add: msDS-Settings",
        f"msDS-Settings: {STRANGER_SID}",
        f"msDS-Settings: {OWN_SID}",
        "-",
    ]
    assert lines == expected
    script = policy["change"]["powershell"]
    assert f"$policy = '{POLICY.dn}'" in script and f"$sid = '{OWN_SID}'" in script
    (write,) = [line.strip() for line in script.splitlines() if line.startswith("Set-")]
    assert write == "Set-ADObject -Identity $policy -Add @{ 'msDS-Settings' = $sid }"
    assert not [word for word in ("-Replace", "-Remove", "-Clear") if word in script]
    assert script.index("if (-not $Apply)") < script.index(write) and script.index("list is empty") < script.index(
        write
    )
    assert script.count("{") == script.count("}")
    assert [(one["name"], one["enforces"]) for one in found["controllers"]] == [("dc1", "not_told"), ("dc2", "no")]


def test_who_is_listed_needs_no_change() -> None:
    (policy,) = enforcement_change.described(replace(FACTS, token=frozenset({OWN_SID, STRANGER_SID})))["policies"]
    assert (policy["own_account_listed"], policy["no_change_because"], policy["change"]) == (True, "", None)


@pytest.mark.parametrize(
    ("policy", "own", "why"),
    [
        (replace(POLICY, allowed=()), OWN_SID, "empty"),
        (replace(POLICY, invalid=("S-1",)), OWN_SID, "does not load"),
        (replace(POLICY, allowed=(STRANGER_SID,) * 64), OWN_SID, "full"),
        (POLICY, "", "not known"),
    ],
)
def test_no_change_is_given_where_it_could_do_harm(policy: Policy, own: str, why: str) -> None:
    (found,) = enforcement_change.described(replace(FACTS, policies=(policy,), own_sid=own))["policies"]
    assert why in found["no_change_because"] and found["change"] is None


def test_names_cannot_leave_their_quotes() -> None:
    odd = replace(POLICY, dn="CN=O'Hara\u2019; Remove-Item,DC=x")
    script = enforcement_change.powershell(odd, OWN_SID)
    assert "$policy = ('CN=O''Hara' + [char]0x2019 + '; Remove-Item,DC=x')" in script
    encoded = base64.b64encode(odd.dn.encode()).decode()
    assert f"\ndn:: {encoded}\n" in enforcement_change.ldif(odd, OWN_SID)
    assert "\nadd: injected" not in enforcement_change.ldif(replace(POLICY, dn="CN=x\nadd: injected"), OWN_SID)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_script_is_powershell_whatever_the_name(name: str) -> None:
    script = enforcement_change.powershell(replace(POLICY, dn=name), OWN_SID)
    assert script.isascii()
    assert powershell.names(script) == powershell.names(enforcement_change.powershell(POLICY, OWN_SID))
    assert "Set-ADObject" in powershell.names(script) and "Remove-ADObject" not in powershell.names(script)


def test_of_an_account_whose_token_is_hidden_nothing_is_said() -> None:
    (policy,) = enforcement_change.described(replace(FACTS, token=frozenset(), own_sid=""))["policies"]
    assert (policy["own_account_listed"], policy["change"]) == (None, None)
