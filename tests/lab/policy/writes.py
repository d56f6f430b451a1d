# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which writes Windows refuses, told before the domain controller sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from . import names, rules, wire
from .facts import Facts
from .forest import ForestView
from .knobs import Policy
from .rules import Fact, RefusedError

_GLOBAL_SECURITY = 0x80000002
_NOT_A_MEMBER = 0x561
_ALREADY_SO = (16, 20, 53, 68)
_NO_SUCH_LINK = "doesn't exist for target GUID"


def _unless(result: wire.Result | None) -> None:
    if result is not None:
        raise RefusedError(result)


class WriteRules:
    """The rules for the writes in one domain; each method raises :class:`RefusedError`."""

    def __init__(self, facts: Facts, forest: ForestView, policy: Policy) -> None:
        self._facts = facts
        self._forest = forest
        self._policy = policy

    async def add(self, add: wire.Modify) -> wire.Modify:
        """Check an add and return it as the domain controller gets it."""
        self._count(add)
        await self._lengths(add.changes)
        await self._common_name(add.dn)
        classes = {value.lower() for change in _of(add, "objectclass") for value in change.values}
        if b"group" not in classes:
            return add
        types = [int(value) & 0xFFFFFFFF for change in _of(add, "grouptype") for value in change.values]
        group_type = types[0] if types else _GLOBAL_SECURITY
        if self._policy.nesting and not rules.scope_of(group_type):
            raise RefusedError(rules.unwilling())
        return await self._members(add, group_type)

    async def modify(self, modify: wire.Modify, *, show_deleted: bool) -> wire.Modify:
        """Check a modify and return it as the domain controller gets it."""
        self._count(modify)
        await self._lengths(modify.changes)
        if self._policy.tombstones and any(_of(modify, "isdeleted", "distinguishedname")):
            modify = await self._restore(modify, show_deleted=show_deleted)
        if not any(_of(modify, "member", "grouptype")):
            return modify
        target = await self._facts.one(modify.dn, deleted=show_deleted)
        if target is None or target.group_type is None:
            return modify
        group_type = await self._conversion(modify, target) if self._policy.nesting else target.group_type
        return await self._members(modify, group_type)

    async def delete(self, dn: str) -> None:
        """Check a delete."""
        target = await self._facts.one(dn) if self._policy.critical_objects else None
        if target is not None and target.critical:
            raise RefusedError(rules.unwilling())

    async def rename(self, rename: wire.Rename) -> None:
        """Check a modifyDN."""
        await self._common_name(rename.new_rdn)
        if (
            self._policy.missing_parent
            and rename.new_superior is not None
            and await self._facts.one(rename.dn) is not None
            and await self._facts.one(rename.new_superior) is None
        ):
            raise RefusedError(rules.missing())

    async def permitted(self, modify: wire.Modify, result: wire.Result) -> wire.Modify | None:
        """Return what is left of a refused modify when links that are so already count as done; None if that is all.

        The permissive modify control (MS-ADTS 3.1.1.3.4.1.8) means this; the domain controller does not know it for
        linked attributes.
        """
        if result.code not in _ALREADY_SO or not any(_of(modify, "member")):
            return None
        current = await self._facts.member_guids(modify.dn)
        values = [value.decode() for change in _of(modify, "member") for value in change.values]
        resolved = await self._facts.resolve(values)

        def is_needed(change: wire.Change, value: bytes) -> bool:
            fact = resolved.get(value.decode())
            if fact is None:
                return change.operation == wire.ADD
            return (fact.guid in current) is (change.operation == wire.DELETE)

        changes = []
        for change in modify.changes:
            if change.attribute.lower() != "member" or change.operation == wire.REPLACE or not change.values:
                changes.append(change)
            elif kept := tuple(value for value in change.values if is_needed(change, value)):
                changes.append(replace(change, values=kept))
        return wire.Modify(modify.dn, tuple(changes))

    def _count(self, modify: wire.Modify) -> None:
        if sum(len(change.values) for change in modify.changes) > self._policy.max_modify_values:
            raise RefusedError(rules.admin_limit())

    async def _lengths(self, changes: Iterable[wire.Change]) -> None:
        if not self._policy.lengths:
            return
        for change in changes:
            if change.attribute.lower() != "member" and change.operation != wire.DELETE:
                limits = await self._facts.limits(change.attribute)
                _unless(rules.length_refusal(change.attribute, change.values, limits))

    async def _common_name(self, dn: str) -> None:
        name = names.common_name(dn)
        if name is not None and self._policy.lengths:
            _unless(rules.length_refusal("cn", [name.encode()], await self._facts.limits("cn")))

    async def _restore(self, modify: wire.Modify, *, show_deleted: bool) -> wire.Modify:
        """Check a restore; the domain controller knows the deleted object by its DN only."""
        removes = any(change.operation == wire.DELETE for change in _of(modify, "isdeleted"))
        targets = [value.decode() for change in _of(modify, "distinguishedname") for value in change.values]
        if not show_deleted:
            raise RefusedError(rules.missing())
        if not removes or len(targets) != 1:
            raise RefusedError(rules.unwilling())
        await self._common_name(targets[0])
        deleted = await self._facts.one(modify.dn, deleted=True)
        if deleted is None or not deleted.deleted or await self._facts.one(names.parent(targets[0])) is None:
            raise RefusedError(rules.missing())
        return wire.Modify(deleted.dn, modify.changes)

    async def _conversion(self, modify: wire.Modify, target: Fact) -> int:
        old = target.group_type or 0
        new = old
        for change in _of(modify, "grouptype"):
            for value in change.values if change.operation != wire.DELETE else ():
                new = int(value) & 0xFFFFFFFF
        if new != old:
            members = await self._forest.facts_of(await self._facts.members_by_scope(target))
            holders = await self._facts.holders(target)
            primary = await self._facts.is_primary(target)
            domain = self._facts.domain.name
            _unless(rules.conversion_refusal(old, new, domain, members, holders, primary=primary))
        return new

    async def _members(self, modify: wire.Modify, group_type: int) -> wire.Modify:
        """Check the members that are written, and put members of other domains into the form that is stored."""
        written = [value.decode() for change in _of(modify, "member") for value in change.values]
        added = [
            value.decode()
            for change in _of(modify, "member")
            if change.operation != wire.DELETE
            for value in change.values
        ]
        domain = self._facts.domain.name
        is_local = rules.scope_of(group_type) == rules.DOMAIN_LOCAL
        if not written:
            return modify
        resolved = await self._forest.resolve(written)
        for value in added:
            fact = resolved.get(value)
            if fact is None:
                self._unresolved(value, is_local=is_local)
            elif self._policy.nesting:
                _unless(rules.nesting_refusal(group_type, domain, fact))
        return self._forest.stored(modify, resolved)

    def _unresolved(self, value: str, *, is_local: bool) -> None:
        """Refuse a member that leads nowhere; only a principal of a trusted forest may come by SID, and only here."""
        sid = names.name_of(value).sid
        if sid is None or self._forest.knows_domain(names.domain_sid(sid)):
            raise RefusedError(rules.missing())
        if not is_local:
            raise RefusedError(rules.unwilling())


def worded(result: wire.Result) -> wire.Result | None:
    """Return what Windows says where the domain controller tells the same in words of its own; None elsewhere."""
    if result.code == rules.UNWILLING and _NO_SUCH_LINK in result.message:
        return rules.unwilling(_NOT_A_MEMBER)
    return None


def _of(modify: wire.Modify, *attributes: str) -> Sequence[wire.Change]:
    return [change for change in modify.changes if change.attribute.lower() in attributes]
