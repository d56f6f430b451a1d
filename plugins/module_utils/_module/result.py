# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From reports and errors to what Ansible shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    GpadError,
    Outcome,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, diff_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import replacing, require_folder

_WARNED = frozenset({"removals_held", "anchor_tampering", "journal_missing"})
# Library name to the traceback of its import, or None where it is there.
Libraries: TypeAlias = "Mapping[str, str | None]"


def run_module(
    spec: Spec, body: Callable[[AnsibleModule], dict[str, Any]], libraries: Libraries, **constraints: Any
) -> None:
    """Run a module: arguments, libraries, body, and one sentence for whatever goes wrong.

    Parameters:
        spec: the argument spec.
        body: does the work and returns the result; the key `outcome` decides whether the task fails.
        libraries: what must be importable.
        constraints: required_if and its like, for AnsibleModule.
    """
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **constraints)
    for name, trace in libraries.items():
        if trace:
            module.fail_json(msg=missing_required_lib(name), exception=trace, outcome="fatal", fatal=True)
    try:
        if module.params.get("max_results", 1) < 1:
            raise ConfigurationError(
                f"max_results: {module.params['max_results']} would leave even the reason of a failure out.",
                "Give at least 1.",
            )
        if module.params.get("report_path"):
            require_folder(Path(module.params["report_path"]))
        result = body(module)
    except GpadError as error:
        result = error_result(error)
    except Exception as error:
        result = error_result(unexpected(error))
    if result["outcome"] == Outcome.OK.value:
        module.exit_json(**result)
    result.setdefault("msg", _sentence(result))
    module.fail_json(**result)


def error_result(error: GpadError) -> dict[str, Any]:
    """Return the result of a run that ended before it began."""
    report = Report(1)
    report.stopped(error)
    result = _common(report, changed=False)
    result["fatal"] = True  # whatever the outcome, there is nothing to go on with
    result["msg"] = str(error)
    return result


def unexpected(error: Exception) -> GpadError:
    """Return what to tell people of a defect: the kind of error and the place, nothing of the data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"
    return GpadError(
        f"A defect of the collection: {type(error).__name__} in {place}.",
        "Please report it with this line.",
        code="internal_error",
    )


def _common(report: Report, *, changed: bool) -> dict[str, Any]:
    return {
        "changed": changed,
        "outcome": report.outcome.value,
        "fatal": report.outcome in (Outcome.FATAL, Outcome.BLOCKED),
        "summary": dict(sorted(report.summary.items())),
        "changes": report.changes,
        "skips": report.skipped,
        "errors": report.errors,
        "notices": report.notices,
    }


def report_result(module: AnsibleModule, report: Report, *, changed: bool, **more: Any) -> dict[str, Any]:
    """Return the result of a run that did its work, and write the report file where one is asked for.

    Parameters:
        module: for the options max_results and report_path and the diff.
        report: what happened.
        changed: whether the task changed anything, or would in check mode.
        more: further return values.

    Raises:
        StoreError: the report cannot be written.
    """
    result = {**_common(report, changed=changed), "report": report.lines(), **more}
    path = module.params.get("report_path")
    if path:
        with replacing(Path(path)) as draft:
            draft.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if module._diff:
        result["diff"] = {"prepared": diff_text(report.changes)}
    told = [notice for notice in report.notices if notice["code"] in _WARNED]
    for notice in told:
        module.warn(f"{notice['name']}: {notice['reason']}")
    for code in sorted(_WARNED - {notice["code"] for notice in told}):
        if text := report.noticed({code}):
            module.warn(text)
    return result


def tell_damage(module: AnsibleModule, report: Report, path: Path, damage: str) -> None:
    """Tell of a journal that was damaged, also when the run ends before it has a result.

    Parameters:
        module: for the warning.
        report: for the notice.
        path: the journal.
        damage: what was done about it; empty when it is whole.
    """
    if damage:
        module.warn(damage)
        report.remark(Notice("", str(path), "journal_damaged", damage))


def _sentence(result: Mapping[str, Any]) -> str:
    first = result["errors"][0] if result["errors"] else None
    if first is None:
        return f"The run ended as {result['outcome']}; the notices say what is missing."
    count = result["summary"].get("errors", 0)
    more = f" ({count - 1} more)" if count > 1 else ""
    name = f"{first['name']}: " if first["name"] else ""
    return f"{name}{first['reason']} {first['remedy']}".strip() + more
