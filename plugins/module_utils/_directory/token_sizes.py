# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading who is in how many groups, in two searches of the domain."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.token_sizes import (
    GroupClosure,
    Membership,
    token_row,
)

# One page of a thousand each: a hundred pages are read at most.
MOST_USERS = 100_000
# groupType with GROUP_TYPE_SECURITY_ENABLED (MS-ADTS 2.2.12); others are in no token.
_SECURITY_GROUPS = "(&(objectClass=group)(groupType:1.2.840.113556.1.4.803:=2147483648))"
_USERS = "(&(objectClass=user)(memberOf=*))"


def read_token_sizes(session: Session, domain_dn: str) -> Row:
    """Return the row on users near the limit of group SIDs.

    Raises:
        DirectoryError: a search did not reach its end.
    """
    parents = {
        entry.dn.lower(): _held_by(entry) for entry in session.search(domain_dn, _SECURITY_GROUPS, ("memberOf",))
    }
    return token_row(GroupClosure(parents), islice(_users(session, domain_dn), MOST_USERS), MOST_USERS)


def _users(session: Session, domain_dn: str) -> Iterator[Membership]:
    for entry in session.search(domain_dn, _USERS, ("memberOf",)):
        yield Membership(entry.dn, _held_by(entry))


def _held_by(entry: Entry) -> tuple[str, ...]:
    """Return the groups that hold an object. The first part of a long list, in ranges, is beyond the limit already.

    One server writes one name one way, so that the texts can be compared.
    """
    return tuple(
        value.decode("utf-8", "replace").lower()
        for name, values in entry.attributes.items()
        if name.partition(";")[0] == "memberof"
        for value in values
    )
