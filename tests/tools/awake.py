# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants a fault for each step in a copy; each must turn its step red: ``python -m tests.tools.awake``.

Every step runs on a sound file in the same place first and must be green there: a step that is always red proves
nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.tools.checkout import BUILD, ROOT, copy_to
from tests.tools.environments import link_collection

HEADER = """\
# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""
PYTHON = HEADER + '"""A planted file."""\n\nfrom __future__ import annotations\n\n'
RULES = "plugins/module_utils/_provisioning/planted.py"
MODULE = "plugins/modules/planted.py"
TEST = HEADER + "from __future__ import annotations\n\n\ndef test_planted() -> None:\n    assert {} == 2\n"
SANITY = f"ONLY=--test validate-modules {MODULE}"
PLAY = """\
---
- name: Planted
  hosts: localhost
  gather_facts: false
  tasks:
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted file, sound (absent when empty) and faulty; the make target that must notice, and what it must say."""

    target: str
    path: str
    sound: str
    faulty: str
    evidence: str
    narrowed: str = ""


def _documented_module() -> str:
    return (ROOT / "plugins/modules/gpad_info.py").read_text().replace("module: gpad_info", "module: planted")


def _failing_test(target: str, path: str) -> Fault:
    return Fault(target, path, TEST.format(2), TEST.format(1), "1 failed", f"ONLY={path}")


def _undocumented_module(target: str) -> Fault:
    return Fault(target, MODULE, _documented_module(), HEADER + "import json\n", "missing-documentation", SANITY)


def _wrong_rule(target: str, sound: str, faulty: str, evidence: str, only: str = RULES) -> Fault:
    return Fault(target, RULES, f"{PYTHON}{sound}\n", f"{PYTHON}{faulty}\n", evidence, f"ONLY={only}")


FAULTS = (
    _undocumented_module("sanity-newest"),
    _undocumented_module("sanity-oldest"),
    _wrong_rule("lint-python", "X = 1", "import json", "F401"),
    _wrong_rule("lint-python", "X = 1", "X  =  1", "would be reformatted"),
    _wrong_rule("types", "X: int = 1", 'X: int = "1"', "[assignment]"),
    _wrong_rule("unit", "import re", "import os", "['os']", "tests/unit/test_imports.py -k planted"),
    _failing_test("unit", "tests/unit/test_planted.py"),
    _failing_test("unit-oldest", "tests/unit/test_planted.py"),
    _failing_test("integration", "tests/integration/test_planted.py"),
    _failing_test("integration-next", "tests/integration/test_planted.py"),
    _failing_test("integration-oldest", "tests/integration/test_planted.py"),
    _failing_test("examples", "tests/examples/test_planted.py"),
    Fault(
        "lint-yaml", "meta/planted.yml", "---\na: 1\n", "---\na: 1\na: 2\n", "key-duplicates", "ONLY=meta/planted.yml"
    ),
    Fault(
        "lint-ansible",
        "playbooks/planted.yml",
        PLAY + "    - name: Say\n      ansible.builtin.debug:\n        msg: planted\n",
        PLAY + "    - name: Run\n      ansible.builtin.command: id\n",
        "no-changed-when",
        "ONLY=playbooks/planted.yml",
    ),
    Fault(
        "lint-changelog",
        "changelogs/fragments/planted.yml",
        "---\nbugfixes:\n  - Planted.\n",
        "---\nplanted:\n  - Planted.\n",
        "planted.yml",
    ),
    # The archive's members: a file of the shipped folders that the allow-list lacks.
    Fault("artefact", "docs/planted.txt", "", "Planted.\n", "docs/planted.txt", "ONLY=tests/artefact -k members"),
)


def main() -> int:
    """Try every fault and print what came of it; return 1 if a step slept."""
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(verdict, range(len(FAULTS)), FAULTS))
    for fault, problem in zip(FAULTS, verdicts, strict=True):
        print(f"{fault.target:<20} {problem or f'saw it: {fault.evidence}'}")
    asleep = sum(problem is not None for problem in verdicts)
    print(f"{len(FAULTS) - asleep} of {len(FAULTS)} planted faults seen")
    return 1 if asleep else 0


def verdict(number: int, fault: Fault) -> str | None:
    """Return None when the step passes the sound file and rejects the faulty one for its fault, else the problem."""
    parent = BUILD / "awake" / str(number)
    copy = _copy(parent)
    code, output = _run(copy, fault, fault.sound)
    if code:
        return f"RED WITHOUT A FAULT\n{output}"
    code, output = _run(copy, fault, fault.faulty)
    if code == 0:
        return f"ASLEEP: green with {fault.path}\n{output}"
    if fault.evidence not in output:
        return f"RED FOR ANOTHER REASON than {fault.evidence}\n{output}"
    shutil.rmtree(parent)
    return None


def _copy(parent: Path) -> Path:
    copy = copy_to(parent)
    link_collection(copy)
    for name in (".venv/newest", ".venv/oldest", ".cache/ansible-test"):
        link = copy / name
        link.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            link.symlink_to(ROOT / name)
    return copy


def _run(copy: Path, fault: Fault, text: str) -> tuple[int, str]:
    planted = copy / fault.path
    planted.parent.mkdir(parents=True, exist_ok=True)
    if text:
        planted.write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--no-print-directory", fault.target, *filter(None, [fault.narrowed])],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
