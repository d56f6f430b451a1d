# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The snapshot: what goes in comes out, and what is not whole is not believed."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    Fate,
    FateKind,
    IncompleteReading,
    Principal,
    PrincipalKind,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import (
    Snapshot,
    new_fingerprint,
    updating,
    writing,
)
from tests.unit.samples import TENANT, cloud_group, cloud_id, group_member, guid, other_member, sid, user

HEADER = SnapshotHeader(TENANT, "2026-01-01T00:00:00Z", "f", incomplete="why", check_mode=True, narrowed=True)
IN = Decision(None, "all")


def write(path: Path, header: SnapshotHeader | None = HEADER) -> Path:
    """Write a snapshot with three groups, of which one is out of scope."""
    with writing(path) as writer:
        writer.add_group(cloud_group(2, displayName="B"), IN)
        writer.add_group(cloud_group(1, managed=True, displayName="A", groupTypes=["x"]), IN)
        writer.add_group(cloud_group(3, managed=False, displayName="A"), Decision(Skipped.MAIL_ENABLED, "clause"))
        writer.add_members(
            cloud_id(1),
            CompleteReading(
                (
                    user(10, object_identifier=guid(10)),
                    user(11, None),
                    user(12, readable=False),
                    group_member(13, synced=False),
                    other_member(14, PrincipalKind.DEVICE),
                )
            ),
        )
        writer.add_members(cloud_id(2), IncompleteReading((user(10, object_identifier=guid(10)),), "cut"))
        if header:
            writer.finish(header)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A snapshot on disk."""
    return write(tmp_path / "snapshot.sqlite3")


def test_the_file_is_private(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_groups_come_out_by_name_and_id_as_they_went_in(path: Path) -> None:
    snapshot = Snapshot(path)
    assert snapshot.header == HEADER
    found = list(snapshot.groups())
    assert [item.group.id for item in found] == [cloud_id(1), cloud_id(3), cloud_id(2)]
    assert found[0].group == cloud_group(1, managed=True, displayName="A", groupTypes=["x"])
    assert found[1].group.is_cloud_managed is False
    assert found[2].group.is_cloud_managed is None
    assert [item.decision for item in found] == [IN, Decision(Skipped.MAIL_ENABLED, "clause"), IN]
    assert [item.member_count for item in found] == [5, 0, 1]


def test_members_come_out_as_they_went_in(path: Path) -> None:
    reading = Snapshot(path).members(cloud_id(1))
    assert isinstance(reading, CompleteReading)
    assert set(reading.items) == {
        user(10, object_identifier=guid(10)),
        user(11, None),
        user(12, readable=False),
        group_member(13, synced=False),
        other_member(14, PrincipalKind.DEVICE),
    }


def test_an_incomplete_reading_stays_one(path: Path) -> None:
    reading = Snapshot(path).members(cloud_id(2))
    assert reading == IncompleteReading((user(10, object_identifier=guid(10)),), "cut")


@pytest.mark.parametrize("number", [3, 99])
def test_a_group_that_was_not_read_is_an_incomplete_reading(path: Path, number: int) -> None:
    """Group 3 was captured, but its members never were; an empty list would empty the directory's group."""
    assert isinstance(Snapshot(path).members(cloud_id(number)), IncompleteReading)


def test_a_group_without_members_that_was_read_is_complete(tmp_path: Path) -> None:
    with writing(tmp_path / "s") as writer:
        writer.add_group(cloud_group(1), IN)
        writer.add_members(cloud_id(1), CompleteReading(()))
        writer.finish(HEADER)
    assert Snapshot(tmp_path / "s").members(cloud_id(1)) == CompleteReading(())


def test_known_sids_are_those_of_readable_principals(path: Path) -> None:
    snapshot = Snapshot(path)
    many = {sid(number) for number in range(100_000, 101_200)}
    assert snapshot.known_sids({sid(5010), sid(5011), sid(5012), *many}) == {sid(5010)}
    assert snapshot.known_sids(()) == frozenset()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ((), frozenset()),
        ((user(1), user(2)), frozenset({sid(5001), sid(5002)})),
        ((user(1), user(2, None)), None),
        ((user(1), user(2, readable=False)), None),
        ((user(1), user(2, object_identifier=guid(2))), None),
        ((user(1), replace(user(2), kind=PrincipalKind.DEVICE)), None),
        ((user(1), group_member(3)), None),
        ((user(1), user(2, sid(5001))), None),
        ((user(1), user(2, f"{sid(5001)} {sid(5002)}")), None),
        ((user(1), replace(user(2), on_premises_security_identifier="")), None),
    ],
)
def test_the_sids_of_members_where_they_say_everything(
    tmp_path: Path, members: tuple[Principal, ...], expected: frozenset[str] | None
) -> None:
    with writing(tmp_path / "s") as writer:
        for number in (1, 2):
            writer.add_group(cloud_group(number), IN)
        writer.add_members(cloud_id(1), CompleteReading(members))
        writer.add_members(cloud_id(2), IncompleteReading(members, "cut"))
        writer.finish(HEADER)
    with closing(Snapshot(tmp_path / "s")) as snapshot:
        assert snapshot.member_sids(cloud_id(1)) == expected
        assert snapshot.member_sids(cloud_id(2)) is None
        assert snapshot.member_sids(cloud_id(3)) is None


