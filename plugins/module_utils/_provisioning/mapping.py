# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attribute mappings: from a cloud group's properties to its object's attributes, name and container."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    names,
    properties,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    CN,
    CONTAINER,
    SAM,
    UNIVERSAL_SECURITY,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    AttributeValue,
    Expression,
    ExpressionError,
    Flow,
    RandomSource,
    evaluate,
    parse,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DesiredGroup,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class MappingKind(Word):
    """Where a mapping takes its value from."""

    CONSTANT = "constant"
    DIRECT = "direct"
    EXPRESSION = "expression"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """One line of the mapping table.

    Parameters:
        target: LDAP attribute name, or `parentDistinguishedName`.
        kind: where the value comes from.
        source: the constant, the Graph property, or the expression.
        default: what to write when the mapping gives nothing; on creation only, but for name and container.
        on_create: write when the group is created, and never after.
        clear_when_null: remove the attribute's value when the cloud has none; else it is left alone.
    """

    target: str
    kind: MappingKind
    source: str = ""
    default: str = ""
    on_create: bool = False
    clear_when_null: bool = False


# The default group mappings of Group Provisioning to AD, and a sAMAccountName where that leaves a random one: like cn,
# with what a sAMAccountName must not hold left out. Not in the table because nobody may change them: the anchor,
# adminDescription, groupType (isSecurityGroup and UniversalScope) and member.
DEFAULT_MAPPINGS = (
    AttributeMapping(
        "cn", MappingKind.EXPRESSION, 'Append(Append(Left(Trim([displayName]),51),"_"),Mid([objectId],25,12))'
    ),
    AttributeMapping("description", MappingKind.EXPRESSION, "Left(Trim([description]),448)"),
    AttributeMapping("displayName", MappingKind.DIRECT, "displayName"),
    AttributeMapping(
        SAM,
        MappingKind.EXPRESSION,
        r'Append(Append(Left(Trim(Replace([displayName], , "[\"/\\\\\[\]:;|=,+*?<>\x00-\x1f]", , "", , )),51),"_"),'
        "Mid([objectId],25,12))",
        on_create=True,
    ),
)

# What a mapping must not write, and what to do instead.
_PROTECTED: Mapping[str, str] = {
    ANCHOR.lower(): "It ties the object to the cloud group and is always written.",
    "admindescription": "It keeps sync clients from importing the group back and is always written.",
    "member": "gpad_membership writes it.",
    "grouptype": "Every group is a universal security group.",
    "issecuritygroup": "Every group is a security group; leave it out.",
    "universalscope": "Every group is universal; leave it out.",
    "objectsid": "The directory gives it.",
    "objectguid": "The directory gives it.",
    "objectclass": "Every object is a group.",
    "distinguishedname": "Map cn, and set target_container.",
    "name": "Map cn.",
    CONTAINER.lower(): "Set target_container.",
    "ntsecuritydescriptor": "Rights are not provisioned.",
    "sidhistory": "The directory guards it.",
}

# Always, because changing them later breaks what refers to them.
_ON_CREATE_ONLY = frozenset({SAM.lower()})
_NAMING = frozenset({CN, CONTAINER})
# An expression may name no more candidates; one that draws them at random would never end.
_MOST_CANDIDATES = 100
# Attribute names are the same in any case (RFC 4512, section 2.5); the rules know these by one spelling.
_SPELLINGS: Mapping[str, str] = {SAM.lower(): SAM} | {m.target.lower(): m.target for m in DEFAULT_MAPPINGS}


@dataclass(frozen=True, slots=True)
class Line:
    """A mapping ready for use.

    Parameters:
        mapping: the mapping.
        expression: its expression parsed, or None.
        on_create: write on creation only, by choice or because its value would differ with each run.
    """

    mapping: AttributeMapping
    expression: Expression | None
    on_create: bool


