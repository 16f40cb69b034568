"""An EntityQueryExpression in JSON: which definitions a client wants, and what of them.

    query      = { Criteria?, Properties?, AttributeQuery?, RelationshipQuery?, KeyQuery?, LabelQuery? }
    criteria   = { FilterOperator: "And" / "Or", Conditions: [ condition ], Filters: [ criteria ] }
    condition  = { PropertyName, ConditionOperator, Value: { Type, Value } }
    properties = { AllProperties: boolean, PropertyNames: [ name ] }

Learn: "Query schema definitions", "MetadataConditionExpression ComplexType". A condition looks at a property that has a
simple value, or at the value of a managed property.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from entities.errors import InvalidArgument
from odata_server.edm.definition_types import DEFINITIONS, all_navigations, all_properties, is_derived
from odata_server.edm.operation_list import operation_list

Keeps: TypeAlias = Callable[[Mapping[str, object]], bool]

ATTRIBUTES: Final = "Attributes"
KEYS: Final = "Keys"
RELATIONSHIPS: Final = ("ManyToManyRelationships", "ManyToOneRelationships", "OneToManyRelationships")
_NAME: Final = "LogicalName"
_DEEPEST: Final = 32
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_ONLY_TABLES: Final = "Default"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of one kind of definition.

    Attributes:
        keeps: tells the definitions that are wanted by their properties.
        names: the properties that are wanted, None for all.
        fixed: the logical names that the criteria fix, None where they do not.
    """

    keeps: Keeps
    names: frozenset[str] | None
    fixed: tuple[str, ...] | None = None

    def wants(self, name: str) -> bool:
        """Say whether a property is wanted."""
        return self.names is None or name in self.names


@dataclass(frozen=True, slots=True)
class MetadataQuery:
    """What is wanted of tables, and of their columns, relationships and keys; the languages of labels, None for all."""

    tables: Wanted
    columns: Wanted
    relationships: Wanted
    keys: Wanted
    languages: frozenset[int] | None = None


def metadata_query(query: object) -> MetadataQuery:
    """Return a query over definitions.

    Args:
        query: the JSON value of the parameter; None asks for all properties of all tables.

    Raises:
        InvalidArgument: it is no such query, names an unknown property, or asks for parts of tables that are not among
            the wanted properties (0x80072527, 0x80072528, 0x80072529).
    """
    members = _members(query, "Query")
    tables = _wanted(members, "EntityMetadata") if query is not None else Wanted(_everything, None)
    _check_parts(members, tables)
    return MetadataQuery(
        tables,
        _wanted(_members(members.get("AttributeQuery"), "AttributeQuery"), "AttributeMetadata", parts=True),
        _wanted(
            _members(members.get("RelationshipQuery"), "RelationshipQuery"), "RelationshipMetadataBase", parts=True
        ),
        _wanted(_members(members.get("KeyQuery"), "KeyQuery"), "EntityKeyMetadata", parts=True),
        _languages(_members(members.get("LabelQuery"), "LabelQuery").get("FilterLanguages")),
    )


def deleted_filters(value: object) -> frozenset[str]:
    """Return the kinds of definitions whose deletions are wanted: tables alone where nothing is said.

    Raises:
        InvalidArgument: the value is none of the flags.
    """
    return enum_flags("DeletedMetadataFilters", str(value or _ONLY_TABLES))


def enum_flags(name: str, text: str) -> frozenset[str]:
    """Return the flags of an enumeration that are set, by their names or by a number.

    Args:
        name: the enumeration, one of those that only `$metadata` tells.
        text: names or numbers, with commas between them.

    Raises:
        InvalidArgument: there is no such flag.
    """
    members = operation_list().told_enums[name].members
    found: set[str] = set()
    for word in (word.strip() for word in text.split(",")):
        number = members.get(word, int(word) if _NUMBER.fullmatch(word) else 0)
        if not 0 < number <= members["All"]:
            raise InvalidArgument(f"The value '{text[:100]}' of '{name}' is none of its flags.")
        found |= {member for member, flag in members.items() if flag & number == flag}
    return frozenset(found)


def _everything(_: Mapping[str, object]) -> bool:
    return True


EVERYTHING: Final[Keeps] = _everything
"""Keeps all definitions."""


def _check_parts(members: Mapping[str, object], tables: Wanted) -> None:
    if members.get("AttributeQuery") is not None and not tables.wants(ATTRIBUTES):
        raise InvalidArgument(
            "Attributes must be part of the requested EntityMetadata properties when an AttributeQuery is specified. "
            f"Expect property = {ATTRIBUTES} in requested entity properties list.",
            code="0x80072527",
        )
    if members.get("RelationshipQuery") is not None and not any(map(tables.wants, RELATIONSHIPS)):
        first, second, third = RELATIONSHIPS
        raise InvalidArgument(
            "Atleast one of the relationship properties must be part of the requested EntityMetadata properties when a "
            f"RelationshipQuery is specified.Expect atleast one of property = {first}, {second} or {third} in "
            "requested entity properties list.",
            code="0x80072528",
        )
    if members.get("KeyQuery") is not None and not tables.wants(KEYS):
        raise InvalidArgument(
            "Keys must be part of the requested EntityMetadata properties when a KeyQuery is specified. Expect "
            f"property = {KEYS} in requested entity properties list.",
            code="0x80072529",
        )


