# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attribute filters: operators, nulls, what is refused, and what the service is asked to leave out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import OPERATOR_NAMES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import filters, properties
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import MAXIMUM_TEXT
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import (
    MEMBER_OF,
    OPERATORS,
    Clause,
    Filter,
)
from tests.unit.samples import cloud_id

EXTENSION = "extension_" + "0123456789abcdef" * 2 + "_costCenter"


def holds(operator: str, held: object, value: str = "") -> bool:
    return filters.holds(Clause("displayName", operator, value), cloud_id(1), {"displayName": held}, {})


@pytest.mark.parametrize(
    ("operator", "held", "value", "expected"),
    [
        ("EQUALS", "Sales", "Sales", True),
        ("EQUALS", "Sales", "sales", False),
        ("EQUALS", True, "True", True),
        ("EQUALS", 7, "7", True),
        ("NOT EQUALS", "Sales", "Other", True),
        ("NOT EQUALS", "Sales", "Sales", False),
        ("GREATER_THAN", "10", "9", True),
        ("GREATER_THAN", "9", "10", False),
        ("GREATER_THAN", "9", "9", False),
        ("GREATER_THAN", "many", "9", False),
        ("GREATER_THAN_OR_EQUALS", 9, "9", True),
        ("GREATER_THAN_OR_EQUALS", "8", "9", False),
        ("GREATER_THAN_OR_EQUALS", "-1", "-2", True),
        ("IS TRUE", True, "", True),
        ("IS TRUE", False, "", False),
        ("IS TRUE", "True", "", False),
        ("IS FALSE", False, "", True),
        ("IS FALSE", True, "", False),
        ("IS NULL", "x", "", False),
        ("IS NULL", False, "", False),
        ("IS NOT NULL", False, "", True),
        ("PRESENT", 0, "", True),
        ("REGEX MATCH", "EMEA Sales", "Sales", True),
        ("REGEX MATCH", "EMEA Sales", "^Sales$", False),
        ("REGEX MATCH", "Sales", r"(?:^|\W)Sales|Marketing", True),
        ("NOT REGEX MATCH", "EMEA Sales", "^Sales", True),
        ("NOT REGEX MATCH", "EMEA Sales", "Sales", False),
        ("INCLUDES", "EMEA Sales", "A S", True),
        ("INCLUDES", "EMEA Sales", "sales", False),
        ("STARTS_WITH", "Sales", "Sa", True),
        ("STARTS_WITH", "Sales", "les", False),
        ("ENDS_WITH", "Sales", "les", True),
        ("ENDS_WITH", "Sales", "Sa", False),
        ("&", "EMEA", "EMEA,APAC", True),
        ("&", "EMEA,APAC", "EMEA", False),
        ("!&", "LATAM", "EMEA,APAC", True),
        ("!&", "EMEA", "EMEA,APAC", False),
    ],
)
def test_operators(operator: str, held: object, value: str, expected: bool) -> None:
    assert holds(operator, held, value) is expected


@pytest.mark.parametrize("nothing", [None, "", []])
@pytest.mark.parametrize("operator", sorted(OPERATORS.keys() - {MEMBER_OF}))
def test_only_is_null_holds_on_nothing(operator: str, nothing: object) -> None:
    assert holds(operator, nothing, "1") is (operator == "IS NULL")
    assert filters.holds(Clause("mail", operator, "1"), cloud_id(1), {}, {}) is (operator == "IS NULL")


def test_membership_is_decided_by_the_group_s_own_id() -> None:
    clause = Clause("id", MEMBER_OF, cloud_id(50))
    member_of = {cloud_id(50): frozenset({cloud_id(1)}), cloud_id(51): frozenset({cloud_id(2)})}
    assert filters.holds(clause, cloud_id(1), {}, member_of)
    assert not filters.holds(clause, cloud_id(2), {"id": cloud_id(50)}, member_of)
    assert not filters.holds(clause, cloud_id(1), {}, {})


@pytest.mark.parametrize("operator", ["REGEX MATCH", "NOT REGEX MATCH"])
def test_a_text_that_is_too_long_for_a_pattern_is_no_answer(operator: str) -> None:
    with pytest.raises(ObjectError, match="too long") as caught:
        holds(operator, "x" * (MAXIMUM_TEXT + 1), "y")
    assert caught.value.code == "filter_failed"


