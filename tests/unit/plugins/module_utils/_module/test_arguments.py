# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option tables are what the documentation says, to the last default."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import env_fallback

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    applying,
    capturing,
    inspecting,
    keeping,
    planning,
)

_ROOT = "ansible_collections.hybrid_identity.gpad.plugins"
MODULES: dict[str, tuple[Any, Callable[[], None]]] = {
    "gpad_scope": (capturing, capturing.run),
    "gpad_plan": (planning, planning.run),
    "gpad_group": (applying, applying.run_groups),
    "gpad_membership": (applying, applying.run_members),
    "gpad_info": (inspecting, inspecting.run),
    "gpad_journal": (keeping, keeping.run),
}
_COMPARED = ("type", "elements", "choices", "required")


def documentation(module: str) -> dict[str, Any]:
    """Return a module's documentation with its fragments taken in, as ansible-doc does."""
    found: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{_ROOT}.modules.{module}").DOCUMENTATION)
    options: dict[str, Any] = {}
    for name in found["extends_documentation_fragment"]:
        fragment, _unused, part = name.removeprefix("hybrid_identity.gpad.").partition(".")
        text = getattr(
            importlib.import_module(f"{_ROOT}.doc_fragments.{fragment}").ModuleDocFragment,
            (part or "documentation").upper(),
        )
        options.update(yaml.safe_load(text).get("options") or {})
    for name, own in (found.get("options") or {}).items():
        options[name] = {**options.get(name, {}), **own}
    return {**found, "options": options}


def spec_of(patch: pytest.MonkeyPatch, module: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the argument spec and the constraints that a module runs with."""
    caught: dict[str, Any] = {}

    def catch(spec: dict[str, Any], _body: object, _libraries: object, **constraints: Any) -> None:
        caught.update(spec=spec, constraints=constraints)

    where, runner = MODULES[module]
    patch.setattr(where, "run_module", catch)
    runner()
    return caught["spec"], caught["constraints"]


def plain(options: dict[str, Any], inner: str) -> dict[str, Any]:
    """Return what can be compared of an option table or of documented options."""
    result: dict[str, Any] = {}
    for name, option in options.items():
        told = {key: option.get(key) for key in _COMPARED}
        told["type"] = told["type"] or "str"
        told["required"] = bool(told["required"])
        told["default"] = option.get("default")
        told["inner"] = plain(option.get(inner) or {}, inner)
        result[name] = told
    return result


@pytest.mark.parametrize("module", MODULES)
def test_the_option_table_is_the_documented_one(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    spec, _unused = spec_of(monkeypatch, module)
    documented = plain(documentation(module)["options"], "suboptions")
    assert json.loads(json.dumps(plain(spec, "options"))) == json.loads(json.dumps(documented))


@pytest.mark.parametrize("module", MODULES)
def test_every_option_is_described(module: str) -> None:
    def undescribed(options: dict[str, Any]) -> list[str]:
        found = [name for name, option in options.items() if not option.get("description")]
        return found + [name for option in options.values() for name in undescribed(option.get("suboptions") or {})]

    assert undescribed(documentation(module)["options"]) == []


@pytest.mark.parametrize("module", MODULES)
def test_secrets_are_never_logged(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    spec, _unused = spec_of(monkeypatch, module)
    secret = {name for name in spec if "password" in name or "secret" in name or name.endswith("_key")}
    assert bool(secret) is (module != "gpad_journal")
    assert {name for name, option in spec.items() if option.get("no_log")} == secret


@pytest.mark.parametrize("module", MODULES)
def test_environment_variables_are_documented(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    spec, _unused = spec_of(monkeypatch, module)
    documented = documentation(module)["options"]
    for name, option in spec.items():
        if "fallback" in option:
            fallback, variables = option["fallback"]
            assert fallback is env_fallback
            assert all(f"E({variable})" in str(documented[name]["description"]) for variable in variables)


@pytest.mark.parametrize("module", MODULES)
def test_constraints_name_options_that_exist(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    spec, constraints = spec_of(monkeypatch, module)
    named: set[str] = set()
    for kind, entries in constraints.items():
        if kind == "required_by":
            named |= {name for key, needed in entries.items() for name in (key, *needed)}
        elif kind == "required_if":
            named |= {name for key, _value, needed, *_unused in entries for name in (key, *needed)}
        else:
            named |= {name for group in entries for name in group}
    assert named <= spec.keys()


@pytest.mark.parametrize("module", MODULES)
def test_the_documented_action_groups_are_those_of_the_runtime(module: str) -> None:
    side = {"gpad_scope": "entra", "gpad_journal": "gpad"}.get(module, "directory")
    assert f"hybrid_identity.gpad._attributes.{side}" in documentation(module)["extends_documentation_fragment"]
