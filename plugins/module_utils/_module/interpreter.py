# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one check that runs on any Python, however old: whether this one can run the collection."""

import json
import sys

MINIMUM = (3, 10)


def interpreter_problem(version, has_sqlite):
    """Return one sentence on what the interpreter lacks, or None."""
    found = "%d.%d" % tuple(version[:2])
    if tuple(version[:2]) < MINIMUM:
        return "hybrid_identity.gpad needs Python %d.%d or later, ansible_python_interpreter is %s (Python %s)." % (
            MINIMUM + (sys.executable, found)
        )
    if not has_sqlite:
        return "The Python at %s was built without sqlite3; choose another with ansible_python_interpreter." % (
            sys.executable
        )
    return None


def require_interpreter():
    """End the module with one sentence when the interpreter cannot run it."""
    try:
        import sqlite3

        has_sqlite = bool(sqlite3.sqlite_version)
    except ImportError:
        has_sqlite = False
    problem = interpreter_problem(sys.version_info, has_sqlite)
    if problem:
        sys.stdout.write(
            json.dumps({"failed": True, "changed": False, "fatal": True, "outcome": "fatal", "msg": problem})
        )
        sys.stdout.write("\n")
        raise SystemExit(1)
