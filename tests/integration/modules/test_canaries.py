# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that is handed to a module is found nowhere afterwards: no output, no log, no file, no list of processes.

The secrets are those that the argument specs call `no_log`, so that a new one is tried as well, and what the files hold
that options of a credential name.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import result
from tests.integration.modules.processes import Anew
from tests.integration.modules.target import ROOT, Target
from tests.lab.scenario import object_id

MODULES = tuple(sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("gpad_*.py")))
_CREDENTIAL_FILES = ("client_certificate_path", "federated_token_file")
_SHORTEST = 12


class _SpecError(Exception):
    """Carries an argument spec out of a module."""

    def __init__(self, argument_spec: Mapping[str, Any], **_more: Any) -> None:
        super().__init__()
        self.spec = argument_spec


def spec_of(module: str) -> Mapping[str, Any]:
    """Return the argument spec that a module gives to Ansible."""

    def taken(**arguments: Any) -> None:
        raise _SpecError(**arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(result, "AnsibleModule", taken)
        try:
            importlib.import_module(f"ansible_collections.hybrid_identity.gpad.plugins.modules.{module}").main()
        except _SpecError as found:
            return found.spec
    raise AssertionError(f"{module} asks for no arguments")


def secret_options(spec: Mapping[str, Any]) -> set[str]:
    """Return the names of the options that must not be shown, those inside others with them."""
    inside = (secret_options(option.get("options", {})) for option in spec.values())
    return {name for name, option in spec.items() if option.get("no_log") is True}.union(*inside)


SECRETS = {module: secret_options(spec_of(module)) for module in MODULES}


def canary() -> str:
    """Return a word that is found nowhere else, with what is escaped somewhere."""
    return f"k{uuid.uuid4().hex} \"é%'"


def forms(secret: str) -> set[bytes]:
    """Return the forms in which a secret could be written down."""
    core = secret.split(" ", maxsplit=1)[0]
    found = {core.encode(), quote(core, safe="").encode(), json.dumps(core)[1:-1].encode()}
    for shift in range(3):  # base64 has three ways of cutting
        whole = base64.b64encode(b"x" * shift + secret.encode())
        found.add(whole[4 * (shift > 0) : -4][:-4] or whole)
    return {form for form in found if len(form) >= _SHORTEST}


def leaks(secrets: Sequence[str], places: Mapping[str, bytes]) -> list[str]:
    """Return the places that hold a secret."""
    wanted = {form for secret in secrets for form in forms(secret)}
    return sorted(name for name, content in places.items() if any(form in content for form in wanted))


def files_below(folder: Path, *but: Path) -> dict[str, bytes]:
    """Return all files with their content, and their names."""
    found = [path for path in folder.rglob("*") if path not in but]
    names = {"the names of files": "\n".join(map(str, found)).encode()}
    return names | {str(path): path.read_bytes() for path in found if path.is_file()}


class Watch:
    """Looks at the command lines of all processes for as long as it is held."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(path.read_bytes())

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def places(self) -> dict[str, bytes]:
        """What it saw."""
        return {"the list of processes": b"\n".join(self.seen)}


@pytest.fixture
def base(target: Target) -> dict[str, Any]:
    """Options that work, for every module, and a key where one may be given."""
    more = {
        "snapshot": str(target.snapshot),
        "plan": str(target.plan_path),
        "journal": str(target.journal),
        "report_path": str(target.state / "report.json"),
        "log_path": str(target.state / "log.jsonl"),
        "snapshot_key": f"k{uuid.uuid4().hex}{uuid.uuid4().hex}",
    }
    return {**target._vars, **more}


def arguments_of(module: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a module has."""
    names = spec_of(module).keys() - ({"snapshot"} if module in ("gpad_group", "gpad_membership") else set())
    return {name: value for name, value in base.items() if name in names}


def call(
    module: str, arguments: Mapping[str, Any], flags: Mapping[str, bool], environment: Mapping[str, str] | None = None
) -> bytes:
    """Run a module as a process; return all that it printed."""
    given = {**arguments, **{f"_ansible_{name}": value for name, value in flags.items()}}
    ended = Anew(**(environment or {})).run(module, given)
    assert ended.output, ended.complaint
    assert "MODULE FAILURE" not in ended.output
    return (ended.output + ended.complaint).encode()


def real_secrets(base: Mapping[str, Any]) -> list[str]:
    """Return the secrets among the options."""
    return [str(base[name]) for name in set[str]().union(*SECRETS.values()) if base.get(name)]


def test_the_secrets_are_known() -> None:
    assert {"client_secret", "domain_password"} <= set[str]().union(*SECRETS.values())
    assert all(SECRETS[module] for module in MODULES if "domain_server" in spec_of(module))


@pytest.mark.parametrize("how", [str, json.dumps, quote, lambda secret: base64.b64encode(secret.encode()).decode()])
def test_a_planted_secret_is_found(tmp_path: Path, how: Any) -> None:
    """The probe: what is looked for below would be seen."""
    secret = canary()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "log").write_text(f"some text {how(secret)} and more", encoding="utf-8")
    assert leaks([secret], files_below(tmp_path)) == [str(tmp_path / "state" / "log")]
    (tmp_path / "state" / "log").write_text("nothing", encoding="utf-8")
    assert leaks([secret], files_below(tmp_path)) == []
    (tmp_path / secret.split(" ", maxsplit=1)[0]).touch()
    assert leaks([secret], files_below(tmp_path)) == ["the names of files"]


