# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From reports and errors to what Ansible shows."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import RESULTS, Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import (
    error_result,
    report_result,
    run_module,
    unexpected,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    DirectoryError,
    GpadError,
    IncompleteReadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from tests.unit.plugins.module_utils._module.running import run

SECRET = "s3cr3t-v4lue"
SPEC: Spec = {**RESULTS, "password": {"type": "str", "no_log": True}}


def running(
    patch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: Any,
    options: dict[str, Any] | None = None,
    libraries: dict[str, str | None] | None = None,
    **more: Any,
) -> dict[str, Any]:
    return run(patch, capsys, lambda: run_module(SPEC, body, libraries or {}), options or {}, **more)


def body_with(report: Report, **more: Any) -> Any:
    return lambda module: report_result(module, report, changed=report.changed, **more)


def test_a_run_that_ends_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(10)
    report.remark(Skip("1", "Sales", "mail_enabled", "it is mail-enabled"))
    result = running(monkeypatch, capsys, body_with(report, plan_id="p"))
    assert (result["_rc"], result["outcome"], result["fatal"], result["changed"]) == (0, "ok", False, False)
    assert result["summary"] == {"groups_skipped": 1}
    assert result["report"] == ["Sales: skipped, it is mail-enabled [mail_enabled]"]
    assert result["plan_id"] == "p"
    assert "diff" not in result


@pytest.mark.parametrize("most", [0, -1])
def test_a_result_without_room_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: int
) -> None:
    result = running(monkeypatch, capsys, body_with(Report(10)), {"max_results": most})
    assert (result["_rc"], result["outcome"]) == (1, "fatal")
    assert f"max_results: {most} " in result["msg"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BlockedError("Stop.", "Wait."), "blocked"),
        (DirectoryError("Stop.", "Wait."), "fatal"),
        (IncompleteReadError("Stop.", "Wait."), "incomplete"),
        (ObjectError("Stop.", "Wait."), "partial"),
    ],
)
def test_an_error_of_ours_ends_the_task_with_its_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: GpadError, outcome: str
) -> None:
    def body(_module: AnsibleModule) -> dict[str, Any]:
        raise error

    result = running(monkeypatch, capsys, body)
    assert (result["_rc"], result["failed"], result["outcome"], result["fatal"]) == (1, True, outcome, True)
    assert result["msg"] == "Stop. Wait."
    assert result["errors"] == [{"id": "", "name": "", "code": error.code, "reason": "Stop.", "remedy": "Wait."}]
    assert result["changed"] is False


def test_an_unexpected_error_tells_its_place_and_nothing_of_the_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(module: AnsibleModule) -> dict[str, Any]:
        secret = module.params["password"]
        raise RuntimeError(f"the account {secret} of cn=Robin is wrong")

    result = running(monkeypatch, capsys, body, {"password": SECRET})
    assert (result["outcome"], result["fatal"]) == ("fatal", True)
    assert result["errors"][0]["code"] == "internal_error"
    assert "RuntimeError in test_result.py:" in result["msg"]
    assert SECRET not in json.dumps(result)
    assert "Robin" not in json.dumps(result)


def test_the_place_of_a_defect_is_the_innermost() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        assert "decoder.py" in unexpected(error).message
    assert "unknown place" in unexpected(ValueError("x")).message


def test_a_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(_module: AnsibleModule) -> dict[str, Any]:
        raise AssertionError("not reached")

    libraries = {"there": None, "ldap3": "Traceback: no module named ldap3"}
    result = running(monkeypatch, capsys, body, libraries=libraries)
    assert (result["failed"], result["outcome"], result["fatal"]) == (True, "fatal", True)
    assert "ldap3" in result["msg"]


def test_a_partial_run_fails_with_its_first_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(10)
    report.remark(Problem("1", "Sales", "cn_invalid", "It is bad.", "Rename it."))
    report.remark(Problem("2", "Other", "cn_invalid", "It is bad.", "Rename it."))
    result = running(monkeypatch, capsys, body_with(report))
    assert (result["_rc"], result["outcome"], result["fatal"]) == (1, "partial", False)
    assert result["msg"] == "Sales: It is bad. Rename it. (1 more)"


def test_an_incomplete_run_fails_and_points_at_its_notices(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(10)
    report.remark(Notice("1", "Sales", "removals_held", "No member is removed."))
    result = running(monkeypatch, capsys, body_with(report))
    assert (result["outcome"], result["fatal"]) == ("incomplete", False)
    assert "notices" in result["msg"]
    assert any("No member is removed." in str(warning) for warning in result["warnings"])


def test_a_warning_is_given_although_the_result_has_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(1)
    report.remark(Notice("1", "Sales", "orphan", "It is kept."))
    report.remark(Notice("", "journal", "journal_missing", "It is not there any more."))
    result = running(monkeypatch, capsys, body_with(report))
    assert any("It is not there any more." in str(warning) for warning in result["warnings"])


def test_notices_that_are_no_warnings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(10)
    report.remark(Notice("1", "Sales", "orphan", "It is kept."))
    result = running(monkeypatch, capsys, body_with(report))
    # Older warnings of this process come along.
    assert "It is kept." not in str(result.get("warnings"))


def test_the_diff_is_given_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert running(monkeypatch, capsys, body_with(Report(10)), diff=True)["diff"] == {"prepared": ""}


def test_the_report_is_written_whole_and_private(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = Report(10)
    report.remark(Skip("1", "S\u00e4les", "mail_enabled", "it is"))
    path = tmp_path / "report.json"
    running(monkeypatch, capsys, body_with(report), {"report_path": str(path)})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["skips"][0]["name"] == "S\u00e4les"


def test_a_report_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = running(monkeypatch, capsys, body_with(Report(10)), {"report_path": str(tmp_path / "none" / "r")})
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "store_failed")


def test_an_error_result_has_every_key_of_a_result() -> None:
    result = error_result(ObjectError("x"))
    assert {"changed", "outcome", "fatal", "summary", "changes", "skips", "errors", "notices", "msg"} <= set(result)
