# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook, but what it packs of modules is kept for the next run: ``ansible_playbook.py FOLDER ARGUMENT …``.

For each run Ansible packs a module with all that it imports, which takes longer than most of our modules run. The packs
lie in a folder of the run; here that leads to one that stays, for as long as the sources of the collection and the
version of Ansible are the same.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from ansible import constants
from ansible.cli.playbook import main
from ansible.release import __version__

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
# Where Ansible looks, below the folder of the run.
PACKS = "ansiballz_cache"


def digest() -> str:
    """Return what tells one state of the sources from another."""
    state = hashlib.sha256(f"{__version__} {sys.version}".encode())
    for path in sorted(PLUGINS.rglob("*.py")):
        state.update(f"\0{path.relative_to(PLUGINS)}\0".encode() + path.read_bytes())
    return state.hexdigest()[:16]


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1)) / digest()
    folder.mkdir(parents=True, exist_ok=True)
    Path(constants.DEFAULT_LOCAL_TMP, PACKS).symlink_to(folder)
    sys.argv[0] = "ansible-playbook"
    main()
