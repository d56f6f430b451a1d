# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection: it holds what it should and works where it was installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.tools.checkout import ROOT, project_files

BINARIES = Path(sys.executable).parent
SHIPPED_FOLDERS = ("meta/", "plugins/", "roles/", "playbooks/", "docs/", "changelogs/")
SHIPPED_FILES = ("README.md", "SECURITY.md", "LICENSE", "requirements.txt")
# Kept by git for its place only, or by the builder for its own book-keeping.
NOT_SHIPPED = frozenset({"changelogs/.gitignore"})
GENERATED = frozenset({"MANIFEST.json", "FILES.json"})
ROLES = sorted(path.parent.parent.name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))


def run(command: list[str], home: Path) -> str:
    """Run a command of Ansible offline, in an empty home, outside of the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    environment |= {
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
    }
    program = [sys.executable, str(BINARIES / command[0]), *command[1:]]
    done = subprocess.run(program, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the collection from this checkout."""
    home = tmp_path_factory.mktemp("build")
    run(["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(home / "out")], home)
    (built,) = (home / "out").glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def home(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the collection into an empty home, from the file alone."""
    home = tmp_path_factory.mktemp("home")
    target = str(home / "collections")
    run(["ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", target, str(archive)], home)
    return home


def test_members_are_what_git_knows(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        members = {member.name for member in tar.getmembers() if member.isfile()}
    wanted = {name for name in project_files() if name.startswith(SHIPPED_FOLDERS) or name in SHIPPED_FILES}
    assert members - GENERATED == wanted - NOT_SHIPPED
    assert {*SHIPPED_FILES, *GENERATED} <= members


def test_it_installs_as_what_it_says(home: Path) -> None:
    listing = json.loads(run(["ansible-galaxy", "collection", "list", "--format", "json"], home))
    assert listing[str(home / "collections/ansible_collections")] == {"hybrid_identity.gpad": {"version": "0.1.0"}}


@pytest.fixture(scope="session")
def documented(home: Path) -> dict[str, Any]:
    """Return what ansible-doc reads of the installed modules."""
    names = [f"hybrid_identity.gpad.{name}" for name in MODULES]
    read: dict[str, Any] = json.loads(run(["ansible-doc", "--json", *names], home))
    return read


@pytest.fixture(scope="session")
def documented_roles(home: Path) -> dict[str, Any]:
    """Return what ansible-doc reads of the installed roles."""
    names = [f"hybrid_identity.gpad.{name}" for name in ROLES]
    read: dict[str, Any] = json.loads(run(["ansible-doc", "--json", "--type", "role", *names], home))
    return read


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_of_a_module_reads(home: Path, documented: dict[str, Any], name: str) -> None:
    entry = documented[f"hybrid_identity.gpad.{name}"]
    installed = home / "collections/ansible_collections/hybrid_identity/gpad/plugins/modules" / f"{name}.py"
    assert entry["doc"]["filename"] == str(installed)
    assert entry["doc"]["options"]
    assert entry["examples"].strip()
    assert entry["return"]


@pytest.mark.parametrize("name", ROLES)
def test_the_documentation_of_a_role_reads(documented_roles: dict[str, Any], name: str) -> None:
    assert documented_roles[f"hybrid_identity.gpad.{name}"]["entry_points"]["main"]["options"]