def test_a_secret_in_the_list_of_processes_is_found() -> None:
    secret = canary()
    with Watch() as watch:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", secret], check=True)
    assert leaks([secret], watch.places) == ["the list of processes"]


@pytest.mark.parametrize("flags", [{}, {"check_mode": True, "diff": True}], ids=["applied", "checked"])
def test_success_leaves_no_secret(target: Target, base: dict[str, Any], flags: dict[str, bool]) -> None:
    cloud_id = target.admin.create_group("Canaries")
    base |= {
        "scope_mode": "selected",
        "selected_groups": [cloud_id],
        "gather": ["groups", "runs", "drift", "preflight"],
    }
    target.provision(cloud_id)
    secrets = real_secrets(base)
    assert len(secrets) >= 2
    with Watch() as watch:
        printed = {module: call(module, arguments_of(module, base), flags) for module in _ORDER}
    for module, output in printed.items():
        assert json.loads(output.splitlines()[-1])["outcome"] == "ok", (module, output[-1500:])
    assert leaks(secrets, printed | files_below(target.state) | watch.places) == []


_ORDER = ("gpad_scope", "gpad_plan", "gpad_group", "gpad_membership", "gpad_info", "gpad_journal")

_BROKEN: Mapping[str, dict[str, Any]] = {
    "wrong secrets": {},
    "unreachable": {"domain_port": 9, "login_url": "https://127.0.0.1:9", "graph_url": "https://127.0.0.1:9"},
    "an untrusted server": {"domain_ca_cert": None, "ca_cert": None},
    "a bad option beside it": {"managed_containers": ["no dn"], "tenant_id": "none", "cloud": "mars"},
    "an unknown option beside it": {"unknown": 1},
    "a bad type beside it": {"max_results": "many"},
}


@pytest.mark.parametrize("case", _BROKEN)
def test_failure_leaves_no_secret(target: Target, base: dict[str, Any], case: str) -> None:
    # Alternately, since each costs a process for each module; the play below runs all in both ways.
    flags = dict.fromkeys(("check_mode", "diff"), list(_BROKEN).index(case) % 2 == 0)
    planted = {name: canary() for name in set[str]().union(*SECRETS.values())}
    broken = {name: value for name, value in {**base, **planted, **_BROKEN[case]}.items() if value is not None}
    broken["gather"] = ["preflight"]
    with Watch() as watch:
        printed = {}
        for module in MODULES:
            own = {
                name: value
                for name, value in broken.items()
                if name in arguments_of(module, broken) or name == "unknown"
            }
            printed[module] = call(module, own, flags)
    assert any(b'"failed": true' in output for output in printed.values())
    assert leaks(list(planted.values()), printed | files_below(target.state) | watch.places) == []


