# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security descriptors of directory objects."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, guid_term
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor


def read_security(
    session: Session, domain_dn: str, guids: Collection[str], *, deleted: bool
) -> dict[str, SecurityDescriptor]:
    """Return owner and DACL of these objects; one that is hidden from the account, or makes no sense, is absent.

    Raises:
        DirectoryError: the search did not reach its end.
    """
    controls = (OWNER_AND_DACL_CONTROL, *((SHOW_DELETED_CONTROL,) if deleted else ()))
    found: dict[str, SecurityDescriptor] = {}
    for part in any_of([guid_term(guid) for guid in dict.fromkeys(guids)]):
        for entry in session.search(domain_dn, part, ("objectGUID", "nTSecurityDescriptor"), controls=controls):
            guid, raw = entry.first("objectGUID"), entry.first("nTSecurityDescriptor")
            if guid is None or raw is None:
                continue
            try:
                found[identity.guid_from_bytes(guid)] = rights.parse(raw)
            except ValueError:
                continue
    return found