def test_a_principal_keeps_every_field(tmp_path: Path) -> None:
    full = replace(
        user(10),
        on_premises_object_identifier=guid(10),
        on_premises_immutable_id="AAECAwQFBgcICQoLDA0ODw==",
        on_premises_sam_account_name="bsimon",
        on_premises_domain_name="contoso.com",
    )
    with writing(tmp_path / "s") as writer:
        writer.add_group(cloud_group(1), IN)
        writer.add_members(cloud_id(1), CompleteReading((full,)))
        writer.finish(HEADER)
    assert Snapshot(tmp_path / "s").members(cloud_id(1)) == CompleteReading((full,))


def test_a_principal_without_membership_makes_its_sid_known(tmp_path: Path) -> None:
    with writing(tmp_path / "s") as writer:
        writer.add_group(cloud_group(1), IN)
        writer.add_members(cloud_id(1), CompleteReading((user(10, readable=False),)))
        for principal in (user(10), user(11), user(12, readable=False)):
            writer.add_principal(principal)
        writer.finish(HEADER)
    snapshot = Snapshot(tmp_path / "s")
    assert snapshot.known_sids({sid(5010), sid(5011), sid(5012)}) == {sid(5011)}
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(10, readable=False),))


def test_fates(tmp_path: Path) -> None:
    absent = Fate(cloud_id(7), FateKind.ABSENT, "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    deleted = Fate(cloud_id(8), FateKind.SOFT_DELETED, "Old", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    with writing(tmp_path / "s") as writer:
        writer.add_group(cloud_group(1, displayName="New"), IN)
        writer.add_fate(deleted)
        writer.add_fate(absent)
        writer.finish(HEADER)
    snapshot = Snapshot(tmp_path / "s")
    assert snapshot.fates() == {cloud_id(7): absent, cloud_id(8): deleted}
    assert snapshot.names() == {cloud_id(1): "New", cloud_id(8): "Old"}


def test_no_group_was_asked_for(path: Path) -> None:
    assert Snapshot(path).fates() == {}


def test_counts(path: Path) -> None:
    snapshot = Snapshot(path)
    assert snapshot.ids_in_scope() == {cloud_id(1), cloud_id(2)}
    assert snapshot.counts() == {"groups": 3, "in_scope": 2, "principals": 5, "memberships": 6}
    snapshot.close()
    with pytest.raises(sqlite3.ProgrammingError):
        snapshot.counts()


def test_a_capture_that_fails_leaves_the_old_snapshot(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RuntimeError), writing(path) as writer:
        writer.add_group(cloud_group(9), IN)
        raise RuntimeError
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_snapshot_is_not_changed_by_reading(path: Path) -> None:
    before = path.read_bytes()
    list(Snapshot(path).groups())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_snapshot(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="gpad_scope") as caught:
        Snapshot(tmp_path / "none")
    assert caught.value.code == "snapshot_missing"
    assert list(tmp_path.iterdir()) == []


def damage(path: Path, kind: str) -> None:
    """Damage a snapshot."""
    content = path.read_bytes()
    if kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "no database":
        path.write_bytes(b"x" * 5000)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "a page overwritten":
        path.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])
    else:
        with sqlite3.connect(path) as db:
            db.execute(kind)
        db.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", "."),
        ("no database", "."),
        ("empty", "not a snapshot"),
        ("a page overwritten", "."),
        ("PRAGMA application_id = 1", "not a snapshot"),
        ("PRAGMA user_version = 1", "format 1, this version reads 3"),
        ("PRAGMA user_version = 4", "format 4, this version reads 3"),
        ("DELETE FROM header", "."),
        ("DROP TABLE header", "."),
        ("INSERT INTO header VALUES ('more', '1')", "."),
        ("UPDATE header SET value = '{'", "."),
    ],
)
def test_a_snapshot_that_cannot_be_believed(path: Path, kind: str, words: str) -> None:
    damage(path, kind)
    with pytest.raises(StoreError, match=words) as caught:
        Snapshot(path)
    assert caught.value.code == "snapshot_damaged"


