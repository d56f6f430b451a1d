# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the account may do and the server can do, found out without writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.deleted import sees_deleted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import pdc_emulator
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN,
    PAGED_RESULTS,
    SHOW_DELETED,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import ANCHOR

# Kerberos and signed assertions tolerate five minutes.
_MOST_SKEW_SECONDS = 300
_WRITTEN = (ANCHOR, "adminDescription", "member", "cn", "groupType")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the preflight.

    Parameters:
        check: what was looked at.
        ok: whether it is as needed.
        detail: what was found.
        remedy: what to do when it is not.
    """

    check: str
    ok: bool
    detail: str
    remedy: str = ""


def checks(
    session: Session, domain_dn: str, managed_containers: Sequence[str], mapped: Sequence[str]
) -> Iterator[Check]:
    """Yield what is and is not as provisioning needs it.

    The rights are those that the server computes for the account (allowedChildClassesEffective and
    allowedAttributesEffective, MS-ADTS 3.1.1.4.5).

    Parameters:
        session: a bound connection.
        domain_dn: the target domain.
        managed_containers: DNs.
        mapped: LDAP names of the attributes that the mappings write.
    """
    yield from _server(session, domain_dn)
    visible = sees_deleted(session, domain_dn)
    yield Check(
        "see deleted objects",
        visible,
        "allowed" if visible else "not allowed: a group deleted by hand would be created with a new SID",
        "" if visible else "Grant the account List and Read on CN=Deleted Objects.",
    )
    for container in managed_containers:
        entry = next(
            session.search(container, "(objectClass=*)", ("allowedChildClassesEffective",), scope="BASE"), None
        )
        may_create = entry is not None and "group" in entry.texts("allowedChildClassesEffective")
        yield Check(
            f"create groups in {container}",
            may_create,
            "allowed" if may_create else "not allowed",
            "" if may_create else "Grant the account the right to create group objects there.",
        )
        yield from _written_attributes(session, container, (*_WRITTEN, *mapped))


def _server(session: Session, domain_dn: str) -> Iterator[Check]:
    root = next(
        session.search("", "(objectClass=*)", ("dnsHostName", "currentTime", "supportedControl"), scope="BASE"), None
    )
    name = root.texts("dnsHostName") if root else ()
    yield Check("domain controller", bool(name), f"{''.join(name)}, certificate verified")
    owner = pdc_emulator(session, domain_dn)
    is_owner = owner is not None and owner.lower() == "".join(name).lower()
    told = f"it is {owner}, which is not used" if owner else "it cannot be found out"
    yield Check("PDC emulator", True, "it is this domain controller" if is_owner else told)
    controls = set(root.texts("supportedControl")) if root else set()
    lacking = sorted({PAGED_RESULTS, EXTENDED_DN, SHOW_DELETED} - controls)
    yield Check(
        "LDAP controls", not lacking, f"lacking {', '.join(lacking)}" if lacking else "all there", "Use another DC."
    )
    times = root.texts("currentTime") if root else ()
    if times:
        there = datetime.strptime(times[0][:14], "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
        skew = abs((datetime.now(timezone.utc) - there).total_seconds())
        yield Check(
            "clock", skew <= _MOST_SKEW_SECONDS, f"{skew:.0f} s apart", "Set the clock of this host or of the DC."
        )


def _written_attributes(session: Session, container: str, needed: Sequence[str]) -> Iterator[Check]:
    """Look at one group of the container; an empty container has nothing to look at."""
    group = next(session.search(container, "(objectClass=group)", ("allowedAttributesEffective",)), None)
    if group is None:
        yield Check(f"write groups in {container}", True, "no group there yet to look at")
        return
    allowed = {name.lower() for name in group.texts("allowedAttributesEffective")}
    lacking = sorted(name for name in needed if name.lower() not in allowed)
    yield Check(
        f"write groups in {container}",
        not lacking,
        f"not allowed on {group.dn}: {', '.join(lacking)}" if lacking else f"allowed on {group.dn}",
        "Grant the account the right to write these attributes of descendant group objects." if lacking else "",
    )
