# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attribute mappings: from a cloud group's properties to its object's attributes, name and container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, names
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions.api import (
    Expression,
    ExpressionError,
    Flow,
    evaluate,
    parse,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    GraphValue,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

ANCHOR = "msDS-ExternalDirectoryObjectId"
CONTAINER = "parentDistinguishedName"
# MS-ADTS 2.2.12: GROUP_TYPE_SECURITY_ENABLED | GROUP_TYPE_UNIVERSAL_GROUP, as the signed integer that LDAP shows.
UNIVERSAL_SECURITY = "-2147483640"


class MappingKind(Word):
    """Where a mapping takes its value from."""

    CONSTANT = "constant"
    DIRECT = "direct"
    EXPRESSION = "expression"


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """One line of the mapping table.

    Parameters:
        target: LDAP attribute name, or `parentDistinguishedName`.
        kind: where the value comes from.
        source: the constant, the Graph property, or the expression.
        clear_when_null: remove the attribute's value when the cloud has none; else it is left alone.
    """

    target: str
    kind: MappingKind
    source: str
    clear_when_null: bool = False


# The default group mappings of Group Provisioning to AD. Not in the table because nobody may change them: the anchor,
# adminDescription, groupType (isSecurityGroup and UniversalScope) and member.
DEFAULT_MAPPINGS = (
    AttributeMapping(
        "cn", MappingKind.EXPRESSION, 'Append(Append(Left(Trim([displayName]),51),"_"),Mid([objectId],25,12))'
    ),
    AttributeMapping("description", MappingKind.EXPRESSION, "Left(Trim([description]),448)"),
    AttributeMapping("displayName", MappingKind.DIRECT, "displayName"),
)


@dataclass(frozen=True, slots=True)
class Mapper:
    """Mappings with their expressions parsed.

    Parameters:
        lines: each mapping with its expression, or None where it has none.
        properties: Graph properties that the mappings read.
    """

    lines: tuple[tuple[AttributeMapping, Expression | None], ...]
    properties: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class DesiredGroup:
    """What the directory should hold of a cloud group, members aside.

    Parameters:
        id: object id.
        name: displayName, for people.
        cn: the relative name, not escaped.
        container: DN of the container.
        attributes: LDAP attribute to its values; an empty tuple clears, an absent name leaves the attribute alone.
    """

    id: str
    name: str
    cn: str
    container: str
    attributes: Mapping[str, Values]


def container_mapping(value: object) -> AttributeMapping:
    """Return the mapping of the target container from the option's value: a DN, or an expression that gives one.

    Raises:
        ConfigurationError: the value is not text, or it is empty.
    """
    text = expression_text("target_container", value)
    kind = MappingKind.CONSTANT if dn.is_dn(text) else MappingKind.EXPRESSION
    return AttributeMapping(CONTAINER, kind, text)


def expression_text(option: str, value: object) -> str:
    """Return the text of an expression option, refusing what YAML made something else of.

    Raises:
        ConfigurationError: the value is a list, a Boolean, a number, or empty.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, str) or value is None:
        raise ConfigurationError(f"{option} is empty.", "Give a DN or an expression.")
    made = {list: "a list", bool: "a Boolean", int: "a number", float: "a number", dict: "a mapping"}.get(
        type(value), "data"
    )
    raise ConfigurationError(
        f"{option}: YAML read {value!r} as {made}, not as an expression.",
        f"Put it in single quotes: {option}: '[displayName]'.",
        code="expression_not_quoted",
    )


def compile_mappings(mappings: tuple[AttributeMapping, ...]) -> Mapper:
    """Return the mappings ready for use.

    Raises:
        ConfigurationError: an expression cannot be parsed; the message holds position and caret.
    """
    lines: list[tuple[AttributeMapping, Expression | None]] = []
    properties: set[str] = set()
    for mapping in mappings:
        expression = None
        if mapping.kind is MappingKind.EXPRESSION:
            option = "target_container" if mapping.target == CONTAINER else f"mapping of {mapping.target}"
            try:
                expression = parse(mapping.source)
            except ExpressionError as error:
                raise ConfigurationError(
                    f"{option}: {error}",
                    "Correct the expression; docs/expressions.md lists the functions.",
                    code=error.code,
                ) from None
            properties |= set(expression.attributes)
        elif mapping.kind is MappingKind.DIRECT:
            properties.add(mapping.source)
        lines.append((mapping, expression))
    return Mapper(tuple(lines), frozenset(properties))


def desired_group(group: CloudGroup, mapper: Mapper) -> DesiredGroup:
    """Return what the directory should hold of a cloud group.

    Raises:
        ObjectError: a mapping gives no usable value for this group.
    """
    source = {**group.properties, "objectId": group.id, "id": group.id}
    source["dirSyncEnabled"] = group.properties.get("onPremisesSyncEnabled")
    attributes: dict[str, Values] = {}
    for mapping, expression in mapper.lines:
        values = _values(mapping, expression, source)
        if values or mapping.clear_when_null:
            attributes[mapping.target] = values
    cn = _single(attributes.pop("cn", ()), "cn")
    container = _single(attributes.pop(CONTAINER, ()), CONTAINER)
    problem = names.cn_problem(cn)
    if problem:
        raise ObjectError(f"cn {cn!r} {problem}.", "Change the group's displayName.", code="cn_invalid")
    attributes[ANCHOR] = (identity.anchor_of(group.id),)
    attributes["groupType"] = (UNIVERSAL_SECURITY,)
    prefix = identity.TAKEN_OVER_PREFIX if group.security_identifier else identity.GROUP_ANCHOR_PREFIX
    attributes["adminDescription"] = (f"{prefix}{group.id}",)
    return DesiredGroup(group.id, group.display_name, cn, container, attributes)


def _values(mapping: AttributeMapping, expression: Expression | None, source: Mapping[str, GraphValue]) -> Values:
    """Return a mapping's values as LDAP text; the empty string counts as none, since LDAP has no empty values."""
    value: object = mapping.source
    if mapping.kind is MappingKind.DIRECT:
        value = source.get(mapping.source)
    elif expression is not None:
        try:
            value = evaluate(expression, source)
        except ExpressionError as error:
            raise ObjectError(f"mapping of {mapping.target}: {error}", code="expression_failed") from None
        if value is Flow.IGNORE_OBJECT:
            raise ObjectIgnoredError(f"The mapping of {mapping.target} leaves the group out.")
        if value is Flow.IGNORE_ATTRIBUTE:
            return ()
    if isinstance(value, bool):  # the LDAP syntax Boolean (RFC 4517, section 3.3.3)
        return ("TRUE" if value else "FALSE",)
    if isinstance(value, list):
        return tuple(str(item) for item in value if str(item))
    return (str(value),) if value not in (None, "") else ()


def _single(values: Values, target: str) -> str:
    if len(values) != 1:
        raise ObjectError(
            f"The mapping of {target} gives {'no value' if not values else f'{len(values)} values'}.",
            "Give the expression a default.",
            code="mapping_not_single",
        )
    return values[0]
