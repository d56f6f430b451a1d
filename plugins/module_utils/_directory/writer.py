# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Active Directory as apply writes it; fills the port DirectoryWriter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.results import Meaning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError, ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import MemberResult

# Values in one modify: far below what any server refuses, large enough that the round trip does not count.
LINKS_AT_ONCE = 1000

_ADD, _DELETE, _REPLACE = "MODIFY_ADD", "MODIFY_DELETE", "MODIFY_REPLACE"


class Writer:
    """Writes one domain through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

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
            ObjectError: the server refused.
        """
        values = {key: value for key, value in attributes.items() if value}
        self._expect(f"Creating {name}", self._session.add(name, "group", values))
        entry = next(self._session.search(name, "(objectClass=*)", ("objectGUID", "objectSid"), scope="BASE"), None)
        guid, sid = (entry.first("objectGUID"), entry.first("objectSid")) if entry else (None, None)
        if entry is None or guid is None or sid is None:
            raise ObjectError(f"{name} was created but cannot be read.", "Check the account's rights.")
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
        self._expect(f"Moving to {new_dn}", result)

    @staticmethod
    def _expect(what: str, result: Mapping[str, object]) -> None:
        if result["result"] != results.SUCCESS:
            raise results.refusal(what, result)

    def change_members(self, guid: str, add: Collection[str], remove: Collection[str]) -> MemberResult:
        """Add and remove links, adds first, so that an interrupted run errs on the side of access kept.

        A modify is atomic: one bad value fails the whole of it. The batch is halved until the bad one stands alone.

        Parameters:
            guid: objectGUID of the group.
            add: objectGUIDs of members to add.
            remove: objectGUIDs of members to remove.
        """
        failed: dict[str, GpadError] = {}
        work = [(_ADD, member) for member in sorted(add)] + [(_DELETE, member) for member in sorted(remove)]
        done: set[tuple[str, str]] = set()
        for start in range(0, len(work), LINKS_AT_ONCE):
            self._write_links(guid, work[start : start + LINKS_AT_ONCE], done, failed)
        return MemberResult(
            frozenset(member for op, member in done if op == _ADD),
            frozenset(member for op, member in done if op == _DELETE),
            failed,
        )

    def _write_links(
        self, guid: str, work: Sequence[tuple[str, str]], done: set[tuple[str, str]], failed: dict[str, GpadError]
    ) -> None:
        operations = [
            (op, [f"<GUID={member}>" for kind, member in work if kind == op])
            for op in (_ADD, _DELETE)
            if any(kind == op for kind, _member in work)
        ]
        result = self._session.modify(f"<GUID={guid}>", {"member": operations})
        if result["result"] == results.SUCCESS:
            done.update(work)
        elif (
            len(work) > 1
            and result["result"] not in results.BUSY_CODES
            and results.meaning(result) not in (Meaning.PERMISSION, Meaning.MISCONFIGURED)
        ):
            middle = len(work) // 2
            self._write_links(guid, work[:middle], done, failed)
            self._write_links(guid, work[middle:], done, failed)
        elif not self._is_so_already(work, result):
            error = results.refusal("Writing member", result)
            failed.update((member, error) for _op, member in work)

    @staticmethod
    def _is_so_already(work: Sequence[tuple[str, str]], result: Mapping[str, object]) -> bool:
        """Return whether a single link was refused because it is already as wanted.

        Adding a link that exists is entryAlreadyExists in every text a server gives it; removing one that does not is
        told by its prefix.
        """
        if len(work) != 1:
            return False
        duplicate_add = work[0][0] == _ADD and result["result"] == 68
        return duplicate_add or results.meaning(result) is Meaning.ALREADY_DONE
