# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights of the service account: one table, from which scripts, access control entries and changes are made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.access import GROUP_CLASS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

# schemaIDGUID of the class organizationalUnit (MS-ADSC).
_UNIT_CLASS = "bf967aa5-0de6-11d0-a285-00aa003049e2"
READ_PROPERTY = 0x10
_READ_WRITE = READ_PROPERTY | rights.WRITE_PROPERTY

# On groups, whatever the mappings say: members, names, the anchor, the mark, and scope.
WRITTEN = ("member", "cn", "name", "msDS-ExternalDirectoryObjectId", "adminDescription", "groupType")
# On groups, for restoring them.
RESTORED = ("isDeleted", "distinguishedName")


class Place(Word):
    """On which object an entry stands."""

    CONTAINER = "managed container"
    DOMAIN = "domain"
    DELETED = "deleted objects"


@dataclass(frozen=True, slots=True)
class Grant:
    """One right of the account.

    Parameters:
        place: on which object it stands.
        purpose: what it is for.
        ace: the entry.
    """

    place: Place
    purpose: str
    ace: Ace


def needed_attributes(mapped: Collection[str], *, restore: bool) -> tuple[str, ...]:
    """Return the LDAP names of the attributes that must be writable on groups."""
    return tuple(dict.fromkeys((*WRITTEN, *mapped, *(RESTORED if restore else ()))))


def grants(sid: str, guids: Mapping[str, str], *, restore: bool, units: bool) -> Iterator[Grant]:
    """Yield the rights of an account.

    Parameters:
        sid: its SID.
        guids: LDAP name of each attribute to its schemaIDGUID.
        restore: deleted groups are restored.
        units: organizational units are created.
    """

    def ace(mask: int, about: str | None, of: str | None = None, *, inherits: bool = True) -> Ace:
        return Ace(True, mask, sid, about, of is not None, of, inherits)

    children = rights.CREATE_CHILD | rights.DELETE_CHILD
    yield Grant(Place.CONTAINER, "create, move and delete groups", ace(children, GROUP_CLASS))
    yield Grant(Place.CONTAINER, "delete and move groups", ace(rights.DELETE, None, GROUP_CLASS))
    for name, guid in guids.items():
        yield Grant(Place.CONTAINER, f"read and write {name} of groups", ace(_READ_WRITE, guid, GROUP_CLASS))
    if units:
        yield Grant(Place.CONTAINER, "create organizational units", ace(rights.CREATE_CHILD, _UNIT_CLASS))
    if restore:
        reanimate = ace(rights.CONTROL_ACCESS, access.REANIMATE_TOMBSTONES, inherits=False)
        yield Grant(Place.DOMAIN, "reanimate tombstones", reanimate)
        yield Grant(Place.DELETED, "see deleted objects", ace(rights.LIST_CONTENTS | READ_PROPERTY, None))


def missing(descriptor: SecurityDescriptor, wanted: Sequence[Grant]) -> list[Grant]:
    """Return what no entry of an object gives yet."""
    there = descriptor.aces
    return [] if there is None else [grant for grant in wanted if not any(_covers(ace, grant.ace) for ace in there)]


def _covers(ace: Ace, wanted: Ace) -> bool:
    same = (
        ace.allow
        and ace.trustee == wanted.trustee
        and ace.object_type == wanted.object_type
        and ace.inherited_type == wanted.inherited_type
        and ace.inherits >= wanted.inherits
        and ace.inherit_only <= wanted.inherit_only
        and ace.one_level <= wanted.one_level
        and not ace.conditional
    )
    return same and ace.mask & wanted.mask == wanted.mask and ace.mask != rights.EVERYTHING


_LETTERS = (
    (rights.CREATE_CHILD, "CC"),
    (rights.DELETE_CHILD, "DC"),
    (rights.LIST_CONTENTS, "LC"),
    (READ_PROPERTY, "RP"),
    (rights.WRITE_PROPERTY, "WP"),
    (rights.CONTROL_ACCESS, "CR"),
    (rights.DELETE, "SD"),
)


def sddl(ace: Ace) -> str:
    """Return an entry as SDDL (MS-DTYP 2.5.1)."""
    typed = ace.object_type is not None or ace.inherited_type is not None
    flags = ("CI" if ace.inherits else "") + ("IO" if ace.inherit_only else "")
    mask = "".join(letters for bit, letters in _LETTERS if ace.mask & bit)
    kind = "OA" if typed else "A"
    return f"({kind};{flags};{mask};{ace.object_type or ''};{ace.inherited_type or ''};{ace.trustee})"