def test_a_snapshot_without_its_header_was_never_finished(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Snapshot(write(tmp_path / "s", header=None))


def test_fingerprints_differ() -> None:
    assert new_fingerprint() != new_fingerprint()


@pytest.mark.parametrize("name", ["a\u2028b", "\U0001f680", "\u202eabc", "x'; DROP TABLE groups; --", "a\nb", "\0"])
def test_any_name_survives(tmp_path: Path, name: str) -> None:
    with writing(tmp_path / "s") as writer:
        writer.add_group(cloud_group(1, displayName=name), IN)
        writer.finish(HEADER)
    assert [item.group.display_name for item in Snapshot(tmp_path / "s").groups()] == [name]


def test_a_snapshot_goes_on_from_the_one_before(tmp_path: Path) -> None:
    old = Snapshot(write(tmp_path / "old", replace(HEADER, sequence=4)))
    with closing(old), updating(tmp_path / "new", old) as writer:
        writer.add_group(cloud_group(1, managed=True, displayName="A", groupTypes=["x"]), IN)
        writer.add_group(cloud_group(2, displayName="Renamed"), IN)
        writer.add_group(cloud_group(4, displayName="New"), IN)
        writer.remove_groups({cloud_id(3)})
        writer.add_members(cloud_id(4), CompleteReading((user(11, None), user(15))))
        writer.add_principal(replace(user(12), display_name="Now readable"))
        writer.finish(replace(HEADER, fingerprint="g", sequence=5), {"groups": "link"})
    with closing(Snapshot(tmp_path / "new")) as new:
        assert [item.group.display_name for item in new.groups()] == ["A", "New", "Renamed"]
        assert new.changed_since(4) == {cloud_id(1), cloud_id(2), cloud_id(4)}
        assert new.changed_since(5) == frozenset()
        assert [new.reading(number) for number in (3, 4, 5)] == [None, "f", "g"]
        assert [member.id for member in new.members(cloud_id(4)).items] == [cloud_id(11), cloud_id(15)]
        assert "Now readable" in {member.display_name for member in new.members(cloud_id(1)).items}
        assert len(new.members(cloud_id(1)).items) == 5
        assert new.watches() == {"groups": "link"}
        assert new.unread() == {cloud_id(2)}
        assert new.groups_with({cloud_id(11)}) == {cloud_id(1), cloud_id(4)}
        assert new.groups_with(frozenset()) == frozenset()
        kinds = {cloud_id(10): PrincipalKind.USER, cloud_id(14): PrincipalKind.DEVICE}
        assert new.principals({cloud_id(10), cloud_id(14), cloud_id(99)}) == kinds
    with closing(Snapshot(tmp_path / "old")) as before:
        assert [item.group.display_name for item in before.groups()] == ["A", "A", "B"]


def test_what_stays_as_it_is_does_not_change(tmp_path: Path) -> None:
    old = Snapshot(write(tmp_path / "old"))
    with closing(old), updating(tmp_path / "old", old) as writer:
        for item in old.groups():
            writer.add_group(item.group, item.decision)
        for member in old.members(cloud_id(1)).items:
            writer.add_principal(member)
        writer.finish(replace(HEADER, sequence=1))
    with closing(Snapshot(tmp_path / "old")) as new:
        assert new.changed_since(0) == frozenset()


def test_a_member_that_is_gone_and_listed_all_the_same_is_no_member(tmp_path: Path) -> None:
    """The list of members lags behind: it may name for a while who cannot be found by id any more."""
    old = Snapshot(write(tmp_path / "old"))
    there = {member.id for member in old.members(cloud_id(1)).items}
    with closing(old), updating(tmp_path / "new", old) as writer:
        writer.remove_principals({cloud_id(14)})
        writer.finish(replace(HEADER, sequence=1))
    with closing(Snapshot(tmp_path / "new")) as new:
        assert {member.id for member in new.members(cloud_id(1)).items} == there - {cloud_id(14)} != there


def test_the_sid_of_a_member_that_is_gone_is_not_told(tmp_path: Path) -> None:
    with writing(tmp_path / "old") as writer:
        writer.add_group(cloud_group(1), IN)
        writer.add_members(cloud_id(1), CompleteReading((user(1), user(2))))
        writer.finish(HEADER)
    old = Snapshot(tmp_path / "old")
    with closing(old), updating(tmp_path / "new", old) as writer:
        writer.remove_principals({cloud_id(2)})
        writer.finish(replace(HEADER, sequence=1))
    with closing(Snapshot(tmp_path / "new")) as new:
        assert new.member_sids(cloud_id(1)) == frozenset({sid(5001)})


def test_a_group_that_left_has_no_members(tmp_path: Path) -> None:
    old = Snapshot(write(tmp_path / "old"))
    with closing(old), updating(tmp_path / "new", old) as writer:
        writer.remove_members(cloud_id(1))
        writer.remove_principals({cloud_id(14), cloud_id(99)})
        assert writer.memberships() == 1
        writer.finish(replace(HEADER, sequence=1))
    with closing(Snapshot(tmp_path / "new")) as new:
        assert new.unread() == {cloud_id(1), cloud_id(2), cloud_id(3)}
        assert not new.principals({cloud_id(14)})
