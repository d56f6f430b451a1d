# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are damaged, closed to the account, or on a full disk: told in a sentence, and AD is left as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.faults.conftest import Inject
from tests.integration.faults.struck import StruckTarget
from tests.integration.faults.swing import Swing, outcome_of
from tests.integration.faults.world import MODULES, crew

SCOPE, PLAN, GROUP, MEMBERSHIP = MODULES
_NOBODY = 65534
_PAGE = 4096

_DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut at the end": lambda content: content[:-100],
    "zeroed": lambda content: bytes(len(content)),
    "zeroed in the middle": lambda content: content[:200] + bytes(len(content) - 400) + content[-200:],
    "rubbish": lambda content: b"\x9f\x00rubbish" * (len(content) // 9),
}
_READERS = {"snapshot": (PLAN,), "plan": (GROUP, MEMBERSHIP)}
_READERS_OF_ALL = {**_READERS, "journal": (PLAN, GROUP, MEMBERSHIP)}


def path_of(target: StruckTarget, name: str) -> Path:
    """Return the path of a state file."""
    return {"snapshot": target.snapshot, "plan": target.plan_path, "journal": target.journal}[name]


def told(result: dict[str, Any], *codes: str) -> None:
    """A refusal names its reason with one of these codes, in one sentence, and nothing was changed."""
    assert result["failed"] and result["fatal"] and not result["changed"], result
    assert {error["code"] for error in result["errors"]} <= set(codes), result["errors"]
    assert "\n" not in result["msg"]


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("name", _READERS)
def test_a_damaged_file_is_told_and_nothing_is_written(swing: Swing, inject: Inject, name: str, damage: str) -> None:
    target = swing.target
    swing.swing()
    for module in (SCOPE, PLAN):
        assert swing.step(module)["outcome"] == "ok"
    before = target.usn()
    path = path_of(target, name)
    path.write_bytes(_DAMAGES[damage](path.read_bytes()))
    for module in _READERS[name]:
        inject(f"file: {name} damaged")
        told(swing.step(module), f"{name}_damaged")
    assert target.usn() == before
    swing.untouched()


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_damaged_snapshot_is_made_anew(swing: Swing, inject: Inject, damage: str) -> None:
    path = swing.target.snapshot
    swing.swing()
    path.write_bytes(_DAMAGES[damage](path.read_bytes()))
    inject("file: snapshot damaged")
    results = swing.cycle()
    outcome, codes = outcome_of(results)
    assert outcome == "ok"
    assert "snapshot_damaged" in codes
    assert swing.settled


def _broken_table(name: str) -> Callable[[bytes], bytes]:
    """Return what breaks the first page of a table of a journal."""

    def broken(content: bytes) -> bytes:
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            with closing(sqlite3.connect(file.name)) as db:
                row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        start = (row[0] - 1) * _PAGE
        return content[:start] + b"\xff" * _PAGE + content[start + _PAGE :]

    return broken


# The damage, and whether nobody can know any more that runs were not stopped.
_LOST: Mapping[str, tuple[Callable[[bytes], bytes], bool]] = {
    "empty": (lambda content: b"", True),
    "zeroed": (_DAMAGES["zeroed"], True),
    "rubbish": (_DAMAGES["rubbish"], True),
    "cut": (lambda content: content[: -3 * _PAGE], False),
    "settings broken": (_broken_table("settings"), True),
    "groups broken": (_broken_table("groups"), False),
    "outcomes broken": (_broken_table("outcomes"), False),
}


