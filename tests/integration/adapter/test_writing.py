# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing links, and connections that break, judged by ldapsearch."""

from __future__ import annotations

import socket
import uuid

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from tests.integration.adapter.domain import Domain


def cut(session: Session) -> None:
    """Break a connection as a firewall does: neither side has closed it in the protocol."""
    session._connection._connection.socket.shutdown(socket.SHUT_RDWR)


def members(domain: Domain, guid: str) -> set[str]:
    return set(domain.search(guid, "member").get("member", ()))


def test_links_by_guid_and_by_name(domain: Domain) -> None:
    first, second, third = (domain.person(name) for name in ("Britta Simon", "Lola Jacobson", "Foreign Hand"))
    group = domain.create(member=(third["dn"][0],))
    add = {first["objectGUID"][0]: "", second["objectGUID"][0]: second["dn"][0]}
    result = domain.writer().change_members(group.guid, add, {third["objectGUID"][0]: ""})
    assert (set(result.added), set(result.removed), result.failed) == (set(add), {third["objectGUID"][0]}, {})
    assert members(domain, group.guid) == {first["dn"][0], second["dn"][0]}
    again = domain.writer().change_members(group.guid, add, {third["objectGUID"][0]: ""})
    assert not (again.added or again.removed or again.failed)


def test_a_bad_link_stands_alone_and_a_missing_group_is_told_at_once(domain: Domain) -> None:
    group = domain.create()
    people = {domain.person(name)["objectGUID"][0]: "" for name in ("Britta Simon", "Lola Jacobson")}
    nobody = {str(uuid.uuid4()): "" for _time in range(2)}
    result = domain.writer().change_members(group.guid, people | nobody, {})
    assert (set(result.added), set(result.failed)) == (set(people), set(nobody))
    assert len(members(domain, group.guid)) == 2
    session = domain.session()
    gone = Writer(session).change_members(str(uuid.uuid4()), people, {})
    assert gone.failed.keys() == people.keys()
    assert session.operations["modify"] == 1


def test_a_search_survives_a_broken_connection(domain: Domain) -> None:
    group = domain.create()
    session = domain.session()
    cut(session)
    (found,) = session.search(f"<GUID={group.guid}>", "(objectClass=*)", (), scope="BASE")
    assert found.dn == group.dn
    assert session.operations["bind"] == 2


def test_a_write_is_not_repeated_and_the_next_operation_connects_again(domain: Domain) -> None:
    group = domain.create()
    session = domain.session()
    writer = Writer(session)
    cut(session)
    with pytest.raises(DirectoryError) as caught:
        writer.modify(group.guid, {"displayName": ("never sent",)})
    assert caught.value.code == "directory_unreachable"
    writer.modify(group.guid, {"displayName": ("sent",)})
    assert domain.search(group.guid, "displayName")["displayName"] == ["sent"]
    assert session.operations["bind"] == 2
