# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that looks for drift: what it says, what it leaves behind, and that it changes nothing."""

from __future__ import annotations

import html
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.test_provision import inventory_of
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"
HOSTILE = 'Hostile | <img src=x> [a](http://b) {{ 7 * 7 }} "quoted" \\ `x`'


def look(inventory: Path, target: Target, *arguments: str) -> tuple[Play, dict[str, Any], str]:
    """Look for drift; return the run and both reports."""
    run = play(inventory, *arguments, home=target.state, playbook="hybrid_identity.gpad.drift")
    reports = [target.state / "state" / f"drift-report.{ending}" for ending in ("json", "md")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in reports] == [0o600, 0o600], run.output
    read = [path.read_text(encoding="utf-8") for path in reports]
    return run, json.loads(read[0]), read[1]


def cells(markdown: str) -> list[str]:
    """Return what a parser of Markdown shows in the cells of the tables; there is no other HTML than tables."""
    rendered = MarkdownIt("commonmark").enable("table").render(markdown)
    tags = set(re.findall(r"</?([a-z0-9]+)", rendered))
    assert tags <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}, tags
    return [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)]


@pytest.mark.long
def test_drift_is_found_told_and_left_alone(target: Target) -> None:
    name = f"{HOSTILE} {unique('drift')}"
    cloud_id = target.admin.create_group(name, [object_id(BRITTA)])
    inventory = inventory_of(target, cloud_id)
    new, report, markdown = look(inventory, target)
    assert new.code != 0 and "Assert that there is no drift" in new.output, new.output
    assert report["result"] == "drift" and [change["action"] for change in report["changes"]] == ["create", "members"]
    assert {change["name"] for change in report["changes"]} == {name}
    assert name in cells(markdown) and f"+{BRITTA}" in cells(markdown)
    assert target.entries(cloud_id) == []
    assert not (target.state / "state" / "journal.sqlite3").exists()

    assert play(inventory, home=target.state).code == 0
    clean, report, markdown = look(inventory, target)
    assert clean.code == 0 and clean.changed == {target.domain: 0}, clean.output
    assert report["result"] == "clean" and report["changes"] == [] and report["errors"] == []
    assert markdown.startswith("# Drift report: clean\n")

    dn = target.entry(cloud_id)["dn"][0]
    target.modify(dn, f"add: member\nmember: {target.person(LOLA)}", "replace: displayName\ndisplayName: by hand")
    before = target.usn()
    plan, snapshot = (target.state / "state" / name for name in ("plan.jsonl", "snapshot.sqlite3"))
    kept = plan.read_bytes(), snapshot.read_bytes()
    drifted, report, markdown = look(inventory, target, "-e", "gpad_drift_fails=false")
    assert drifted.code == 0, drifted.output
    assert report["result"] == "drift" and len(report["changes"]) == 2
    assert f"-{target.person(LOLA)}" in cells(markdown)
    assert target.usn() == before and (plan.read_bytes(), snapshot.read_bytes()) == kept
    # How much is shown does not decide.
    hidden, report, _markdown = look(inventory_of(target, cloud_id, gpad_max_results=0), target)
    assert hidden.code != 0 and report["result"] == "drift" and report["changes"] == []


def test_a_failing_group_and_a_refused_log_on_are_errors_with_a_report(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Drift error"), [object_id(BRITTA)])
    run, report, markdown = look(inventory_of(target, cloud_id, gpad_limits={"creations": {"count": 0}}), target)
    assert run.code != 0 and "Fail when it cannot be said" in run.output
    assert report["result"] == "error" and "limit_exceeded" in [entry["code"] for entry in report["errors"]]
    assert len(report["changes"]) == 2 and "limit_exceeded" in cells(markdown)
    run, report, _markdown = look(inventory_of(target, cloud_id, gpad_client_secret="not-its-secret"), target)
    assert run.code != 0 and report["result"] == "error"
    assert "the client secret is wrong" in report["failure"] and report["changes"] == []
    assert report["outcomes"]["gpad_plan"] == "not reached"
    lenient = inventory_of(target, cloud_id, gpad_domain_password="wrong", gpad_drift_fails=False)
    run, report, _markdown = look(lenient, target)
    assert run.code != 0 and report["result"] == "error" and report["outcomes"]["gpad_scope"] == "ok"
