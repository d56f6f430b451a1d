# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners of cloud groups choose names: none of them reaches another object, a filter, a path or a template."""

from __future__ import annotations

import uuid

from tests.integration.modules.target import Target

# What is syntax somewhere: in filters (RFC 4515), in names (RFC 4514), in expressions, in Jinja, in shells, in paths.
HOSTILE = (
    "*",
    "*)(objectClass=*)",
    "x)(|(cn=*))",
    "\\2a\\28",
    "a\\",
    "CN=Administrator",
    "Sales,OU=Elsewhere",
    "a+b=c",
    ' "quoted" ',
    "#1234",
    "semi;colon<less>greater",
    "  spaces  ",
    "\u202egnp.exe",
    "e\u0301 is not \u00e9",
    "\u212aelvin",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "$(id)`id`",
    "../../etc/passwd",
    "[displayName]",
    "<GUID=00000000-0000-0000-0000-000000000000>",
    "Domain Admins",
    "x" * 256,
    "\U0001f512" * 60,
)

CONTROL = ("line\nbreak", "tab\tulator", "\x1b[31mred", "bell\x07")


def test_every_name_becomes_one_group_and_touches_no_other(target: Target) -> None:
    witness = target.admin.create_group(f"Witness {uuid.uuid4()}")
    target.provision(witness)
    before = target.usn()
    names = {target.admin.create_group(name): name for name in HOSTILE}
    refused = {target.admin.create_group(name) for name in CONTROL}
    target.snapshot_of(witness, *names, *refused)
    plan = target.plan()
    assert {(error["id"], error["code"]) for error in plan["errors"]} == {(one, "cn_invalid") for one in refused}
    assert target.group()["summary"]["groups_created"] == len(HOSTILE)
    for cloud_id, name in names.items():
        entry = target.entry(cloud_id)
        assert entry["displayName"] == [name], name
        assert entry["dn"][0].endswith(f",{target.forest.managed_containers[0]}")
    after = target.usn()
    assert {guid: after[guid] for guid in before} == before, "an object was written that is not among them"
    assert len(after) == len(before) + len(HOSTILE)
    target.snapshot_of(witness, *names)
    assert not target.plan()["would_change"]
