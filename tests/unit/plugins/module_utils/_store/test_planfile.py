# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan file: what goes in comes out, and a changed file is refused."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import (
    PlanFile,
    PlanHeader,
    integrity_of,
    writing,
)
from tests.unit.samples import BASE, MANAGED, TENANT, cloud_id, guid, link, sid

HEADER = PlanHeader(
    "plan-1", "2026-01-01T00:00:00.000000Z", TENANT, "2026-01-01T00:00:00Z", BASE, "dc1.contoso.com", False
)
ITEMS: list[PlanItem] = [
    Skip(cloud_id(9), "Other", "mail_enabled", "it is mail-enabled"),
    GroupChange(
        Action.CREATE,
        cloud_id(1),
        "S\u00e4les \U0001f680",
        None,
        f"CN=S,{MANAGED}",
        None,
        {},
        {"cn": ("a",), "info": ()},
        "new",
        (guid(7), guid(8)),
    ),
    GroupChange(
        Action.RENAME, cloud_id(2), "a\u2028b\r\n", guid(2), "CN=a", "CN=b", {"cn": ("a",)}, {"cn": ("b",)}, "name"
    ),
    MemberChange(
        cloud_id(1),
        "Sales",
        None,
        f"CN=S,{MANAGED}",
        (
            Wanted(cloud_id(3), PrincipalKind.USER, "User 3", guid(3), sid(5003), "CN=3"),
            Wanted(cloud_id(2), PrincipalKind.GROUP, "Group 2", None),
        ),
        (link(4), link(5, None)),
        2,
        "digest",
    ),
    Skip(cloud_id(4), "Robin", "cloud_only_user", "no account", cloud_id(1), "Sales"),
    Problem(cloud_id(5), "Bad", "cn_invalid", "It is.", "Do."),
    Notice(cloud_id(6), "Kept", "orphan", "It is kept."),
]


