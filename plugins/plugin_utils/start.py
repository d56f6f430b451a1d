# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Started as a program by in_place.py: runs one module of the collection, whose arguments come on standard input."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType


def run_module(name: str) -> None:
    """Run a module of the collection that this file is in; the process ends with it.

    Parameters:
        name: the module, without namespace and collection.
    """
    root = Path(__file__).parents[4]
    # Else an installed package of this name, as that of community collections, would hide the collection.
    package = ModuleType(root.name)
    package.__path__ = [str(root)]
    sys.modules[root.name] = package
    collection = ".".join(Path(__file__).parts[len(root.parts) - 1 : -2])
    importlib.import_module(f"{collection}.modules.{name}").main()


def take_ansible(folder: str) -> None:
    """Import the Ansible that starts this, whatever other one would be found, and nothing else from there.

    Parameters:
        folder: what its package is in.
    """
    sys.path.insert(0, folder)
    importlib.import_module("ansible")
    sys.path.remove(folder)


if __name__ == "__main__":
    # Bytecode beside the sources would be found by `ansible-galaxy collection verify`.
    sys.dont_write_bytecode = sys.pycache_prefix is None
    # Neither the folder of this file, which Python may have put first, nor where the task happens to run.
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if path not in ("", ".") and Path(path).resolve() != here]
    take_ansible(sys.argv.pop())
    # With no other argument, Ansible reads those of the module from standard input.
    run_module(sys.argv.pop())
