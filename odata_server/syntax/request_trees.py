"""The trees of a whole request URL: resource paths, query options, `$select` and `$expand`."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from odata_server.syntax.apply_trees import ComputeItem, OrderItem, Transformation
from odata_server.syntax.tokens import Span
from odata_server.syntax.trees import NOWHERE, Expression, NamedArgument, Search

# The parts that options share with `$apply` are read from here too.
__all__ = [
    "AliasAssignment",
    "Arguments",
    "ComputeItem",
    "CrossJoinSegment",
    "CustomOption",
    "ExpandItem",
    "ExpandTarget",
    "FilterSegment",
    "Levels",
    "NamedSegment",
    "OrderItem",
    "PathSegment",
    "QueryOptions",
    "ReferenceSegment",
    "ResourcePath",
    "SelectItem",
    "SystemName",
    "SystemSegment",
    "Transformation",
    "ValueSegment",
]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands in one pair of parentheses of a path: positional or named, never both."""

    positional: tuple[Expression, ...] = ()
    named: tuple[NamedArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedSegment:
    """`accounts`, `accounts(guid)`, `WhoAmI()`, `Ns.Action`, `f(x=1)(key)`: whether key or call, the binder decides."""

    name: str
    arguments: tuple[Arguments, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ValueSegment:
    """A segment that is no name: a key as segment or an ordinal (`Suppliers(1)/Addresses/-1`)."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ReferenceSegment:
    """`$1`: what the part of a batch with this Content-ID made (OData 4.01 Part 1 §11.7.3.1)."""

    content_id: str
    span: Span = field(default=NOWHERE, compare=False)


class SystemName(Enum):
    """The segments whose names begin with a dollar sign and take nothing."""

    REF = "$ref"
    VALUE = "$value"
    COUNT = "$count"
    METADATA = "$metadata"
    BATCH = "$batch"
    ENTITY = "$entity"
    ALL = "$all"
    EACH = "$each"
    QUERY = "$query"


@dataclass(frozen=True, slots=True)
class SystemSegment:
    """`$ref`, `$value`, `$count` and the like."""

    name: SystemName
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CrossJoinSegment:
    """`$crossjoin(Products,Sales)`."""

    names: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class FilterSegment:
    """`$filter(predicate)` in a path."""

    predicate: Expression
    span: Span = field(default=NOWHERE, compare=False)


PathSegment: TypeAlias = (
    NamedSegment | ValueSegment | ReferenceSegment | SystemSegment | CrossJoinSegment | FilterSegment
)


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """The path behind the service root; none for the service document. Spans count in `text`, which is decoded."""

    segments: tuple[PathSegment, ...]
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SelectItem:
    """`a/b`, `*`, `Ns.*`, `a($top=5)` with options, or `Ns.Function(P,Q)` with the names of an overload."""

    path: tuple[str, ...]
    parameters: tuple[str, ...] | None = None
    options: "QueryOptions | None" = None
    span: Span = field(default=NOWHERE, compare=False)


class ExpandTarget(Enum):
    """What an `$expand` item asks of the related rows."""

    ROWS = ""
    REF = "$ref"
    COUNT = "$count"


@dataclass(frozen=True, slots=True)
class ExpandItem:
    """`nav`, `a/nav/Ns.Cast`, `*`, `$value`, with `/$ref` or `/$count` and with options."""

    path: tuple[str, ...]
    target: ExpandTarget = ExpandTarget.ROWS
    options: "QueryOptions | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Levels:
    """`$levels`: a depth of at least one, or None for `max`."""

    depth: int | None


@dataclass(frozen=True, slots=True)
class AliasAssignment:
    """`@name=value`."""

    name: str
    value: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CustomOption:
    """An option that is neither system option nor alias: `savedQuery=…`, `fetchXml=…`, `tag=…`."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """The options of a request, or those in the parentheses of an item; None where an option is not given.

    `names` are the system options in the order of the text, each with its dollar sign.
    """

    names: tuple[str, ...] = ()
    filter: Expression | None = None
    search: Search | None = None
    orderby: tuple[OrderItem, ...] | None = None
    select: tuple[SelectItem, ...] | None = None
    expand: tuple[ExpandItem, ...] | None = None
    compute: tuple[ComputeItem, ...] | None = None
    apply: tuple[Transformation, ...] | None = None
    top: int | None = None
    skip: int | None = None
    count: bool | None = None
    levels: Levels | None = None
    index: int | None = None
    format: str | None = None
    id: str | None = None
    skiptoken: str | None = None
    deltatoken: str | None = None
    schemaversion: str | None = None
    aliases: tuple[AliasAssignment, ...] = ()
    custom: tuple[CustomOption, ...] = ()