@pytest.mark.parametrize("damage", _LOST)
def test_a_damaged_journal_is_set_aside_and_nothing_foreign_goes(swing: Swing, inject: Inject, damage: str) -> None:
    """What the journal was the only one to know is not guessed: the foreign link stays, and a lost stop is a stop."""
    target, path = swing.target, swing.target.journal
    swing.swing()
    broad = swing.ids["Broad"]
    foreign = target.person("crew00030")
    place = target.entry(broad)["dn"][0]
    target.lab.ldapmodify(target.domain, f"dn: {place}\nchangetype: modify\nadd: member\nmember: {foreign}\n")
    break_it, is_stop = _LOST[damage]
    broken = break_it(path.read_bytes())
    path.write_bytes(broken)
    inject("file: journal damaged")
    for module in (SCOPE, PLAN):
        planned = swing.step(module)
        assert planned["outcome"] == "ok", planned
    assert _told_damage(planned)
    assert path.read_bytes() == broken, "reading changed the journal"
    before = target.usn()
    results = {GROUP: swing.step(GROUP)}
    assert _told_damage(results[GROUP])
    (aside,) = target.state.glob("journal.sqlite3.damaged-*Z")
    assert aside.read_bytes() == broken
    if is_stop:
        assert results[GROUP]["errors"][0]["code"] == "stopped"
        assert "damaged" in results[GROUP]["msg"]
        assert target.usn() == before
        target.journal_module(stopped=False)
        results = swing.rest(MODULES)
    else:
        results[MEMBERSHIP] = swing.step(MEMBERSHIP)
    assert {result["outcome"] for result in results.values()} == {"ok"}, results
    held = swing.links()
    assert foreign in held[broad], "a foreign link went without a memory that allows it"
    for cloud_id, links in held.items():
        before_it, goal = swing.before[cloud_id], swing.goal[cloud_id]
        assert goal <= links <= before_it | goal | {foreign}
    target.lab.ldapmodify(target.domain, f"dn: {place}\nchangetype: modify\ndelete: member\nmember: {foreign}\n")
    aside.unlink()
    # What the notices of kept members ask for.
    target.journal_module(accepted=list(swing.ids.values()))
    swing.recover()


def _told_damage(result: dict[str, Any]) -> bool:
    told_it = [notice for notice in result["notices"] if notice["code"] == "journal_damaged"]
    return bool(told_it or result["fatal"]) and "is damaged" in str(result["warnings"])


@pytest.fixture
def open_folder(swing: Swing) -> Iterator[Path]:
    """The state files in a folder that other accounts may use, given to nobody."""
    target = swing.target
    with tempfile.TemporaryDirectory(prefix="gpad-state-") as folder:
        kept = target.state
        place(target, Path(folder))
        Path(folder).chmod(0o755)
        yield Path(folder)
        place(target, kept)


def place(target: StruckTarget, folder: Path) -> None:
    """Take the state files to another folder."""
    for path in list(target.state.iterdir()):
        if path.is_file():
            shutil.move(path, folder / path.name)
    target.state = folder
    names = ("snapshot.sqlite3", "plan.jsonl", "journal.sqlite3")
    target.snapshot, target.plan_path, target.journal = (folder / name for name in names)


def give(folder: Path, user: int, *but: Path) -> None:
    """Give a folder and its files to an account, but some of them to root."""
    for path in (folder, *folder.iterdir()):
        os.chown(path, 0 if path in but else user, -1)


@pytest.mark.parametrize("name", _READERS_OF_ALL)
def test_a_file_of_another_account_is_told(swing: Swing, open_folder: Path, inject: Inject, name: str) -> None:
    target = swing.target
    swing.swing()
    for module in (SCOPE, PLAN):
        assert swing.step(module)["outcome"] == "ok"
    before = target.usn()
    give(open_folder, _NOBODY, path_of(target, name))
    for module in _READERS_OF_ALL[name]:
        inject(f"file: {name} closed to the account")
        with target.struck(module, user=_NOBODY):
            told(swing.step(module), f"{name}_damaged" if name != "journal" else "journal_unusable")
    assert target.usn() == before
    give(open_folder, 0)
    swing.recover()


