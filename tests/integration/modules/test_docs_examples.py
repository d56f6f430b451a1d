# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every YAML example of docs/mapping.md and docs/scope.md does what the comment before it says.

The comment is YAML of its own: the groups of the tenant by displayName, what becomes of each (`expect`), and the codes
that the results hold (`codes`). `then` is a list of further runs: what changes in the cloud before (`change`), the
variables beside those of the example (`with`), and again what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import MAPPINGS, SCOPE, SETTINGS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from tests.integration.modules.target import ROOT, Target

_EXAMPLE = re.compile(r"<!-- example\n(?P<comment>.*?)-->\n+```yaml\n(?P<text>.*?)```", re.DOTALL)
_ROLE = "1a0abf4d-b9fa-4512-a3a2-51ee82c6fd9f"
_IN = "in scope"
_KEYS = {"groups", "members", "assigned", "files", "rights", "expect", "clauses", "codes", "then"}
_RUN_KEYS = {"change", "with", "expect", "codes"}


@dataclass(frozen=True)
class Example:
    """One example: its place in the page, what the comment says, and the inventory variables."""

    name: str
    comment: dict[str, Any]
    variables: dict[str, Any]


def examples(page: str) -> Iterator[Example]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for match in _EXAMPLE.finditer(text):
        line = text.count("\n", 0, match.start("text")) + 1
        yield Example(f"{page}:{line}", yaml.safe_load(match["comment"]), yaml.safe_load(match["text"]))


MAPPING, SCOPES = tuple(examples("mapping.md")), tuple(examples("scope.md"))


def named(example: Example) -> str:
    return example.name


@pytest.mark.parametrize(("page", "found"), [("mapping.md", MAPPING), ("scope.md", SCOPES)])
def test_every_yaml_block_is_an_example_that_says_what_to_expect(page: str, found: tuple[Example, ...]) -> None:
    assert len(found) == (ROOT / "docs" / page).read_text(encoding="utf-8").count("```yaml") > 5
    for example in found:
        runs = [example.comment, *example.comment.get("then", ())]
        assert set(example.comment) <= _KEYS, example.name
        assert all(set(run) <= _RUN_KEYS for run in runs[1:]), example.name
        assert all(run.get("expect") or run.get("codes") for run in runs), example.name
        assert all(variable.startswith("gpad_") for variable in example.variables), example.name


