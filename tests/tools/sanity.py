# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test sanity`` on a copy: ``python -m tests.tools.sanity ENVIRONMENT [argument …]``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.tools.checkout import BUILD, ROOT, copy_to

CACHE = ROOT / ".cache/ansible-test"
# Stands in for the bootstrap script that ansible-test downloads: same options, same pip, from the configured index.
BOOTSTRAP = '''\
"""Installs the packages named on the command line, by the pip that comes with Python."""
import ensurepip
import glob
import os
import subprocess
import sys

arguments = [each for each in sys.argv[1:] if each not in ("--no-setuptools", "--no-wheel")]
wheels = glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))
if not wheels:
    # In a process of its own: ensurepip turns pip's configuration off in the process that calls it.
    subprocess.check_call([sys.executable, "-m", "ensurepip"])
pip = [os.path.join(wheels[0], "pip")] if wheels else ["-m", "pip"]
sys.exit(subprocess.call([sys.executable] + pip + ["install", "--upgrade"] + arguments))
'''


class SanityError(Exception):
    """ansible-test did not do what it was asked."""


def main() -> int:
    """Run the sanity tests on a copy; return ansible-test's exit code, or 1 when nothing was tested."""
    environment, *arguments = sys.argv[1:]
    try:
        return run(environment, copy_to(BUILD / f"sanity-{environment}"), arguments)
    except SanityError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run(environment: str, collection: Path, arguments: list[str]) -> int:
    """Run the sanity tests on a copy of the collection and return the exit code.

    Raises:
        SanityError: ansible-test has another way to bootstrap than we know, or tested nothing.
    """
    binaries = ROOT / ".venv" / environment / "bin"
    home = prepare_home(environment)
    version = _output([str(binaries / "python"), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    command = [str(binaries / "ansible-test"), "sanity", "--local", "--color", "no", "--python", version, *arguments]
    path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        command,
        cwd=collection,
        env={**os.environ, "HOME": str(home), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    tested = _relay(process)
    code = process.wait()
    if code == 0 and not tested:
        raise SanityError("ansible-test tested nothing.")
    return code


def _relay(process: subprocess.Popen[str]) -> bool:
    started = skipped = False
    for line in process.stdout or ():
        print(line, end="", flush=True)
        started |= line.startswith("Running sanity test")
        skipped |= "All targets skipped" in line
    return started and not skipped


def prepare_home(environment: str) -> Path:
    """Return a home directory for ansible-test, with its bootstrap script in place and the user's pip settings.

    ansible-test keeps its environments and downloads in the home directory. One of our own keeps them in the checkout,
    and out of the way of the user's. The bootstrap script is always ours, so that a machine without internet tests in
    the same way as one with it.
    """
    home = CACHE / environment
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / bootstrap_name(environment)).write_text(BOOTSTRAP)
    for name in (".config/pip", ".pip", ".cache/pip"):
        link, target = home / name, Path.home() / name
        if target.is_dir() and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
    return home


def bootstrap_name(environment: str) -> str:
    """Return the name under which the installed ansible-test looks for its bootstrap script.

    Raises:
        SanityError: its source has changed.
    """
    package = next((ROOT / ".venv" / environment).glob("lib/python3*/site-packages/ansible_test"))
    source = (package / "_internal/python_requirements.py").read_text()
    pip = re.search(r"default_packages = dict\(\s*pip='([0-9.]+)'", source)
    setup = (package / "_util/target/setup/requirements.py").read_text()
    if pip is None or "cache/get_pip_%s.py" not in setup:
        raise SanityError(f"The ansible-test of {environment} bootstraps pip in a way that is not known here.")
    return f"get_pip_{pip[1].replace('.', '_')}.py"


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
