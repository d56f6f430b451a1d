# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preflight says of the domain and of the controller that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row, Status, judged

# Kerberos and signed assertions tolerate five minutes.
_MOST_SKEW_SECONDS = 300
# objectVersion of the schema of Windows Server 2016, which has the anchor (learn.microsoft.com, "Schema versions").
_SCHEMA_2016 = 87
# DS_BEHAVIOR_WIN2003 (MS-ADTS 6.1.4.4): from here on the values of member replicate one by one.
_WINDOWS_2003 = 2
# MS-ADTS 6.1.4.2; 8 and 9 were never given out.
_LEVELS = {
    "0": "2000",
    "1": "2003 interim",
    "2": "2003",
    "3": "2008",
    "4": "2008 R2",
    "5": "2012",
    "6": "2012 R2",
    "7": "2016",
    "10": "2025",
}


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a domain controller says of itself.

    Parameters:
        name: its dNSHostName.
        pdc_emulator: that of the PDC emulator, or None where it cannot be told.
        read_only: it is a read-only domain controller; None where it does not tell what it can.
        skew: how many seconds its clock is from this host's, or None.
        controls_missing: LDAP controls that it lacks.
        domain_level: domainFunctionality, or an empty string.
        forest_level: forestFunctionality, or an empty string.
        schema_version: objectVersion of the schema, or None where it cannot be read.
        has_anchor: whether the schema has the attribute of the anchor.
        mixed: whether the domain is in mixed mode, which has no universal security groups; None when hidden.
        recycle_bin: whether the Recycle Bin is enabled; None where that cannot be read.
        deleted_visible: whether the account sees deleted objects.
        may_reanimate: whether the account may reanimate tombstones; None where the DACL of the domain is hidden.
    """

    name: str
    pdc_emulator: str | None
    read_only: bool | None
    skew: float | None
    controls_missing: tuple[str, ...]
    domain_level: str
    forest_level: str
    schema_version: int | None
    has_anchor: bool
    mixed: bool | None
    recycle_bin: bool | None
    deleted_visible: bool
    may_reanimate: bool | None


def server_rows(facts: ServerFacts) -> Iterator[Row]:
    """Yield what is and is not as provisioning needs it."""
    yield Row("domain controller", Status.OK, f"{facts.name}, over TLS, certificate verified")
    if facts.read_only is None:
        yield Row("writable domain controller", Status.UNKNOWN, "it does not tell its capabilities")
    else:
        yield judged(
            "writable domain controller",
            not facts.read_only,
            "it is a read-only one" if facts.read_only else "it is",
            "Give a writable one as domain_server, or the DNS name of the domain.",
        )
    yield _pdc_emulator(facts)
    missing = ", ".join(facts.controls_missing)
    yield judged("LDAP controls", not missing, f"lacking {missing}" if missing else "all there", "Use another DC.")
    if facts.skew is None:
        yield Row("clock", Status.UNKNOWN, "the domain controller does not tell its time")
    else:
        remedy = "Set the clock of this host or of the domain controller."
        yield judged("clock", facts.skew <= _MOST_SKEW_SECONDS, f"{facts.skew:.0f} s apart", remedy)
    yield from _versions(facts)
    yield from _deleted(facts)


def _pdc_emulator(facts: ServerFacts) -> Row:
    if not facts.pdc_emulator:
        return Row("PDC emulator", Status.UNKNOWN, "it cannot be found out")
    same = facts.pdc_emulator.lower() == facts.name.lower()
    found = "it is this domain controller" if same else f"it is {facts.pdc_emulator}, which is not used"
    return Row("PDC emulator", Status.OK, found)


def _versions(facts: ServerFacts) -> Iterator[Row]:
    level = int(facts.forest_level) if facts.forest_level.isdecimal() else None
    names = (_LEVELS.get(text, text or "hidden") for text in (facts.domain_level, facts.forest_level))
    yield judged(
        "functional level",
        level is not None and level >= _WINDOWS_2003,
        "domain {}, forest {}".format(*names),
        "Below 2003, two changes of one group's members overwrite each other: raise the level of the forest.",
        Status.UNKNOWN if level is None else Status.FAILED,
    )
    version = facts.schema_version
    text = "its version is hidden" if version is None else f"version {version}"
    yield judged(
        "schema",
        facts.has_anchor,
        f"{text}, {'with' if facts.has_anchor else 'without'} the attribute of the anchor",
        f"Extend it to Windows Server 2016 or later, version {_SCHEMA_2016} (adprep /forestprep).",
        Status.UNKNOWN if version is None else Status.FAILED,
    )
    if facts.mixed is None:
        yield Row("universal groups", Status.UNKNOWN, "nTMixedDomain cannot be read")
    else:
        found = "the domain is in mixed mode, which has none" if facts.mixed else "possible"
        yield judged("universal groups", not facts.mixed, found, "Switch the domain to native mode.")


def _deleted(facts: ServerFacts) -> Iterator[Row]:
    if facts.recycle_bin is None:
        yield Row("Recycle Bin", Status.UNKNOWN, "the optional features cannot be read")
    else:
        without = "off: a deleted group comes back with its SID, but without members until the next run"
        remedy = "Consider enabling the Active Directory Recycle Bin. That cannot be undone."
        found = "on" if facts.recycle_bin else without
        yield judged("Recycle Bin", facts.recycle_bin, found, remedy, Status.WARNING)
    yield judged(
        "see deleted objects",
        facts.deleted_visible,
        "allowed" if facts.deleted_visible else "not allowed: a group deleted by hand would be created with a new SID",
        "Grant the account List and Read on CN=Deleted Objects (role gpad_delegate).",
        Status.WARNING,
    )
    if facts.may_reanimate is None:
        yield Row("reanimate tombstones", Status.UNKNOWN, "the DACL of the domain is hidden")
    else:
        yield judged(
            "reanimate tombstones",
            facts.may_reanimate,
            "allowed" if facts.may_reanimate else "not allowed: deleted groups cannot be restored",
            "Grant the account the control access right Reanimate Tombstones on the domain (role gpad_delegate).",
            Status.WARNING,
        )
