# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts for the server of the sync client: syntax and contents. They are not run: there is no such server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader

from tests.unit.powershell import commands, names, parsed

ROLE = Path(__file__).resolve().parents[2] / "roles" / "gpad_migrate_writeback_v2"
SCRIPTS = ("coexistence", "retire", "way_back")


def variables(**more: Any) -> dict[str, Any]:
    """Return what the role knows when it writes the scripts."""
    found: dict[str, Any] = {}
    for name in ("main", "connect"):
        found |= yaml.safe_load((ROLE / "vars" / f"{name}.yml").read_text(encoding="utf-8"))
    return {**found, "gpad_migrate_writeback_v2_connector_name": "contoso.com", **more}


def script(name: str, **more: Any) -> str:
    """Return a script as the template module writes it."""
    # Its settings differ from Jinja's own in trim_blocks.
    environment = Environment(  # noqa: S701 - PowerShell is no HTML
        loader=FileSystemLoader(ROLE / "templates"), trim_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template(f"{name}.ps1.j2").render(**variables(**more))


def options(words: list[str]) -> dict[str, str]:
    """Return the options of a command with their values."""
    result: dict[str, str] = {}
    option = ""
    for word in words[1:]:
        if word.startswith("-"):
            option = word[1:]
            result[option] = ""
        elif option:
            result[option] = f"{result[option]} {word}".strip()
    return result


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("connector", ["contoso.com", "O'Neill's $(Get-Item x) `n.test"])
def test_a_script_is_powershell(name: str, connector: str) -> None:
    text = script(name, gpad_migrate_writeback_v2_connector_name=connector)
    parsed(text)
    assert "{{" not in text and "{%" not in text and "SupportsShouldProcess" in text


def test_the_parser_refuses_what_is_none() -> None:
    with pytest.raises(AssertionError):
        parsed(script("retire") + "\nif ($x { }")


def test_a_name_cannot_leave_its_quotes() -> None:
    text = script("coexistence", gpad_migrate_writeback_v2_connector_name="x'; Remove-Item C:\\; '")
    assert "Remove-Item" not in names(text)


def literal(text: str) -> str:
    """Return the value of a literal in single quotes, by the rules of PowerShell's tokenizer."""
    quotes = "'\u2018\u2019\u201a\u201b"
    assert text[0] in quotes and text[-1] in quotes
    inside = text[1:-1]
    value = re.sub(f"[{quotes}][{quotes}]", lambda pair: pair[0][0], inside)
    assert not re.search(f"(?<![{quotes}])[{quotes}](?![{quotes}])", inside), "it ends before its end"
    return value


@pytest.mark.parametrize("quote", list("'\u2018\u2019\u201a\u201b"))
def test_no_quote_that_powershell_knows_ends_a_name(quote: str) -> None:
    """The parser does not know the typographic quotes (about_Quoting_Rules of PowerShell does)."""
    name = f"x{quote}; Remove-Item C:"
    text = script("coexistence", gpad_migrate_writeback_v2_connector_name=name)
    (told,) = re.findall(r"Where-Object \{ \$_\.Name -eq (.*) \}$", text, re.MULTILINE)
    assert literal(told) == name


def test_a_rule_that_is_disabled_counts_for_nothing() -> None:
    assert script("coexistence").count("if ($there.Disabled -or ") == 2
    assert script("retire").count(").Disabled) {") == 2


def test_a_retirement_that_was_cut_off_makes_up_for_its_last_cycle() -> None:
    text = script("retire")
    off, on = text.index("Set-ADSyncAADCompanyFeature @off"), text.index("Set-ADSyncScheduler -SyncCycleEnabled $true")
    last = text.rindex("Start-ADSyncSyncCycle")
    block = text.index("if (-not (Get-ADSyncScheduler).SyncCycleEnabled")
    assert off < block < last < text.rindex("Wait-Cycle") < on


def test_the_rules_are_those_of_the_document() -> None:
    found = [options(words) for words in commands(script("coexistence")) if words[0] == "New-ADSyncRule"]
    assert [one["Identifier"] for one in found] == [
        "'e4eae1c9-b9bc-4328-ade9-df871cdd3027'",
        "'419fda18-75bb-4e23-b947-8b06e7246551'",
    ]
    assert [one["Name"] for one in found] == [
        "'In from AAD - Group SOAinAAD coexistence with Cloud Sync'",
        "'Out to AD - Group SOAinAAD coexistence with Cloud Sync'",
    ]
    assert [(one["Direction"], one["LinkType"], one["Connector"]) for one in found] == [
        ("'Inbound'", "'Join'", "$connectors.entra"),
        ("'Outbound'", "'JoinNoFlow'", "$connectors.directory"),
    ]
    assert all(0 < int(one["Precedence"]) < 100 for one in found) and len({one["Precedence"] for one in found}) == 2
    zero = "'00000000-0000-0000-0000-000000000000'"
    for one in found:
        assert (one["PrecedenceBefore"], one["PrecedenceAfter"]) == (zero, zero)
        assert (one["SoftDeleteExpiryInterval"], one["ImmutableTag"]) == ("0", "''")
        assert (one["SourceObjectType"], one["TargetObjectType"]) == ("'group'", "'group'")


def test_scope_and_transformation_of_the_rules() -> None:
    text = script("coexistence")
    conditions = [options(words)["ArgumentList"] for words in commands(text) if words[0] == "New-Object"]
    assert conditions == ["'cloudMastered', 'true', 'EQUAL'", "'mail', '', 'ISNULL'", "'cloudNoFlow', 'true', 'EQUAL'"]
    (flow,) = (options(words) for words in commands(text) if words[0] == "Add-ADSyncAttributeFlowMapping")
    assert (flow["Source"], flow["Destination"], flow["FlowType"]) == ("@('true')", "'cloudNoFlow'", "'Constant'")
    assert flow["ValueMergeType"] == "'Update'"
    assert names(text).count("Add-ADSyncScopeConditionGroup") == names(text).count("Add-ADSyncRule") == 2
    assert "entra     = 'b891884f-051e-4a83-95af-2544101c9083'" in text


def test_what_each_script_changes_and_in_which_order() -> None:
    verbs = ("Set-", "Start-AD", "Remove-", "Add-")
    changing = {name: [word for word in names(script(name)) if word.startswith(verbs)] for name in SCRIPTS}
    assert changing["coexistence"][0] == "Set-ADSyncScheduler"
    assert changing["retire"] == [
        "Start-ADSyncSyncCycle",
        "Set-ADSyncAADCompanyFeature",
        "Start-ADSyncSyncCycle",
        "Set-ADSyncScheduler",
    ]
    assert changing["way_back"] == [
        "Remove-ADSyncRule",
        "Remove-ADSyncRule",
        "Set-ADSyncScheduler",
    ]
    # By a splatted table, since the parser does not know options that end in a digit.
    assert "$off = @{ GroupWritebackV2 = $false }\n        Set-ADSyncAADCompanyFeature @off" in script("retire")


def test_rules_are_removed_from_the_last_one_on() -> None:
    removed = [
        options(words)["Identifier"] for words in commands(script("way_back")) if words[0] == "Remove-ADSyncRule"
    ]
    assert [one[1:9] for one in removed] == ["419fda18", "e4eae1c9"]


def test_the_sentence_names_what_cannot_be_undone() -> None:
    sentence = variables()["gpad_migrate_writeback_v2_sentence"].strip()
    assert "cannot be undone" in sentence and "every Microsoft 365 group" in sentence
    assert sentence in script("retire", gpad_migrate_writeback_v2_sentence=sentence)


def test_the_phases_are_told_alike_everywhere() -> None:
    found = variables()
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    through = specs["argument_specs"]["main"]["options"]["gpad_migrate_writeback_v2_through"]
    assert through["choices"] == found["gpad_migrate_writeback_v2_phases"]
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    files = [task["ansible.builtin.include_tasks"] for task in tasks if "ansible.builtin.include_tasks" in task]
    assert files == ["read_state.yml", *(f"{phase}.yml" for phase in through["choices"])]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_ascii_and_connectors_of_other_letters_are_refused(name: str) -> None:
    """Windows PowerShell 5.1 reads a file without a byte order mark in the code page of its host."""
    assert script(name).isascii()
    (refusal,) = yaml.safe_load((ROLE / "tasks" / "check_connector.yml").read_text(encoding="utf-8"))
    for file in ("coexistence.yml", "tell_connect.yml"):
        # Before anything is recorded, or written for the server.
        first, *_rest = yaml.safe_load((ROLE / "tasks" / file).read_text(encoding="utf-8"))
        assert first["ansible.builtin.include_tasks"] == "check_connector.yml"
    assert refusal["when"] == "gpad_migrate_writeback_v2_connect == 'script'"
    (pattern,) = re.findall(r"match\('(.*)'\)", refusal["ansible.builtin.assert"]["that"])
    assert re.match(pattern, "contoso.com (emea)'s") and not re.match(pattern, "contos\u0111.com")
