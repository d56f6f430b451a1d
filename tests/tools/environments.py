# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets a fresh machine up for the tests: ``python3 -m tests.tools.environments``.

It installs the Debian packages of the lab, builds a virtual environment for the newest and one for the oldest
supported ansible-core, and links the collection where Ansible looks for it. What is there already is left alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "git",
    "krb5-user",
    "ldap-utils",
    "ldb-tools",
    "samba",
    "samba-ad-dc",
    "samba-ad-provision",
    "samba-dsdb-modules",
    "winbind",
)
# Most files of the SDKs are never imported: what is, is compiled then.
INSTALL = ("install", "-qq", "--disable-pip-version-check", "--no-input", "--no-compile")
PROBE = "import ensurepip, sqlite3, ssl, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"


class SetupError(Exception):
    """The machine cannot be set up; the text says what to do."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its name, the Pythons it may have, the best first, and its requirement files."""

    name: str
    pythons: tuple[str, ...]
    requirements: tuple[str, ...]


# The adapter's tests run a second time with this release, which ordinary installations do not get.
NEXT_LDAP3 = ("ldap3-next", "ldap3==2.10.2rc4")
SHARED = ("requirements.txt", "tests/requirements.txt")
ENVIRONMENTS = (
    Environment("newest", ("3.14", "3.13", "3.12", "3.11"), (*SHARED, "tests/requirements-newest.txt")),
    # ansible-core 2.16 runs on 3.10 to 3.12.
    Environment("oldest", ("3.11", "3.12", "3.10"), (*SHARED, "tests/requirements-oldest.txt")),
)


def main() -> int:
    """Set everything up; return 1 with one sentence when that is impossible."""
    try:
        missing = missing_packages()
        link_collection()
        pythons = find_pythons() or install_python()
        if any(path.is_relative_to("/usr/bin") for path in pythons.values()):
            # The packages may bring another release of the system's Python with them.
            install_packages(missing)
            missing = []
        with ThreadPoolExecutor() as pool:
            packages = pool.submit(install_packages, missing)
            for line in pool.map(lambda environment: build(environment, pythons), ENVIRONMENTS):
                print(line)
            packages.result()
        print(build_folder(*NEXT_LDAP3))
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def missing_packages(packages: tuple[str, ...] = PACKAGES) -> list[str]:
    """Return the Debian packages that are missing.

    Raises:
        SetupError: some are, and this is not root or not Debian.
    """
    missing = [name for name in packages if not _is_installed(name)]
    if missing and (os.geteuid() != 0 or shutil.which("apt-get") is None):
        raise SetupError(f"Missing Debian packages. As root, run: {_installation(missing)}")
    return missing


def install_packages(missing: list[str]) -> None:
    """Install Debian packages.

    Raises:
        SetupError: apt failed.
    """
    if not missing:
        return
    print(f"installing {' '.join(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-q", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SetupError(f"{_installation(missing)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _installation(packages: list[str]) -> str:
    return f"apt-get install -y {' '.join(packages)}"


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"
    except FileNotFoundError as error:
        raise SetupError("The lab needs Debian or a system derived from it: dpkg-query is missing.") from error


def link_collection(root: Path = ROOT) -> None:
    """Link a checkout where Ansible and Python look for the collection, beside an empty configuration of Ansible.

    The configuration shuts out the machine's own.
    """
    link = root / ".build/ansible_collections/hybrid_identity/gpad"
    link.parent.mkdir(parents=True, exist_ok=True)
    (root / ".build/ansible.cfg").touch()
    target = os.path.relpath(root, link.parent)
    if link.is_symlink() and str(link.readlink()) == target:
        return
    fresh = link.with_name(f"gpad.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(link)


def find_pythons() -> dict[str, Path]:
    """Return version to path for every usable Python: one with ssl, sqlite3, venv and ensurepip."""
    found: dict[str, Path] = {}
    for candidate in _candidates():
        probe = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            version, path = probe.stdout.strip().split(" ", 1)
            found.setdefault(version, Path(path))
    return found


def _candidates() -> Iterator[Path]:
    names = {f"python{version}" for environment in ENVIRONMENTS for version in environment.pythons}
    homes = sorted((Path.home() / ".pyenv/versions").glob("*/bin"), reverse=True)
    for folder in (*map(Path, os.get_exec_path()), *homes):
        for name in sorted(names):
            if os.access(folder / name, os.X_OK):
                yield folder / name


def install_python() -> dict[str, Path]:
    """Install the distribution's Python and return what is there then."""
    install_packages(missing_packages(("python3-venv",)))
    return find_pythons()


def build(environment: Environment, pythons: dict[str, Path]) -> str:
    """Build one virtual environment unless it is up to date; return one line on it.

    Raises:
        SetupError: no Python fits, or pip failed.
    """
    version = next((each for each in environment.pythons if each in pythons), None)
    if version is None:
        wanted = ", ".join(environment.pythons)
        raise SetupError(f"The environment {environment.name} needs Python {wanted} with ssl, sqlite3 and venv.")
    folder = ROOT / ".venv" / environment.name
    stamp = folder / "stamp"
    digest = _digest(environment, pythons[version])
    if not (stamp.is_file() and stamp.read_text() == digest):
        _run([str(pythons[version]), "-m", "venv", "--clear", str(folder)])
        files = [argument for name in environment.requirements for argument in ("-r", str(ROOT / name))]
        _run([str(folder / "bin/pip"), *INSTALL, *files])
        stamp.write_text(digest)
    core = _run([str(folder / "bin/ansible"), "--version"]).splitlines()[0]
    return f"{environment.name}: Python {version}, {core}"


def build_folder(name: str, requirement: str) -> str:
    """Install one package and what it needs into a folder that may stand first on the path; return one line on it.

    Raises:
        SetupError: pip failed.
    """
    folder = ROOT / ".venv" / name
    stamp = folder / "stamp"
    if not (stamp.is_file() and stamp.read_text() == requirement):
        shutil.rmtree(folder, ignore_errors=True)
        _run([str(ROOT / ".venv/newest/bin/pip"), *INSTALL, "--target", str(folder), requirement])
        stamp.write_text(requirement)
    return f"{name}: {requirement}"


def _digest(environment: Environment, python: Path) -> str:
    texts = [(ROOT / name).read_text() for name in environment.requirements]
    return hashlib.sha256("\0".join([str(ROOT), str(python), *texts]).encode()).hexdigest()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