def options(variables: Mapping[str, Any], *specs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some inventory variables that the modules with these options take."""
    known = {name for spec in specs for name in spec}
    given = {name.removeprefix("gpad_"): value for name, value in variables.items()}
    assert given.keys() <= {*SCOPE, *SETTINGS}, given.keys() - {*SCOPE, *SETTINGS}
    return {name: value for name, value in given.items() if name in known}


@dataclass
class Cloud:
    """The groups of one example in the tenant."""

    target: Target
    ids: dict[str, str]

    def name(self, cloud_id: str) -> str:
        return next((name for name, known in self.ids.items() if known == cloud_id), "")


def codes(cloud: Cloud, result: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the codes of a result that speak of the example, each with its group's name."""
    if result.get("fatal"):
        return {("", error["code"]) for error in result["errors"]}
    entries = [*result["errors"], *result["skips"], *result["notices"]]
    ours = {*cloud.ids.values(), ""}
    # The groups of other tests are in the domain, the state directory is new.
    found = {(cloud.name(entry["id"]), entry["code"]) for entry in entries if entry["id"] in ours}
    return found - {("", "journal_missing")}


def wanted_codes(run: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(name or "", code) for name, code in (run.get("codes") or {}).items()}


@pytest.fixture
def cloud(target: Target) -> Iterator[Cloud]:
    made = Cloud(target, {})
    yield made
    for cloud_id in reversed(made.ids.values()):
        target.admin.purge(cloud_id)


def create(cloud: Cloud, comment: Mapping[str, Any]) -> None:
    """Create an example's groups in the tenant, members before the groups that hold them."""
    members: dict[str, list[str]] = comment.get("members", {})
    for name in sorted(comment["groups"], key=lambda name: name in members):
        properties = comment["groups"][name] or {}
        cloud.ids[name] = cloud.target.admin.create_group(
            name, [cloud.ids[member] for member in members.get(name, ())], **properties
        )


def provision(example: Example, cloud: Cloud, run: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Capture, plan and write the groups; return the codes."""
    target, variables = cloud.target, {**example.variables, **run.get("with", {})}
    assert options(variables, SETTINGS).keys() == {name.removeprefix("gpad_") for name in variables}
    captured = target.scope(*cloud.ids.values(), **options(variables, MAPPINGS))
    if captured["fatal"]:
        return codes(cloud, captured)
    planned = target.plan(**options(variables, SETTINGS))
    if planned["fatal"]:
        return codes(cloud, planned)
    administrator = target.forest.administrator
    rights: dict[str, Any] = {"domain_username": administrator.dn, "domain_password": administrator.password}
    written = target.group(**rights if example.comment.get("rights") == "administrator" else {})
    assert not written["fatal"], written
    return codes(cloud, planned)


def assert_entry(cloud: Cloud, name: str, wanted: Mapping[str, Any]) -> None:
    """Compare an object with what ldapsearch shows of it."""
    entry, end = cloud.target.entry(cloud.ids[name]), cloud.ids[name][-12:]
    for attribute, value in wanted.items():
        if attribute == "container":
            assert dn.same(dn.parent(entry["dn"][0]), value), (name, entry["dn"])
            continue
        values = [] if value is None else value if isinstance(value, list) else [value]
        expected = sorted(str(one).replace("<end>", end) for one in values)
        assert sorted(entry.get(attribute, [])) == expected, (name, attribute)


@pytest.mark.parametrize("example", MAPPING, ids=named)
def test_mapping(example: Example, cloud: Cloud) -> None:
    create(cloud, example.comment)
    for run in (example.comment, *example.comment.get("then", ())):
        for name, properties in run.get("change", {}).items():
            cloud.target.admin.patch_group(cloud.ids[name], **properties)
        assert provision(example, cloud, run) == wanted_codes(run)
        for name, wanted in run.get("expect", {}).items():
            if wanted is None:
                assert cloud.target.entries(cloud.ids[name]) == []
            else:
                assert_entry(cloud, name, wanted)


def in_place(value: Any, folder: Path, files: Mapping[str, str]) -> Any:
    """Return a variable with the paths of an example's files led to real ones."""
    if isinstance(value, str) and value in files:
        path = folder / Path(value).name
        path.write_text(files[value], encoding="utf-8")
        return str(path)
    return value


@pytest.mark.parametrize("example", SCOPES, ids=named)
def test_scope(example: Example, cloud: Cloud, tmp_path: Path) -> None:
    comment, admin = example.comment, cloud.target.admin
    create(cloud, comment)
    for principal, assigned in comment.get("assigned", {}).items():
        cloud.ids[principal] = admin.create("servicePrincipal", {"id": principal, "displayName": principal})
        for name in assigned:
            admin.assign_app_role(principal, cloud.ids[name], _ROLE)
    for run in (comment, *comment.get("then", ())):
        for name, properties in run.get("change", {}).items():
            admin.patch_group(cloud.ids[name], **properties)
        variables = {**example.variables, **run.get("with", {})}
        placed = {name: in_place(value, tmp_path, comment.get("files", {})) for name, value in variables.items()}
        # Without a word the role selects; the lab's own inventory takes all.
        chosen = {"scope_mode": "selected", "max_results": 100_000, **options(placed, SCOPE)}
        assert chosen.keys() - {"scope_mode", "max_results"} == options(placed, SCOPE, SETTINGS).keys() - {"scope_mode"}
        result = cloud.target.scope(**chosen)
        assert codes(cloud, result) == wanted_codes(run), result["errors"]
        ours = {group["name"]: group for group in result.get("groups", ()) if group["name"] in comment["groups"]}
        assert {name: group["reason"] for name, group in ours.items()} == run.get("expect", {})
        assert all((group["reason"] == _IN) is group["in_scope"] for group in ours.values())
        for name, clause in run.get("clauses", {}).items():
            assert ours[name]["clause"] == clause