@pytest.mark.parametrize("module", MODULES)
def test_a_folder_of_another_account_is_told(swing: Swing, open_folder: Path, inject: Inject, module: str) -> None:
    """The files may be read and written, but none created beside them."""
    target = swing.target
    swing.swing()
    for earlier in MODULES[: MODULES.index(module)]:
        assert swing.step(earlier)["outcome"] == "ok"
    before = target.usn()
    (target.journal.with_name(target.journal.name + ".lock")).unlink()
    give(open_folder, _NOBODY, open_folder)
    inject("file: folder closed to the account")
    with target.struck(module, user=_NOBODY):
        told(swing.step(module), "store_failed" if module in (SCOPE, PLAN) else "journal_unusable")
    assert target.usn() == before
    give(open_folder, 0)
    swing.recover()


@pytest.mark.parametrize("module", MODULES)
def test_a_limit_of_the_file_size_is_told(swing: Swing, inject: Inject, module: str) -> None:
    """No file may grow at all: the old snapshot and the old plan stay, and nothing is written to AD."""
    target = swing.target
    swing.swing()
    for earlier in MODULES[: MODULES.index(module)]:
        assert swing.step(earlier)["outcome"] == "ok"
    before = target.usn()
    files = {name: path_of(target, name).read_bytes() for name in ("snapshot", "plan")}
    inject("file: disk full")
    with target.struck(module, file_bytes=1024):
        told(swing.step(module), "store_failed", "journal_unusable")
    assert target.usn() == before
    assert {name: path_of(target, name).read_bytes() for name in files} == files
    assert not list(target.state.glob(".*.new")), "a draft was left behind"
    swing.recover()


@pytest.fixture
def tiny_disk(swing: Swing) -> Iterator[Path]:
    """The state files on a disk of their own with little room."""
    target = swing.target
    with tempfile.TemporaryDirectory(prefix="gpad-disk-") as folder:
        kept = target.state
        size = sum(path.stat().st_size for path in kept.iterdir())
        room = -(-size // _PAGE) * _PAGE + 64 * _PAGE
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "gpad-faults", folder], check=True)
        try:
            place(target, Path(folder))
            yield Path(folder)
            (Path(folder) / "ballast").unlink(missing_ok=True)
            place(target, kept)
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("pages", [0, 8, 12, 16])
def test_a_disk_that_fills_up_stops_the_run_before_it_writes_what_the_journal_cannot_hold(
    swing: Swing, tiny_disk: Path, inject: Inject, pages: int
) -> None:
    target = swing.target
    swing.swing()
    fresh = [target.admin.create_group(f"Full {number}", [crew(9)]) for number in range(6)]
    for ready in (target.scope(*swing.ids.values(), *fresh), target.plan()):
        assert ready["outcome"] == "ok"
    room = shutil.disk_usage(tiny_disk).free
    (tiny_disk / "ballast").write_bytes(bytes(max(0, room - pages * _PAGE)))
    inject("file: disk full")
    result = target.group()
    (tiny_disk / "ballast").unlink()
    made = {cloud_id for cloud_id in fresh if target.entries(cloud_id)}
    with closing(sqlite3.connect(target.journal)) as journal:
        recorded = {row[0] for row in journal.execute("SELECT id FROM outcomes WHERE action = 'create'")}
    try:
        # The one that could not be written down, and the one that was under way meanwhile, are found by their anchors.
        assert len(made - recorded) <= 2, f"{len(made - recorded)} groups were created that the journal does not know"
        assert result["outcome"] == "ok" or result["errors"][-1]["code"] in ("store_failed", "journal_unusable")
        assert result["outcome"] != "ok" or made == set(fresh)
    finally:
        for cloud_id in fresh:
            for entry in target.entries(cloud_id):
                target.lab.ldapmodify(target.domain, f"dn: {entry['dn'][0]}\nchangetype: delete\n")
            target.admin.purge(cloud_id)
        target.forget(*fresh)
    swing.recover()
