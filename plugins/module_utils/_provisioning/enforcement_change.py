# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change of the enforcement policy that a Domain Admin may review and make. Nothing here applies it.

One value is added to the list and none is taken away, so that the list can neither become empty nor lose the emergency
account; and nothing is given for a policy that does not load or is full.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import quoted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    ALLOWED,
    MARK,
    MOST_ALLOWED,
    Enforcement,
    Policy,
    explain,
    is_allowed,
    lets_through,
)

_SCRIPT = """\
#Requires -Modules ActiveDirectory
# Adds one SID to the policy that enforces the source of authority. Review it, and run it as a Domain Admin.
# Without -Apply it only shows what it would do.
[CmdletBinding()]
param([switch] $Apply)

$ErrorActionPreference = 'Stop'
$policy = {dn}
$sid = {sid}

$null = [System.Security.Principal.SecurityIdentifier]::new($sid)
$before = @((Get-ADObject -Identity $policy -Properties '{attribute}').'{attribute}')
Write-Output "Before: $($before -join ', ')"
if (@($before | Where-Object {{ $_ }}).Count -eq 0) {{
    throw 'The list is empty. Fill it with the script of Microsoft first: what an empty one means is not certain.'
}}
if ($before -contains $sid) {{
    Write-Output 'The SID is in the list already.'
    return
}}
if ($before.Count -ge {most}) {{
    throw 'The list is full ({most} SIDs).'
}}
if (-not $Apply) {{
    Write-Output "Would add: $sid"
    return
}}
Set-ADObject -Identity $policy -Add @{{ '{attribute}' = $sid }}
$after = @((Get-ADObject -Identity $policy -Properties '{attribute}').'{attribute}')
Write-Output "After: $($after -join ', ')"
"""
_LDIF = """\
# Adds one SID to the policy that enforces the source of authority. Review it, and import it as a Domain Admin.
# One that is there is taken out and put back in the same change: if the list was emptied since, all of it is refused.
dn: {dn}
changetype: modify
delete: {attribute}
{attribute}: {held}
-
add: {attribute}
{attribute}: {held}
{attribute}: {sid}
-
"""


def obstacle(policy: Policy, own_sid: str) -> str:
    """Return why no change can be given for a policy, or an empty string."""
    if not identity.is_sid(own_sid):
        return "the SID of the account is not known"
    if policy.invalid:
        return "the policy does not load: it has entries that are no SIDs, which must go first"
    if not policy.allowed:
        return "its list is empty: what that means is not certain, so fill it with Set-CloudSyncSOAPolicy.ps1 first"
    if len(policy.allowed) >= MOST_ALLOWED:
        return f"its list is full ({MOST_ALLOWED} SIDs)"
    return ""


def powershell(policy: Policy, sid: str) -> str:
    """Return a script that shows, and with -Apply makes, the change."""
    return _SCRIPT.format(dn=quoted(policy.dn), sid=quoted(sid), attribute=ALLOWED, most=MOST_ALLOWED)


def ldif(policy: Policy, sid: str) -> str:
    """Return the change as LDIF (RFC 2849), the name in base64 where it has to be.

    Parameters:
        policy: with somebody in its list, as obstacle demands.
        sid: who is added.
    """
    plain = (
        policy.dn.isascii() and policy.dn.isprintable() and policy.dn == policy.dn.strip() and policy.dn[:1] not in ":<"
    )
    name = policy.dn if plain else base64.b64encode(policy.dn.encode()).decode()
    text = _LDIF if plain else _LDIF.replace("dn: {dn}", "dn:: {dn}")
    return text.format(dn=name, attribute=ALLOWED, held=policy.allowed[0], sid=sid)


def described(facts: Enforcement) -> dict[str, Any]:
    """Return how the enforcement stands, and the change for each policy that lacks the account."""
    late = lets_through(facts.controllers)
    return {
        "own_sid": facts.own_sid,
        "mark": MARK,
        "mark_in_schema": facts.in_schema,
        "marked_groups": facts.marked,
        "policies": [_policy(policy, facts) for policy in facts.policies],
        "controllers": [
            {
                "name": one.name,
                "system": one.system,
                "version": one.version,
                "read_only": one.read_only,
                # Whether one that can is patched and switched on, LDAP does not tell.
                "enforces": "no" if one in late else "not_told",
            }
            for one in facts.controllers
        ],
    }


def _policy(policy: Policy, facts: Enforcement) -> dict[str, Any]:
    listed = is_allowed(policy, facts.token) if facts.token else None
    wrong = "" if listed else obstacle(policy, facts.own_sid)
    given = not listed and not wrong
    return {
        "dn": policy.dn,
        "mode": policy.mode.value,
        "explanation": explain(policy, facts.names),
        "allowed": _people(policy.allowed, facts),
        "invalid": list(policy.invalid),
        "other_values": list(policy.other),
        "own_account_listed": listed,
        "no_change_because": wrong,
        "change": {"powershell": powershell(policy, facts.own_sid), "ldif": ldif(policy, facts.own_sid)}
        if given
        else None,
    }


def _people(sids: Sequence[str], facts: Enforcement) -> list[dict[str, str]]:
    return [{"sid": sid, "name": facts.names.get(sid, "")} for sid in sids]
