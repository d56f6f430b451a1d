# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Active Directory as apply writes it; fills the port DirectoryWriter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.member_writing import MemberWriting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.results import Meaning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.turns import Turns
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import MemberResult, WriteOrder

_T = TypeVar("_T")

_DELETE, _REPLACE = "MODIFY_DELETE", "MODIFY_REPLACE"
_READ_TRIES = 2

_ON_RESTORE = {
    Meaning.PERMISSION: "Give the account the right Reanimate-Tombstones on the domain, and those that "
    "docs/permissions.md lists on the container.",
    # Samba says no more than this when a right is missing or the container is not there.
    Meaning.REJECTED: "Look at the account's right Reanimate-Tombstones, and whether the container exists.",
    Meaning.COLLISION: "Another object has the name or the sAMAccountName; rename it.",
}


class Writer:
    """Writes one domain over one connection.

    Parameters:
        session: a bound connection.
        order: which links of a group are written first.
    """

    def __init__(self, session: Session, order: WriteOrder = WriteOrder.ADDITIONS_FIRST) -> None:
        self._session = session
        self._order = order
        self._turns: Turns | None = None

    def begin(self, step: Callable[[Writer], _T]) -> Callable[[], _T]:
        """Begin a step in the background; return what waits for its end.

        Steps write in the order in which they are begun, one after the other; the next one is made ready meanwhile.
        What is written here otherwise must not be while one is under way.

        Parameters:
            step: takes a writer, and is given one that only it uses meanwhile.
        """
        if self._turns is None:
            self._turns = Turns(self._session)
        return self._turns.begin(lambda session: step(Writer(session, self._order)))

    def close(self) -> None:
        """Wait for what was begun; the session belongs to who opened it."""
        if self._turns is not None:
            self._turns.close()
            self._turns = None

    def create_container(self, name: str) -> None:
        """Create an organizational unit, or a container where the name begins with CN.

        Raises:
            ObjectError: the server refused.
        """
        kind = "organizationalUnit" if dn.parse(name)[0].type == "OU" else "container"
        self._expect(f"Creating {name}", self._session.add(name, kind, {}))

    def create(self, name: str, attributes: Mapping[str, Values]) -> DirectoryGroup:
        """Create a group and return it with its GUID and SID.

        Raises:
            ObjectError: the server refused; with the code `created_unread` it did not, but its GUID cannot be read.
        """
        values = {key: value for key, value in attributes.items() if value}
        self._expect(f"Creating {name}", self._session.add(name, "group", values))
        why = "the server does not show it"
        for _attempt in range(_READ_TRIES):
            try:
                created = self._read_back(name)
            except DirectoryError as error:
                why = error.message
                continue
            if created is not None:
                return created
        raise ObjectError(
            f"{name} was created but cannot be read: {why}",
            "Look at the account's right to read there; the next run finds the group by its anchor.",
            code="created_unread",
        )

    def _read_back(self, name: str) -> DirectoryGroup | None:
        entry = next(self._session.search(name, "(objectClass=*)", ("objectGUID", "objectSid"), scope="BASE"), None)
        guid, sid = (entry.first("objectGUID"), entry.first("objectSid")) if entry else (None, None)
        if entry is None or guid is None or sid is None:
            return None
        return DirectoryGroup(identity.guid_from_bytes(guid), identity.sid_from_bytes(sid), entry.dn)

    def modify(self, guid: str, attributes: Mapping[str, Values]) -> None:
        """Replace the values of attributes; an empty tuple clears one.

        Raises:
            ObjectError: the server refused.
        """
        changes = {name: [(_REPLACE, values)] for name, values in attributes.items()}
        self._expect(f"Modifying {', '.join(sorted(attributes))}", self._session.modify(f"<GUID={guid}>", changes))

    def relocate(self, guid: str, new_dn: str) -> None:
        """Rename and move an object in one modifyDN.

        Raises:
            ObjectError: the server refused.
        """
        rdn = dn.text(dn.parse(new_dn)[:1])
        result = self._session.modify_dn(f"<GUID={guid}>", rdn, dn.parent(new_dn))
        self._expect_unprotected(f"Moving to {new_dn}", guid, result)

    def restore(self, guid: str, new_dn: str, attributes: Mapping[str, Values]) -> None:
        """Bring a deleted object back under a name, with these values, in one modify, keeping GUID and SID.

        Undelete is a modify that takes isDeleted away and gives a distinguishedName; it may change other attributes as
        well (MS-ADTS 3.1.1.5.3.7). Samba accepts it only under the present DN, which is read first.

        Raises:
            ObjectError: the object is not among the deleted ones, or the server refused.
        """
        what = f"Restoring {new_dn}"
        controls = (SHOW_DELETED_CONTROL,)
        search = self._session.search(f"<GUID={guid}>", "(isDeleted=TRUE)", (), scope="BASE", controls=controls)
        entry = next(search, None)
        if entry is None:
            raise ObjectError(
                f"{what}: {guid} is not among the deleted objects any more.", "Plan again.", code="object_missing"
            )
        changes: dict[str, list[tuple[str, Values]]] = {
            "isDeleted": [(_DELETE, ())],
            "distinguishedName": [(_REPLACE, (new_dn,))],
            **{name: [(_REPLACE, values)] for name, values in attributes.items()},
        }
        result = self._session.modify(entry.dn, changes, controls)
        if result["result"] != results.SUCCESS:
            raise results.refusal(what, result, _ON_RESTORE)

    def delete(self, guid: str) -> None:
        """Delete an object.

        Raises:
            ObjectError: the server refused.
        """
        self._expect_unprotected(f"Deleting {guid}", guid, self._session.delete(f"<GUID={guid}>"))

    @staticmethod
    def _expect(what: str, result: Mapping[str, object]) -> None:
        if result["result"] != results.SUCCESS:
            raise results.refusal(what, result)

    def _expect_unprotected(self, what: str, guid: str, result: Mapping[str, object]) -> None:
        """Tell a protection from accidental deletion, which forbids to move as well, from a missing right."""
        if result["result"] != results.SUCCESS and results.meaning(result) is Meaning.PERMISSION:
            protected = self._protected(guid)
            if protected:
                raise ObjectError(
                    f"{what}: {protected} is protected from accidental deletion.",
                    "If it may go or move, take the entry that denies deletion out of its access control list.",
                    code="deletion_denied",
                )
        self._expect(what, result)

    def _protected(self, guid: str) -> str:
        """Return the DN of an object whose access control list denies deletion, or an empty string."""
        attributes, controls = ("nTSecurityDescriptor",), (OWNER_AND_DACL_CONTROL,)
        search = self._session.search(f"<GUID={guid}>", "(objectClass=*)", attributes, scope="BASE", controls=controls)
        entry = next(search, None)
        raw = entry.first("nTSecurityDescriptor") if entry else None
        if entry is None or raw is None:
            return ""
        try:
            return entry.dn if rights.denies_deletion(rights.parse(raw)) else ""
        except ValueError:
            return ""

    def change_members(self, guid: str, add: Mapping[str, str], remove: Mapping[str, str]) -> MemberResult:
        """Add and remove links, adds first, so that an interrupted run errs on the side of access kept.

        Parameters:
            guid: objectGUID of the group.
            add: objectGUID of each member to add, to its DN where it is in another domain, else an empty string.
            remove: the same of each member to remove.

        Raises:
            DirectoryError: the connection broke before a link was written. If it breaks later, the links that remain
                are failures of the result, so that what was done is not forgotten.
        """
        return MemberWriting(self._session, guid, self._order).run(add, remove)