def _members(value: object, what: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _misfit(what)
    return value


def _misfit(what: str) -> InvalidArgument:
    return InvalidArgument(f"The member '{what}' of the metadata query has another form than its type declares.")


def _languages(value: object) -> frozenset[int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(lcid, int) for lcid in value):
        raise _misfit("FilterLanguages")
    return frozenset(value) or None


def _wanted(members: Mapping[str, object], type_name: str, *, parts: bool = False) -> Wanted:
    """Return what one query expression wants.

    Args:
        members: its members.
        type_name: the entity type of the definitions.
        parts: whether all properties are wanted where it does not say which.
    """
    criteria = _members(members.get("Criteria"), "Criteria")
    names = _names(members.get("Properties"), type_name)
    if parts and members.get("Properties") is None:
        names = None
    return Wanted(_criteria(criteria, type_name, 0), names, _fixed(criteria))


def _names(properties: object, type_name: str) -> frozenset[str] | None:
    members = _members(properties, "Properties")
    if members.get("AllProperties") is True:
        return None
    listed = members.get("PropertyNames") or []
    if not isinstance(listed, list):
        raise _misfit("PropertyNames")
    for name in listed:
        if not isinstance(name, str) or name not in _known(type_name):
            raise _unknown(name, type_name)
    return frozenset(listed)


def _unknown(name: object, type_name: str) -> InvalidArgument:
    return InvalidArgument(f"'{str(name)[:200]}' is no property of {type_name}.")


@cache
def _known(type_name: str) -> frozenset[str]:
    """Return the properties of a type and of those that derive from it."""
    types = [name for name in DEFINITIONS if is_derived(name, type_name)]
    return frozenset(name for one in types for name in (*all_properties(one), *all_navigations(one)))


def _list(members: Mapping[str, object], name: str) -> list[object]:
    found = members.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise _misfit(name)
    return found


def _criteria(members: Mapping[str, object], type_name: str, depth: int) -> Keeps:
    if depth > _DEEPEST:
        raise InvalidArgument(f"The criteria of a metadata query are nested more than {_DEEPEST} deep.")
    conditions = [_condition(_members(item, "Conditions"), type_name) for item in _list(members, "Conditions")]
    inner = [_criteria(_members(item, "Filters"), type_name, depth + 1) for item in _list(members, "Filters")]
    parts = (*conditions, *inner)
    if not parts:
        return _everything
    if _is_or(members):
        return lambda values: any(part(values) for part in parts)
    return lambda values: all(part(values) for part in parts)


def _is_or(members: Mapping[str, object]) -> bool:
    operator = str(members.get("FilterOperator", "And"))
    if operator not in {"And", "Or", "0", "1"}:
        raise _misfit("FilterOperator")
    return operator in {"Or", "1"}


def _condition(members: Mapping[str, object], type_name: str) -> Keeps:
    name, operator = members.get("PropertyName"), str(members.get("ConditionOperator"))
    if not isinstance(name, str) or name not in _known(type_name):
        raise _unknown(name, type_name)
    if operator in _TESTS:
        test, values = _TESTS[operator], tuple(_operands(members.get("Value")))
        return lambda definition: test(_plain(definition.get(name)), values)
    raise InvalidArgument(f"The condition operator '{operator[:100]}' is none of: {', '.join(_TESTS)}.")


def _operands(value: object) -> list[str | None]:
    """Return the values of a condition as text: one, or those of an array."""
    members = _members(value, "Value")
    given, type_ = members.get("Value"), str(members.get("Type", ""))
    if isinstance(given, list):
        return [_as_text(item) for item in given]
    if type_.endswith("[]") and isinstance(given, str):
        items = (item.strip().strip("'\"") for item in given.strip().removeprefix("[").removesuffix("]").split(","))
        return [_as_text(item) for item in items if item]
    return [_as_text(given)]


def _plain(value: object) -> str | None:
    """Return a property's value as text; of a managed property, and of a type's name, what it holds."""
    return _as_text(value.get("Value") if isinstance(value, Mapping) else value)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, list | Mapping):
        return None
    text = str(value)
    return text.lower() if isinstance(value, bool) or text in {"True", "False"} else text


def _above(value: str | None, operands: Iterable[str | None]) -> bool:
    return _compared(value, operands, 1)


def _below(value: str | None, operands: Iterable[str | None]) -> bool:
    return _compared(value, operands, -1)


def _compared(value: str | None, operands: Iterable[str | None], sign: int) -> bool:
    """Say whether a number is above (1) or below (-1) another one; what is no number is neither."""
    try:
        return all((float(value or "") - float(other or "")) * sign > 0 for other in operands)
    except ValueError:
        return False


_TESTS: Final[Mapping[str, Callable[[str | None, tuple[str | None, ...]], bool]]] = {
    "Equals": lambda value, operands: value in operands,
    "NotEquals": lambda value, operands: value not in operands,
    "In": lambda value, operands: value in operands,
    "NotIn": lambda value, operands: value not in operands,
    "GreaterThan": _above,
    "LessThan": _below,
}


def _fixed(criteria: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the logical names that one condition fixes, where all conditions must hold."""
    if _is_or(criteria):
        return None
    for item in _list(criteria, "Conditions"):
        members = _members(item, "Conditions")
        if members.get("PropertyName") == _NAME and str(members.get("ConditionOperator")) in {"Equals", "In"}:
            return tuple(filter(None, _operands(members.get("Value"))))
    return None