_HEAD = """\
# Gives the service account its rights. Review it, and run it as a Domain Admin.
# Without -Apply it only shows what it would do. Entries that are there are kept.
#Requires -Modules ActiveDirectory
[CmdletBinding()]
param([switch] $Apply)

$ErrorActionPreference = 'Stop'
$account = [System.Security.Principal.SecurityIdentifier]::new({sid})

function Add-Right([string] $Object, [int] $Rights, [string] $About, [string] $Inheritance, [string] $Class) {{
    $acl = Get-Acl -LiteralPath "AD:\\$Object"
    $rule = [System.DirectoryServices.ActiveDirectoryAccessRule]::new(
        $account, $Rights, 'Allow', [guid] $About, $Inheritance, [guid] $Class)
    $acl.AddAccessRule($rule)
    if ($Apply) {{ Set-Acl -LiteralPath "AD:\\$Object" -AclObject $acl }}
    Write-Output "$Object : $Rights $About $Inheritance $Class"
}}
"""
_DELETED_NOTE = """\

# The container of deleted objects belongs to the system: take it over first, then give the right with dsacls.
#   dsacls "{dn}" /takeownership
#   dsacls "{dn}" /G "DOMAIN\\account:LCRP"
"""
# Printable ASCII together, and each other character by itself.
_RUNS = re.compile(r"[ -~]+|[^ -~]")
_ACCOUNT = re.compile(r"S-1-5-21(-\d+){4}")
_FIRST_OWN_RID = 1000
_NO_GUID = "00000000-0000-0000-0000-000000000000"


def powershell(sid: str, lacking: Mapping[str, Sequence[Grant]]) -> str:
    """Return a script that shows, and with -Apply gives, the rights. It was never run on Windows.

    Parameters:
        sid: the account.
        lacking: DN of each object to what is missing there.
    """
    parts = [_HEAD.format(sid=quoted(sid))]
    for dn, wanted in lacking.items():
        if any(grant.place is Place.DELETED for grant in wanted):
            parts.append(_DELETED_NOTE.format(dn=_shown(dn)))
            continue
        parts += [f"\n# {_shown(grant.purpose)}\n{_command(dn, grant.ace)}\n" for grant in wanted]
    return "".join(parts)


def _command(dn: str, ace: Ace) -> str:
    # ActiveDirectorySecurityInheritance (learn.microsoft.com/dotnet).
    inheritance = "None" if not ace.inherits else "Descendents" if ace.inherit_only else "All"
    guids = f"{quoted(ace.object_type or _NO_GUID)} {inheritance} {quoted(ace.inherited_type or _NO_GUID)}"
    return f"Add-Right {quoted(dn)} {ace.mask} {guids}"


def quoted(text: str) -> str:
    """Return a text as a PowerShell expression of printable ASCII, in parentheses where it takes more than a literal.

    Typographic quotes end a literal as well (about_Quoting_Rules), and Windows PowerShell reads a file without a byte
    order mark in the system's code page, where bytes of other letters are such quotes.
    """
    pieces = [piece for run in _RUNS.findall(text) for piece in _pieces(run)]
    if not pieces or pieces[0].startswith("["):
        # A text in front makes a text of what is behind it.
        pieces.insert(0, "''")
    return pieces[0] if len(pieces) == 1 else f"({' + '.join(pieces)})"


def _pieces(run: str) -> list[str]:
    if " " <= run[0] <= "~":
        return ["'" + run.replace("'", "''") + "'"]
    units = run.encode("utf-16-be", "surrogatepass")
    return [f"[char]0x{int.from_bytes(units[at : at + 2], 'big'):X}" for at in range(0, len(units), 2)]


def _shown(text: str) -> str:
    """Return a text for a comment: in one line, and as it is only where it is printable ASCII."""
    return "".join(char if " " <= char <= "~" else f"\\u{ord(char):04x}" for char in text)


def account_problem(sid: str) -> str:
    """Return why an account cannot be given rights, or an empty string: well-known groups are too many people."""
    if not identity.is_sid(sid):
        return "it is no SID"
    if not _ACCOUNT.fullmatch(sid.upper()):
        return "it is no account of a domain"
    # Domain Users, Domain Computers, Domain Admins and their like (MS-ADTS 6.1.4.3).
    return "" if int(sid.rpartition("-")[2]) >= _FIRST_OWN_RID else "it is a built-in account or group"