@dataclass(frozen=True, slots=True)
class Mapper:
    """Mappings with their expressions parsed.

    Parameters:
        lines: the mappings.
        properties: Graph properties that they read.
        container_rule: what decides over containers, as text.
    """

    lines: tuple[Line, ...]
    properties: frozenset[str] = field(default_factory=frozenset)
    container_rule: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """The LDAP attributes that are written, name and container aside."""
        return tuple(line.mapping.target for line in self.lines if line.mapping.target not in _NAMING)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an evaluation may know beside the group.

    Parameters:
        exists: whether the group has an object already.
        now: the time of the run.
        random: where random functions take their numbers from.
        taken: LDAP attribute in lower case to the values that SelectUniqueValue must not choose.
        variables: values for `%Name%`.
    """

    exists: bool = False
    now: datetime | None = None
    random: RandomSource | None = None
    taken: Mapping[str, Collection[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


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


def merge_mappings(given: Iterable[AttributeMapping]) -> tuple[AttributeMapping, ...]:
    """Return the default mappings with the given ones in their place or behind them.

    Raises:
        ConfigurationError: a target is protected or given twice, or its options contradict each other.
    """
    merged = {mapping.target.lower(): mapping for mapping in DEFAULT_MAPPINGS}
    seen: set[str] = set()
    for mapping in given:
        key = mapping.target.lower()
        problem = _mapping_problem(mapping, key, seen)
        if problem:
            raise ConfigurationError(f"attribute_mappings: {mapping.target}: {problem}", code="mapping_invalid")
        seen.add(key)
        merged[key] = replace(mapping, target=_SPELLINGS.get(key, mapping.target))
    return tuple(merged.values())


def _mapping_problem(mapping: AttributeMapping, key: str, seen: set[str]) -> str:
    if key in _PROTECTED:
        return f"it cannot be mapped. {_PROTECTED[key]}"
    if key in seen:
        return "it is mapped twice. Keep one of the two."
    if mapping.clear_when_null and (mapping.default or mapping.on_create or mapping.kind is MappingKind.NONE):
        return "clear_when_null contradicts default, none and apply: on_create. Choose one."
    if key == CN and mapping.kind is MappingKind.NONE:
        return "a group needs a name. Map it, or leave the mapping out."
    if key == CN and mapping.clear_when_null:
        return "a name cannot be cleared."
    return ""


def compile_mappings(mappings: Iterable[AttributeMapping]) -> Mapper:
    """Return the mappings ready for use.

    Raises:
        ConfigurationError: an expression cannot be parsed, or a property does not exist; the message names the mapping.
    """
    lines: list[Line] = []
    used: set[str] = set()
    rule = ""
    for mapping in mappings:
        option = "target_container" if mapping.target == CONTAINER else f"mapping of {mapping.target}"
        expression = _parse(option, mapping) if mapping.kind is MappingKind.EXPRESSION else None
        names_read = expression.attributes if expression else ()
        if mapping.kind is MappingKind.DIRECT:
            names_read = (mapping.source,)
        used |= {_known_property(option, name) for name in names_read}
        varies = expression is not None and (expression.creates_only or expression.unique_values)
        on_create = mapping.on_create or varies or mapping.target.lower() in _ON_CREATE_ONLY
        lines.append(Line(mapping, expression, on_create))
        if mapping.target == CONTAINER:
            rule = f"{mapping.source} {mapping.default}"
    return Mapper(tuple(lines), frozenset(used), rule)


def _parse(option: str, mapping: AttributeMapping) -> Expression:
    try:
        return parse(mapping.source)
    except ExpressionError as error:
        raise ConfigurationError(
            f"{option}: {error}", "Correct the expression; docs/expressions.md lists the functions.", code=error.code
        ) from None


def _known_property(option: str, name: str) -> str:
    known = properties.canonical(name)
    if known is None:
        raise ConfigurationError(
            f"{option}: groups have no property {name!r}.",
            "Use a property of Microsoft Graph's group, or a directory extension (extension_<app id>_<name>).",
            code="property_unknown",
        )
    return known


def candidates(group: CloudGroup, mapper: Mapper, around: Surroundings) -> dict[str, list[str]]:
    """Return the values among which SelectUniqueValue chooses, by LDAP attribute in lower case.

    They are found by refusing each choice in turn, so that the directory can be asked for all of them at once.
    """
    found: dict[str, list[str]] = {}
    source = _source(group)
    for line in mapper.lines:
        if line.expression is None or not line.expression.unique_values:
            continue
        refused: list[str] = []
        while len(refused) < _MOST_CANDIDATES:
            try:
                value = _evaluate(line.expression, source, around, frozenset(refused))
            except ExpressionError:
                break
            if not isinstance(value, str) or value in refused:
                break
            refused.append(value)
        found[line.mapping.target.lower()] = refused
    return found


def desired_group(group: CloudGroup, mapper: Mapper, around: Surroundings) -> DesiredGroup:
    """Return what the directory should hold of a cloud group.

    Raises:
        ObjectError: a mapping gives no usable value for this group.
        ObjectIgnoredError: a mapping says that the group is to be left out.
    """
    source = _source(group)
    attributes: dict[str, Values] = {}
    for line in mapper.lines:
        if around.exists and line.on_create:
            continue
        mapping = line.mapping
        values = _values(line, source, around)
        if values is None and mapping.target not in _NAMING:
            continue
        if not values and mapping.default and (not around.exists or mapping.target in _NAMING):
            values = (mapping.default,)
        if values or mapping.clear_when_null:
            attributes[mapping.target] = values or ()
    cn = _single(attributes.pop(CN, ()), CN, around)
    container = _single(attributes.pop(CONTAINER, ()), CONTAINER, around)
    if cn and (problem := names.cn_problem(cn)):
        raise ObjectError(f"cn {cn!r} {problem}.", "Change the mapping of cn.", code="cn_invalid")
    for value in attributes.get(SAM, ()):
        if problem := names.sam_account_name_problem(value):
            sentence, remedy = f"{SAM} {value!r} {problem}.", f"Change the mapping of {SAM}."
            raise ObjectError(sentence, remedy, code="samaccountname_invalid")
    attributes[ANCHOR] = (identity.anchor_of(group.id),)
    attributes["groupType"] = (UNIVERSAL_SECURITY,)
    prefix = identity.TAKEN_OVER_PREFIX if group.security_identifier else identity.GROUP_ANCHOR_PREFIX
    attributes["adminDescription"] = (f"{prefix}{group.id}",)
    return DesiredGroup(group.id, group.display_name, cn, container, attributes)


def _source(group: CloudGroup) -> Mapping[str, AttributeValue]:
    return cast("Mapping[str, AttributeValue]", properties.values(group))


def _evaluate(
    expression: Expression, source: Mapping[str, AttributeValue], around: Surroundings, taken: Collection[str]
) -> object:
    return evaluate(expression, source, now=around.now, random=around.random, taken=taken, variables=around.variables)


def _values(line: Line, source: Mapping[str, AttributeValue], around: Surroundings) -> Values | None:
    """Return a mapping's values as LDAP text, or None for IgnoreAttributeFlow.

    The empty string counts as no value, since LDAP has no empty values.
    """
    mapping = line.mapping
    if mapping.kind is MappingKind.NONE:
        return ()
    value: object = mapping.source
    if mapping.kind is MappingKind.DIRECT:
        value = source.get(properties.canonical(mapping.source) or mapping.source)
    elif line.expression is not None:
        taken = around.taken.get(mapping.target.lower(), frozenset())
        try:
            value = _evaluate(line.expression, source, around, taken)
        except ExpressionError as error:
            raise ObjectError(f"mapping of {mapping.target}: {error}", code="expression_failed") from None
        if value is Flow.IGNORE_OBJECT:
            raise ObjectIgnoredError(f"The mapping of {mapping.target} leaves the group out.")
        if value is Flow.IGNORE_ATTRIBUTE:
            return None
    if isinstance(value, bool):  # the LDAP syntax Boolean (RFC 4517, section 3.3.3)
        return ("TRUE" if value else "FALSE",)
    if isinstance(value, list):
        return tuple(str(item) for item in value if str(item))
    return (str(value),) if value not in (None, "") else ()


def _single(values: Values, target: str, around: Surroundings) -> str:
    if not values and around.exists:
        return ""
    if len(values) != 1:
        raise ObjectError(
            f"The mapping of {target} gives {'no value' if not values else f'{len(values)} values'}.",
            "Give the mapping a default.",
            code="mapping_not_single",
        )
    return values[0]
