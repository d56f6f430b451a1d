# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module costs before it does anything: a call that its runner refuses.

It is started as the action plugin starts it on the controller, the first time, when the collection is compiled, and
then; and as a host runs it, to which Ansible sends a file that holds all it needs: that very file is run here, so that
the time to unpack and to compile it is in the figure. To pack it takes Ansible some time more, which is in none. The
libraries are compiled, as pip leaves them.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import ansible

from tests.bench import measure
from tests.bench.figures import SECONDS, Figure, Record
from tests.bench.site import Scale, bench_folder
from tests.tools.checkout import BUILD

GOAL = 0.6
CALLS: Mapping[Scale, int] = {"small": 1, "full": 7}
_TOP = 10
_NAMESPACE = "hybrid_identity.gpad"
_START = BUILD / "ansible_collections" / "hybrid_identity" / "gpad" / "plugins" / "plugin_utils" / "start.py"
_EMPTY = "from ansible.module_utils.basic import AnsibleModule\nAnsibleModule({}).exit_json()\n"
_ANSIBLE = str(Path(ansible.__file__).parents[1])
_LIBRARIES = (
    "ansible",
    "certifi",
    "charset_normalizer",
    "cryptography",
    "idna",
    "jwt",
    "ldap3",
    "msal",
    "pyasn1",
    "regex",
    "requests",
    "urllib3",
)
# What would keep bytecode elsewhere, or nowhere.
_BYTECODE = ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
_NOWHERE = "/nonexistent/file"
_DIRECTORY = {"domain_server": "dc1.invalid", "domain_username": "svc", "domain_password": "never sent"}
_TENANT = {"tenant_id": "none", "client_id": "none", "client_secret": "never sent"}
_CONTAINERS = {"managed_containers": ["nowhere"]}


@dataclass(frozen=True, slots=True)
class Call:
    """How a module is started.

    Parameters:
        arguments: of Python.
        feed: what it reads from standard input.
    """

    arguments: tuple[str, ...]
    feed: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call of a module that ends after the imports.

    Parameters:
        options: its options.
        message: how the sentence begins with which it is refused.
    """

    options: Mapping[str, object]
    message: str


_NO_TENANT = "tenant_id: 'none' is not a tenant id."
_NO_CONTAINER = "managed_containers: 'nowhere'"
REFUSALS: Mapping[str, Refusal] = {
    "gpad_scope": Refusal({**_TENANT, "snapshot": _NOWHERE}, _NO_TENANT),
    "gpad_soa": Refusal({**_TENANT, "groups": ["Sales"]}, _NO_TENANT),
    "gpad_plan": Refusal(
        {
            **_DIRECTORY,
            **_CONTAINERS,
            "target_container": "nowhere",
            "snapshot": _NOWHERE,
            "journal": _NOWHERE,
            "plan": _NOWHERE,
        },
        _NO_CONTAINER,
    ),
    "gpad_group": Refusal({**_DIRECTORY, **_CONTAINERS, "plan": _NOWHERE, "journal": _NOWHERE}, "The plan"),
    "gpad_membership": Refusal({**_DIRECTORY, **_CONTAINERS, "plan": _NOWHERE, "journal": _NOWHERE}, "The plan"),
    "gpad_info": Refusal({**_DIRECTORY, **_CONTAINERS, "gather": ["preflight"]}, _NO_CONTAINER),
    "gpad_journal": Refusal({"journal": _NOWHERE}, "The journal"),
    "gpad_delegate": Refusal({**_DIRECTORY, **_CONTAINERS, "account": "svc"}, _NO_CONTAINER),
}


def run(record: Record, scale: Scale) -> None:
    """Measure each module, and what it imports."""
    folder = bench_folder("startup")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "library").mkdir(parents=True)
    (folder / "library" / "empty.py").write_text(_EMPTY, encoding="utf-8")
    times = CALLS[scale]
    measure.run([sys.executable, "-m", "compileall", "-q", *_library_folders()], environment=_as_installed()).done()
    empty = _measured(Call((str(folder / "library" / "empty.py"),), _given({})), times)
    empty_packed = _measured(Call((str(_packed(folder, "empty", {})),)), times)
    record.add(Figure("an empty module, packed", _seconds(empty_packed)))
    for name, refusal in REFUSALS.items():
        home = folder / "homes" / name
        home.mkdir(parents=True)
        call = Call((str(_START), name, _ANSIBLE, str(home)), _given(refusal.options))
        (first,) = _measured(call, 1)
        calls = _measured(call, times)
        packed = _packed(folder, f"{_NAMESPACE}.{name}", refusal.options)
        packed_calls = _measured(Call((str(packed),)), times)
        for one in (calls[0], packed_calls[0]):
            told = json.loads(one.output.splitlines()[-1])
            assert told["failed"] and told["msg"].startswith(refusal.message), told["msg"]
        assert any(path.is_file() for path in home.rglob("*")), "nothing was kept of what was compiled"
        counts = {
            "cpu s": median(one.cpu for one in calls),
            "peak MiB": max(one.peak for one in calls),
            "first s": first.seconds,
            "packed s": _seconds(packed_calls),
            "packed KiB": packed.stat().st_size / 1024,
        }
        record.add(Figure(name, _seconds(calls), "an empty module", _seconds(empty), GOAL, counts, SECONDS))
        record.add(Figure(f"{name}: its imports", counts=_imports(call)))


def _packed(folder: Path, module: str, options: Mapping[str, object]) -> Path:
    """Return the file that Ansible sends to a host for a call."""
    remote = folder / "remote" / module
    environment = {
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
        "ANSIBLE_LIBRARY": str(folder / "library"),
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_PIPELINING": "0",
        "ANSIBLE_REMOTE_TEMP": str(remote),
    }
    ansible = str(Path(sys.executable).with_name("ansible"))
    host = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "localhost"]
    given = ["-a", json.dumps(options)] if options else []
    measure.run([ansible, *host, "-m", module, *given], environment=environment, folder=folder)
    (found,) = remote.glob("*/AnsiballZ_*.py")
    return found


def _given(options: Mapping[str, object]) -> str:
    return json.dumps({"ANSIBLE_MODULE_ARGS": options})


def _library_folders() -> list[str]:
    return [str(Path(_ANSIBLE, name)) for name in _LIBRARIES]


def _as_installed() -> dict[str, str]:
    return dict.fromkeys(_BYTECODE, "")


def _measured(call: Call, times: int) -> list[measure.Run]:
    command = [sys.executable, *call.arguments]
    return [measure.run(command, feed=call.feed, environment=_as_installed()) for _time in range(times)]


def _seconds(calls: Sequence[measure.Run]) -> float:
    return median(call.seconds for call in calls)


_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", re.MULTILINE)


def _imports(call: Call) -> dict[str, float]:
    """Return the packages whose imports take longest, and the milliseconds of their own code."""
    command = [sys.executable, "-X", "importtime", *call.arguments]
    done = measure.run(command, feed=call.feed, environment=_as_installed())
    spent: Counter[str] = Counter()
    for microseconds, name in _IMPORT.findall(done.errors):
        spent[_package(name)] += int(microseconds)
    return {f"{name} ms": round(taken / 1000) for name, taken in spent.most_common(_TOP)}


def _package(name: str) -> str:
    if name.startswith(f"ansible_collections.{_NAMESPACE}."):
        return f"our {name.split('.')[5]}" if name.count(".") > 4 else "our modules"
    return name.partition(".")[0]
