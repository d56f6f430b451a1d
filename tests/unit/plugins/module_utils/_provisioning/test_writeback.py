# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What writeback V2 wrote, and the export of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Skipped, Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    Export,
    Origin,
    WritebackGroup,
    WritebackMember,
    group_entry,
    mark_problem,
    origin,
    read_export,
)
from tests.unit.samples import BASE, MANAGED, cloud_id, directory_group, guid, sid

UNIVERSAL, DISTRIBUTION = -2147483640, 8
MARK = f"Group_{cloud_id(1)}"
GROUP = WritebackGroup(guid(1), sid(2001), f"CN=Sales,{MANAGED}", UNIVERSAL, MARK)


@pytest.mark.parametrize(
    ("group", "reason", "wanted"),
    [
        (GROUP, None, Origin.WRITEBACK_V2),
        (replace(GROUP, mark=MARK.upper()), Skipped.NOT_SELECTED, Origin.WRITEBACK_V2),
        (GROUP, Skipped.MICROSOFT_365, Origin.MICROSOFT_365),
        (GROUP, Skipped.MAIL_ENABLED, Origin.MAIL_ENABLED),
        (replace(GROUP, mail=True), None, Origin.MAIL_ENABLED),
        (replace(GROUP, group_type=DISTRIBUTION), None, Origin.DISTRIBUTION),
        (GROUP, Skipped.NOT_SECURITY_ENABLED, Origin.DISTRIBUTION),
        (replace(GROUP, mark="Group_of people"), None, Origin.MALFORMED),
        (replace(GROUP, mark="", dn=f"CN={MARK},{MANAGED}"), None, Origin.MALFORMED),
        (replace(GROUP, mark=""), None, Origin.OTHER),
        (replace(GROUP, mark="by hand"), None, Origin.OTHER),
    ],
)
def test_who_wrote_a_group(group: WritebackGroup, reason: Skipped | None, wanted: Origin) -> None:
    assert origin(group, reason) is wanted


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"adminDescription": (MARK,)}, ""),
        ({"adminDescription": (MARK,), ANCHOR: (MARK.upper(),)}, ""),
        ({}, "writeback_mark_invalid"),
        ({"adminDescription": ("Group_of people",)}, "writeback_mark_invalid"),
        ({"adminDescription": (f"TakenOver_{MARK}",)}, "writeback_mark_invalid"),
        ({"adminDescription": (MARK,), "mail": ("a@b",)}, "writeback_not_security"),
        ({"adminDescription": (MARK,), "groupType": ("8",)}, "writeback_not_security"),
        ({"adminDescription": (MARK,), ANCHOR: (f"Group_{cloud_id(2)}",)}, "writeback_anchor_taken"),
        ({"adminDescription": (MARK,), ANCHOR: ("User_1",)}, "writeback_anchor_taken"),
    ],
)
def test_what_forbids_an_anchor(attributes: dict[str, Values], code: str) -> None:
    one = directory_group(1)
    assert mark_problem(replace(one, attributes={**one.attributes, **attributes}))[0] == code


def test_an_export_is_read_as_it_was_written() -> None:
    members = (WritebackMember(guid(5), sid(5005), f"CN=a,{BASE}", "user"), WritebackMember(guid(6), None, "CN=b"))
    group = replace(GROUP, anchor=MARK, members=members, parents=("CN=up",), local_members=("CN=l",), guarded="why")
    part = {"read_at": "2026-11-21T10:00:00Z", "domain": BASE, "groups": [{**group_entry(group), "origin": "x"}]}
    given = json.loads(json.dumps({"info": {"writeback": part}}))
    assert read_export(given) == Export("2026-11-21T10:00:00Z", BASE, (group,))
    assert read_export(part) == read_export(given)


@pytest.mark.parametrize(
    "given", [[], {}, {"info": {}}, {"groups": 3, "read_at": "", "domain": ""}, {"groups": [{}]}, {"groups": []}]
)
def test_anything_else_is_no_export(given: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_export(given)
    assert caught.value.code == "writeback_export_invalid"