def write(path: Path, items: list[PlanItem] | None = None, breaches: tuple[str, ...] = ()) -> Path:
    """Write a plan."""
    with writing(path, HEADER) as writer:
        for item in ITEMS if items is None else items:
            writer.add(item)
        writer.finish({"creations": 1}, breaches)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A plan on disk."""
    return write(tmp_path / "plan.jsonl")


def test_what_was_planned_is_what_is_read(path: Path) -> None:
    plan = PlanFile(path)
    assert list(plan.items()) == ITEMS
    assert list(plan.items()) == ITEMS
    assert plan.header == HEADER
    assert (plan.footer.counts, plan.footer.breaches) == ({"creations": 1}, ())


def test_breaches_are_kept(tmp_path: Path) -> None:
    assert PlanFile(write(tmp_path / "p", breaches=("a", "b"))).footer.breaches == ("a", "b")


def test_the_file_is_private_and_each_line_is_json(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line)["line"] for line in lines] == [
        "header", "skip", "group", "group", "members", "skip", "problem", "notice", "footer"
    ]  # fmt: skip


def test_the_checksum_tells_plans_apart(tmp_path: Path) -> None:
    first = PlanFile(write(tmp_path / "1")).footer.checksum
    assert PlanFile(write(tmp_path / "2")).footer.checksum == first
    assert PlanFile(write(tmp_path / "3", ITEMS[:-1])).footer.checksum != first
    assert PlanFile(write(tmp_path / "4", ITEMS[::-1])).footer.checksum != first


def test_a_missing_plan(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="gpad_plan") as caught:
        PlanFile(tmp_path / "none")
    assert caught.value.code == "plan_missing"


def lines_changed(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(change(content.splitlines(keepends=True)))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a name changed": lambda content: content.replace(b"Robin", b"Robyn"),
    "a blank added": lambda content: content.replace(b'"Robin"', b' "Robin"'),
    "a line taken out": lines_changed(lambda lines: lines[:2] + lines[3:]),
    "two lines swapped": lines_changed(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]),
    "a line twice": lines_changed(lambda lines: [*lines[:2], *lines[1:]]),
    "the footer lost": lines_changed(lambda lines: lines[:-1]),
    "the header lost": lines_changed(lambda lines: lines[1:]),
    "the end cut": lambda content: content[:-30],
    "a line after the end": lambda content: content + b'{"line":"skip"}\n',
    "empty": lambda _content: b"",
    "no JSON": lambda _content: b"hello\n",
    "no text": lambda _content: b"\xff\xfe",
    "the format before": lambda content: content.replace(b'"format":2', b'"format":1'),
    "a format to come": lambda content: content.replace(b'"format":2', b'"format":3'),
    "a list": lambda _content: b"[]\n[]\n",
    "a number": lambda _content: b"7\n",
    "more in the header": lambda content: content.replace(b'"format":2', b'"format":2,"more":1'),
    "the checksum gone": lambda content: content.replace(b'"integrity"', b'"integrita"'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_plan_that_was_changed_is_refused(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match=r"plan\.jsonl") as caught:
        PlanFile(path)
    assert caught.value.code == "plan_damaged"


@pytest.mark.parametrize("version", [1, 3])
def test_a_plan_of_another_version_is_refused_although_its_checksum_fits(path: Path, version: int) -> None:
    """Its items may lack what this version reads, or mean something else."""
    *lines, footer = path.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"format":2', b'"format":%d' % version)
    end = json.loads(footer)
    end["integrity"] = integrity_of(hashlib.sha256(b"".join(lines)), end)
    path.write_bytes(b"".join(lines) + json.dumps(end).encode() + b"\n")
    with pytest.raises(StoreError, match="not a plan of this version") as caught:
        PlanFile(path)
    assert caught.value.code == "plan_damaged"


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        PlanFile(tmp_path)
    assert caught.value.code == "plan_damaged"


def test_a_plan_that_fails_half_way_leaves_the_old_one(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RuntimeError), writing(path, HEADER) as writer:
        writer.add(ITEMS[0])
        raise RuntimeError
    assert path.read_bytes() == before


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.lists(st.builds(Skip, _texts, _texts, _texts, _texts, st.none() | _texts, st.none() | _texts), max_size=5))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, skips: list[Skip]) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.jsonl"
    assert list(PlanFile(write(path, list(skips))).items()) == skips


def test_what_a_plan_s_before_state_speaks_of(tmp_path: Path) -> None:
    update = GroupChange(Action.UPDATE, "1", "x", guid(1), "CN=x", None, {"info": ("a",), "mail": ()}, {}, "differs")
    with writing(tmp_path / "plan", HEADER) as writer:
        for item in (*ITEMS, update):
            writer.add(item)
        writer.finish({}, ())
    assert PlanFile(tmp_path / "plan").written_attributes() == {"info", "mail"}


def test_questions_come_out_by_their_kind(tmp_path: Path) -> None:
    asked = [Question(Subject.GROUP, cloud_id(1)), Question(Subject.SID, sid(1)), Question(Subject.SID, sid(1))]
    plan = PlanFile(write(tmp_path / "p", [*ITEMS, *asked]))
    assert plan.questions(Subject.GROUP) == {cloud_id(1)}
    assert plan.questions(Subject.SID) == {sid(1)}
    assert list(plan.items()) == [*ITEMS, *asked]


def test_why_and_at_which_sequence_number_members_change(tmp_path: Path) -> None:
    change = MemberChange(cloud_id(1), "S", guid(1), "CN=S", (), (link(4),), 1, "digest", 77, "retired: it left")
    assert list(PlanFile(write(tmp_path / "p", [change])).items()) == [change]


def test_a_plan_that_another_one_replaced_is_read_as_it_was_verified(path: Path) -> None:
    plan = PlanFile(path)
    begun = plan.items()
    first = next(begun)
    write(path, [])
    assert [first, *begun] == list(plan.items()) == ITEMS
    assert list(PlanFile(path).items()) == []
    plan.close()
    with pytest.raises(ValueError, match="closed"):
        next(plan.items())


@pytest.mark.parametrize("edit", [{"breaches": []}, {"counts": {}}, {"checksum": "0" * 64}, {"more": 1}])
def test_the_verdict_is_covered(tmp_path: Path, edit: dict[str, object]) -> None:
    path = write(tmp_path / "p", breaches=("creations: 1 planned, 0 allowed",))
    *lines, footer = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, json.dumps({**json.loads(footer), **edit}) + "\n"]))
    with pytest.raises(StoreError) as caught:
        PlanFile(path)
    assert caught.value.code == "plan_damaged"


def approved(path: Path, header: PlanHeader, items: list[PlanItem], *breaches: str) -> str:
    with writing(path, header) as writer:
        for item in items:
            writer.add(item)
        writer.finish({}, breaches)
    return PlanFile(path).footer.checksum


def test_what_is_approved_is_the_changes_whenever_they_were_planned(tmp_path: Path) -> None:
    path = tmp_path / "p"
    change = MemberChange(cloud_id(1), "S", guid(1), "CN=S", (), (link(4),), 1, "digest", 77)
    first = approved(path, HEADER, [change], "a")
    day = "2026-01-02T00:00:00Z"
    again = replace(HEADER, plan_id="plan-2", created_at=day, captured_at=day, server="dc2.contoso.com", groups=7)
    assert approved(path, again, [replace(change, before_usn=78)], "a") == first
    others = [
        approved(path, again, [change], "b"),
        approved(path, again, [change], "a", "b"),
        approved(path, again, [replace(change, remove=(link(5),))], "a"),
        approved(path, again, [change, change], "a"),
        approved(path, replace(again, tenant_id="x"), [change], "a"),
        approved(path, replace(again, domain="x"), [change], "a"),
        approved(path, replace(again, container_rule="x"), [change], "a"),
    ]
    assert len({first, *others}) == 8


def test_a_line_that_would_be_passed_over_is_refused(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'{"line":', b'{"line": ')
    end = json.loads(lines[-1])
    end["integrity"] = integrity_of(hashlib.sha256(b"".join(lines[:-1])), end)
    path.write_bytes(b"".join(lines[:-1]) + json.dumps(end).encode() + b"\n")
    with pytest.raises(StoreError, match="a line is not one of a plan"):
        PlanFile(path)


@pytest.mark.parametrize("kind", dict.fromkeys(type(item) for item in ITEMS))
def test_how_many_there_are_of_a_kind(path: Path, kind: type) -> None:
    assert PlanFile(path).count(kind) == sum(isinstance(item, kind) for item in ITEMS) > 0


def test_items_of_some_kinds(path: Path) -> None:
    plan = PlanFile(path)
    everything = list(plan.items())
    for kinds in ((GroupChange,), (MemberChange,), (Skip, Problem, Notice), (Question,)):
        assert list(plan.items_of(*kinds)) == [item for item in everything if isinstance(item, kinds)]
    plan.close()