def test_the_options_know_exactly_these_operators() -> None:
    assert sorted(OPERATOR_NAMES) == sorted(OPERATORS)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        (Clause("displayName", "equals", "x"), "no operator equals"),
        (Clause("displayName", "EQUALS"), "EQUALS needs a value"),
        (Clause("displayName", "IS NULL", "x"), "IS NULL takes no value"),
        (Clause("id", MEMBER_OF), "needs a value"),
        (Clause("department", "EQUALS", "x"), "no attribute department"),
        (Clause("groupTypes", "EQUALS", "x"), "no attribute groupTypes"),
        (Clause("extension_0123_costCenter", "EQUALS", "x"), "no attribute extension_0123"),
        (Clause("displayName", "GREATER_THAN", "many"), "'many' is not an integer"),
        (Clause("displayName", "REGEX MATCH", "("), "regular expression cannot be used"),
        (Clause("displayName", "NOT REGEX MATCH", "[b-a]"), "regular expression cannot be used"),
    ],
)
def test_a_clause_that_cannot_be_evaluated_is_told_with_its_place(clause: Clause, words: str) -> None:
    good = Clause("displayName", "PRESENT")
    with pytest.raises(ConfigurationError, match=r"filter 2, clause 2") as caught:
        filters.check_filters([Filter((good,)), Filter((good, clause))], properties.FILTERABLE)
    assert caught.value.code == "filter_invalid"
    assert words in caught.value.message


def test_a_filter_without_clauses_is_refused() -> None:
    """It would let every group in."""
    with pytest.raises(ConfigurationError, match="filter 1 has no clauses"):
        filters.check_filters([Filter(())], properties.FILTERABLE)


@pytest.mark.parametrize("attribute", ["displayName", "dirSyncEnabled", "extensionAttribute15", "id", EXTENSION])
def test_known_attributes_are_accepted(attribute: str) -> None:
    filters.check_filters([Filter((Clause(attribute, "PRESENT"),))], properties.FILTERABLE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (EXTENSION, True),
        ("extension_" + "a" * 32 + "_with_more", True),
        ("extension_" + "a" * 31 + "_x", False),
        ("extension_" + "a" * 31 + "-_x", False),
        ("extension_" + "a" * 32, False),
        ("Extension_" + "a" * 32 + "_x", False),
        ("extensionAttribute1", False),
    ],
)
def test_the_names_of_directory_extensions(name: str, expected: bool) -> None:
    assert filters.is_extension(name) is expected


SALES = Filter((Clause("displayName", "STARTS_WITH", "Sales"), Clause("mail", "IS NULL")), "sales")
PRIVATE = Filter((Clause("visibility", "EQUALS", "Private"),))


@pytest.mark.parametrize(
    ("values", "passed", "failed"),
    [
        ({"displayName": "Sales"}, SALES, None),
        ({"displayName": "Sales", "visibility": "Private"}, SALES, None),
        ({"displayName": "Other", "visibility": "Private"}, PRIVATE, None),
        ({"displayName": "Sales", "mail": "a@b"}, None, PRIVATE.clauses[0]),
        ({}, None, PRIVATE.clauses[0]),
    ],
)
def test_clauses_are_and_filters_are_or(
    values: dict[str, object], passed: Filter | None, failed: Clause | None
) -> None:
    assert filters.first_match([SALES, PRIVATE], cloud_id(1), values, {}) == (passed, failed)


def test_how_filters_read() -> None:
    assert str(SALES) == "sales"
    assert str(Filter(SALES.clauses)) == "displayName STARTS_WITH Sales AND mail IS NULL"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ""),
        ([SALES], "(startsWith(displayName,'Sales'))"),
        ([Filter((Clause("displayName", "EQUALS", "O'Neill"),))], "(displayName eq 'O''Neill')"),
        (
            [Filter((Clause("isAssignableToRole", "IS TRUE"), Clause("mailNickname", "EQUALS", "x"))), SALES],
            "(isAssignableToRole eq true and mailNickname eq 'x') or (startsWith(displayName,'Sales'))",
        ),
        # One filter that the service cannot narrow lets everything through.
        ([SALES, PRIVATE], ""),
        ([Filter((Clause("displayName", "NOT EQUALS", "x"),))], ""),
        ([Filter((Clause("isAssignableToRole", "IS FALSE"),))], ""),
        ([Filter((Clause("description", "EQUALS", "x"),))], ""),
        ([Filter((Clause("id", MEMBER_OF, "x"),))], ""),
    ],
)
def test_what_the_service_may_leave_out(given: list[Filter], expected: str) -> None:
    assert filters.service_filter(given) == expected


_VALUES = st.one_of(st.none(), st.booleans(), st.sampled_from(["", "a", "Ab", "12", "abc"]))
_CLAUSES = st.builds(
    Clause,
    st.sampled_from(["displayName", "mail"]),
    st.sampled_from(["EQUALS", "IS NULL", "INCLUDES"]),
    st.sampled_from(["a", "b"]),
)


@given(
    st.lists(st.builds(Filter, st.lists(_CLAUSES, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["displayName", "mail"]), _VALUES),
)
def test_a_group_is_in_exactly_when_some_filter_holds_whole(given: list[Filter], values: dict[str, object]) -> None:
    passed, failed = filters.first_match(given, cloud_id(1), values, {})
    whole = [entry for entry in given if all(filters.holds(c, cloud_id(1), values, {}) for c in entry.clauses)]
    assert passed is (whole[0] if whole else None)
    assert (failed is None) is bool(whole)
