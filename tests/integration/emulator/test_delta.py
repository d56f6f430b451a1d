# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta rounds on groups and users."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.lab.entra.admin import EntraAdmin

from .tenant import EXTENSION, Emulator, code_and_message, oid

_TRACKED = "/groups/delta?$select=displayName,description,members"


def _round(emulator: Emulator, path: str, headers: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], str]:
    pages = emulator.pages(path, headers)
    assert all(("@odata.nextLink" in page) != ("@odata.deltaLink" in page) for page in pages)
    return [item for page in pages for item in page["value"]], pages[-1]["@odata.deltaLink"]


def _links(item: dict[str, Any]) -> dict[str, bool]:
    """Member ids of an item, with whether the link is there."""
    return {link["id"]: "@removed" not in link for link in item.get("members@delta", [])}


def _state(items: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Merge the slices of a round to the members of each group."""
    merged: dict[str, set[str]] = {}
    for item in items:
        held = merged.setdefault(item["id"], set())
        for member, present in _links(item).items():
            (held.add if present else held.discard)(member)
    return merged


@pytest.mark.parametrize("form", ["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"])
def test_an_initial_round_shows_groups_with_members(emulator: Emulator, form: str) -> None:
    items, link = _round(emulator, f"/groups/{form}")
    found = {item["id"]: item for item in items}
    assert len(items) == len(found) == 11
    assert {oid("u1"), oid("u2")} == set(_links(found[oid("marketing")]))
    assert "members@delta" not in found[oid("empty")]
    assert "description" not in found[oid("empty")]
    assert found[oid("marketing")][EXTENSION] == "CC-1"
    assert _round(emulator, link)[0] == []


def test_delta_answers_tell_no_resource_units(emulator: Emulator) -> None:
    assert "x-ms-resource-unit" not in emulator.get("/groups/delta").headers
    assert emulator.get("/groups").headers["x-ms-resource-unit"] == "1"


def test_large_groups_come_in_slices_that_merge(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(delta_slice=7, delta_page=3, delta_repeat=True, empty_pages=True)
    pages = emulator.pages(_TRACKED)
    items = [item for page in pages for item in page["value"]]
    assert sum(item["id"] == oid("large") for item in items) == 10
    assert any(page["value"] == [] and "@odata.nextLink" in page for page in pages)
    assert _state(items)[oid("large")] == {oid(f"u{number}") for number in range(30)}


def test_pages_hold_so_many_items_and_slices_keep_removals(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(delta_page=4)
    pages = emulator.pages(_TRACKED)
    assert [len(page["value"]) for page in pages] == [4, 4, 3]
    admin.remove_members(oid("large"), [oid(f"u{number}") for number in range(20)])
    admin.knobs(delta_slice=6)
    items, _next_link = _round(emulator, pages[-1]["@odata.deltaLink"])
    assert [len(_links(item)) for item in items].count(6) == 3
    links = {member: present for item in items for member, present in _links(item).items()}
    assert links == {oid(f"u{number}"): False for number in range(20)}


def test_member_changes_and_property_changes(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, link = _round(emulator, _TRACKED)
    admin.remove_member(oid("sales"), oid("u0"))
    admin.add_member(oid("sales"), oid("u3"))
    admin.patch_group(oid("marketing"), description=None)
    admin.patch_group(oid("field"), theme="blue")
    items, following = _round(emulator, link)
    found = {item["id"]: item for item in items}
    assert set(found) == {oid("sales"), oid("marketing")}
    assert _links(found[oid("sales")]) == {oid("u0"): False, oid("u3"): True}
    removed = [entry for entry in found[oid("sales")]["members@delta"] if entry["id"] == oid("u0")]
    assert removed == [{"@odata.type": "#microsoft.graph.user", "id": oid("u0"), "@removed": {"reason": "deleted"}}]
    assert found[oid("sales")]["displayName"] == "sales"
    assert found[oid("marketing")]["description"] is None
    assert following != link
    assert _round(emulator, following)[0] == []


def test_minimal_answers_hold_changed_properties_only(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, link = _round(emulator, _TRACKED)
    admin.patch_group(oid("sales"), description="new")
    items, _next_link = _round(emulator, link, {"Prefer": "return=minimal"})
    assert items == [{"description": "new", "id": oid("sales")}]


def test_select_without_members_tracks_no_members(emulator: Emulator, admin: EntraAdmin) -> None:
    items, link = _round(emulator, "/groups/delta?$select=displayName")
    assert not any("members@delta" in item for item in items)
    admin.add_member(oid("empty"), oid("u0"))
    assert _round(emulator, link)[0] == []


def test_deleted_restored_and_purged_groups(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, link = _round(emulator, _TRACKED)
    admin.delete_group(oid("sales"))
    admin.purge(oid("empty"))
    items, link = _round(emulator, link)
    assert sorted(items, key=lambda item: str(item["@removed"])) == [
        {"id": oid("sales"), "@removed": {"reason": "changed"}},
        {"id": oid("empty"), "@removed": {"reason": "deleted"}},
    ]
    admin.restore_group(oid("sales"))
    items, _next_link = _round(emulator, link)
    assert [item["displayName"] for item in items] == ["sales"]
    assert len(_links(items[0])) == 6


def test_a_soft_deleted_user_keeps_the_link_and_a_purged_one_loses_it(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, groups = _round(emulator, _TRACKED)
    _unused, users = _round(emulator, "/users/delta?$select=displayName")
    admin.delete_user(oid("u2"))
    assert _round(emulator, groups)[0] == []
    items, users = _round(emulator, users)
    assert items == [{"id": oid("u2"), "@removed": {"reason": "changed"}}]
    admin.purge(oid("u2"))
    assert {item["id"]: _links(item) for item in _round(emulator, groups)[0]} == {
        oid("marketing"): {oid("u2"): False},
        oid("large"): {oid("u2"): False},
    }
    assert _round(emulator, users)[0] == [{"id": oid("u2"), "@removed": {"reason": "deleted"}}]


def test_tombstones_in_an_initial_round(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.delete_group(oid("sales"))
    admin.purge(oid("empty"))
    admin.remove_member(oid("marketing"), oid("u1"))
    admin.knobs(delta_tombstones=True)
    items, _next_link = _round(emulator, _TRACKED)
    found = {item["id"]: item for item in items}
    assert found[oid("sales")]["@removed"] == {"reason": "changed"}
    assert found[oid("empty")]["@removed"] == {"reason": "deleted"}
    assert _links(found[oid("marketing")]) == {oid("u1"): False, oid("u2"): True}


def test_latest_starts_from_now(emulator: Emulator, admin: EntraAdmin) -> None:
    items, link = _round(emulator, f"{_TRACKED}&$deltatoken=latest")
    assert items == []
    admin.patch_group(oid("sales"), description="new")
    assert [item["id"] for item in _round(emulator, link)[0]] == [oid("sales")]


def test_a_filter_follows_up_to_fifty_ids(emulator: Emulator, admin: EntraAdmin) -> None:
    items, link = _round(emulator, f"/groups/delta?$filter=id eq '{oid('sales')}' or id eq '{oid('empty')}'")
    assert {item["id"] for item in items} == {oid("sales"), oid("empty")}
    admin.patch_group(oid("marketing"), description="new")
    assert _round(emulator, link)[0] == []
    many = " or ".join(f"id eq '{oid(str(number))}'" for number in range(51))
    assert code_and_message(emulator.get(f"/groups/delta?$filter={many}"))[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        "$top=5",
        "$orderby=displayName",
        '$search="displayName:x"',
        "$expand=members",
        "$count=true",
        "$filter=displayName eq 'sales'",
        "$filter=id ne 'x'",
        "$select=nonsense",
        "$select=owners",
        "$deltatoken=garbage",
        "$deltatoken=Z2FyYmFnZQ",
        "$skiptoken=garbage",
    ],
)
def test_a_delta_query_that_is_refused(emulator: Emulator, query: str) -> None:
    assert code_and_message(emulator.get(f"/groups/delta?{query}"))[0] == 400


def test_select_on_a_next_link_is_refused_and_on_a_delta_link_changes_the_tracking(
    emulator: Emulator, admin: EntraAdmin
) -> None:
    admin.knobs(delta_page=4)
    following = emulator.get(_TRACKED).json()["@odata.nextLink"]
    assert emulator.get(f"{following}&$select=displayName").status_code == 400
    _unused, link = _round(emulator, _TRACKED)
    admin.patch_group(oid("sales"), theme="blue")
    assert [item["id"] for item in _round(emulator, f"{link}&$select=theme")[0]] == [oid("sales")]


def test_a_token_of_users_does_not_fit_groups(emulator: Emulator) -> None:
    _unused, link = _round(emulator, "/users/delta")
    assert emulator.get(link.replace("/users/", "/groups/")).status_code == 400


def test_an_old_token_is_gone_and_the_location_starts_again(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, link = _round(emulator, _TRACKED)
    admin.expire_delta_tokens()
    answer = emulator.get(link)
    assert code_and_message(answer)[:2] == (410, "syncStateNotFound")
    location = answer.headers["Location"]
    assert urlsplit(location).query.endswith("$deltatoken=")
    items, _next_link = _round(emulator, location)
    assert len(items) == 11
    assert {name for item in items for name in item} == {"displayName", "description", "id", "members@delta"}


def test_a_reset_ends_delta_tokens(emulator: Emulator, admin: EntraAdmin) -> None:
    _unused, link = _round(emulator, _TRACKED)
    admin.reset()
    assert emulator.get(link).status_code == 410


def test_a_change_within_a_round_is_not_lost(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(delta_page=4)
    page = emulator.get(_TRACKED).json()
    admin.add_member(oid("empty"), oid("u7"))
    items, link = _round(emulator, page["@odata.nextLink"])
    later, _unused = _round(emulator, link)
    assert _state([*page["value"], *items, *later])[oid("empty")] == {oid("u7")}
