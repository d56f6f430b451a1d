# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The global catalog, asked for what other domains of the forest hold; opened when it is first needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Control, Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError


class Catalog:
    """A connection to a global catalog.

    It holds a part of the attributes (MS-ADTS 3.1.1.1.9), and of the links only those of universal groups and of the
    groups of its own domain. A term on an attribute that it does not hold finds nothing.

    Parameters:
        opener: opens the connection.
        operations: where its operations are counted.
    """

    def __init__(self, opener: Callable[[], Session], operations: Counter[str]) -> None:
        self._opener = opener
        self._operations = operations
        self._session: Session | None = None

    def search(
        self,
        base: str,
        ldap_filter: str,
        attributes: Sequence[str],
        *,
        scope: str = "SUBTREE",
        controls: Sequence[Control] = (),
    ) -> Iterator[Entry]:
        """Yield all entries of a search; the empty base is the whole forest.

        Raises:
            DirectoryError: the global catalog refused or did not answer.
        """
        try:
            if self._session is None:
                self._session = self._opener()
                self._session.count_in(self._operations)
            yield from self._session.search(base, ldap_filter, attributes, scope=scope, controls=controls)
        except DirectoryError as error:
            raise DirectoryError(
                f"global_catalog_server: {error.message}",
                "Check global_catalog_server; without it members of other domains are left out.",
                code=error.code,
            ) from None

    def close(self) -> None:
        """End the connection, if it was opened."""
        if self._session is not None:
            self._session.close()
