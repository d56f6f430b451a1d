# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which groups and users changed since a moment, as delta queries tell it.

Only their ids are taken: what became of them is read anew, since a round may repeat an object, cut its members into
slices and contradict itself (delta query overview; group: delta, user: delta).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    READ_GROUPS,
    READ_USERS,
    GroupQuery,
    MemberQuery,
    items,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError

# The service takes no link any more that is too old (410), spoilt (400) or of a resource that went away (404).
_LINK_IS_WORTHLESS = frozenset({"entra_400", "entra_404", "entra_410", "entra_link_foreign", "entra_pages_endless"})


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of delta queries told.

    Parameters:
        ids: object ids, in lower case, of all that changed or went away.
        link: where the next round begins.
    """

    ids: frozenset[str]
    link: str


def group_watch(query: GroupQuery) -> Call:
    """Return the call that begins to watch groups, their members included, from now on."""
    names = ",".join(sorted({*query.select, "members"} - {"id"}))
    return Call(f"/groups/delta?$select={names}&$deltatoken=latest", READ_GROUPS, version=query.version)


def user_watch(query: MemberQuery) -> Call:
    """Return the call that begins to watch what decides on users as members, from now on."""
    names = ",".join(name for name in query.user_properties if name != "id")
    return Call(f"/users/delta?$select={names}&$deltatoken=latest", (READ_USERS,), version=query.version)


def begin(client: GraphClient, call: Call) -> str | None:
    """Return the link from which a later round tells what changes from now on; None where the service refuses.

    Raises:
        EntraError: the service could not be reached.
    """
    try:
        return _followed(client, call, client.pages(call)).link
    except EntraError as error:
        if error.code in _LINK_IS_WORTHLESS or error.code == "permission_missing":
            return None
        raise


def follow(client: GraphClient, link: str, call: Call) -> Round | None:
    """Return what changed since a link was given out; None when the service knows it no more.

    Parameters:
        client: the client.
        link: what `begin` or the round before gave.
        call: the call that began.

    Raises:
        EntraError: the round could not be read to its end.
    """
    try:
        return _followed(client, call, client.pages_from(link, call))
    except EntraError as error:
        if error.code in _LINK_IS_WORTHLESS:
            return None
        raise


def _followed(client: GraphClient, call: Call, pages: Iterable[object]) -> Round:
    ids: set[str] = set()
    link: object = None
    for page in pages:
        if not isinstance(page, dict):
            continue
        ids.update(str(item["id"]).lower() for item in items(page, call.path))
        link = page.get("@odata.deltaLink")
    if not isinstance(link, str):
        raise EntraError(
            f"{call.path.partition('?')[0]}: a round ended without its link.", "Run again.", code="entra_answer_broken"
        )
    client.refuse_foreign(link, call.path)
    return Round(frozenset(ids), link)