@pytest.mark.parametrize("module", ["gpad_plan", "gpad_group", "gpad_membership", "gpad_info"])
def test_a_password_that_the_controller_refuses_is_not_shown(target: Target, module: str) -> None:
    cloud_id = target.admin.create_group("Refused", description="old")
    target.provision(cloud_id)
    target.admin.patch_group(cloud_id, description="new")
    target.admin.add_member(cloud_id, object_id("Britta Simon"))
    target.snapshot_of(cloud_id)
    target.plan()
    secret = canary()
    calls: dict[str, Callable[..., dict[str, Any]]] = {
        "gpad_plan": target.plan,
        "gpad_group": target.group,
        "gpad_membership": target.membership,
        "gpad_info": lambda **options: target.info("groups", **options),
    }
    with Watch() as watch:
        result = calls[module](domain_password=secret)
    assert [error["code"] for error in result["errors"]] == ["directory_log_on_refused"], "it was never sent"
    places = {"result": json.dumps(result, ensure_ascii=False).encode()}
    assert leaks([secret], places | files_below(target.state) | watch.places) == []


@pytest.mark.parametrize("option", _CREDENTIAL_FILES)
@pytest.mark.parametrize(
    "frame", ["{}", "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n{}\n"]
)
def test_the_contents_of_a_credential_file_are_not_shown(
    target: Target, base: dict[str, Any], option: str, frame: str
) -> None:
    secret = canary()
    path = target.state / "credential"
    path.write_text(frame.replace("{}", secret), encoding="utf-8")
    given = {name: value for name, value in base.items() if name != "client_secret"} | {option: str(path)}
    with Watch() as watch:
        output = call("gpad_scope", arguments_of("gpad_scope", given), {"diff": True})
    assert b'"failed": true' in output
    assert leaks([secret], {"output": output} | files_below(target.state, path) | watch.places) == []


def test_a_proxy_that_refuses_is_told_without_its_password(target: Target, base: dict[str, Any]) -> None:
    secret = f"k{uuid.uuid4().hex}"
    environment = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), f"http://user:{secret}@127.0.0.1:9")
    environment |= {"no_proxy": "", "NO_PROXY": ""}
    output = call("gpad_scope", arguments_of("gpad_scope", base), {}, environment)
    assert b'"failed": true' in output
    assert leaks([secret, *real_secrets(base)], {"output": output} | files_below(target.state)) == []


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_ansible_shows_no_secret_however_talkative(
    target: Target, base: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    """All modules in one play with -vvvv, a log, check and diff mode; with the right secrets and with wrong ones."""
    home = tmp_path_factory.mktemp("home")
    cloud_id = target.admin.create_group("Canaries of a play")
    base |= {"scope_mode": "selected", "selected_groups": [cloud_id], "gather": ["groups", "runs"]}
    target.provision(cloud_id)
    planted = {name: canary() for name in set[str]().union(*SECRETS.values())} if kind == "wrong" else {}
    variables = {**base, **planted}
    tasks = [
        {f"hybrid_identity.gpad.{module}": {n: f"{{{{ canary_{n} }}}}" for n in arguments_of(module, variables)},
         "ignore_errors": True, "check_mode": checked, "diff": True}
        for checked in (True, False) for module in _ORDER
    ]  # fmt: skip
    book, values, log = home / "play.yml", home / "values.yml", home / "ansible.log"
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars_files": [str(values)],
            "tasks": tasks,
        }
    ]
    book.write_text(yaml.safe_dump(play), encoding="utf-8")
    values.write_text(yaml.safe_dump({f"canary_{n}": v for n, v in variables.items()}), encoding="utf-8")
    with Watch() as watch:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                "-vvvv",
                "-i",
                "localhost,",
                "-e",
                f"ansible_python_interpreter={sys.executable}",
                str(book),
            ],
            cwd=home,
            env={
                **os.environ,
                "ANSIBLE_HOME": str(home),
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"),
                "ANSIBLE_LOCAL_TEMP": str(home / "local"),
                "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
                "ANSIBLE_LOG_PATH": str(log),
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            check=False,
            timeout=300,
        )
    assert done.stdout.count(b"TASK [") == len(tasks), done.stdout[-500:]
    assert (b"...ignoring" in done.stdout) is (kind == "wrong"), done.stdout[-3000:]
    assert b"TASK [" in log.read_bytes()
    places = {"output": done.stdout + done.stderr} | files_below(home, values) | files_below(target.state)
    assert leaks(list(planted.values()) or real_secrets(base), places | watch.places) == []
