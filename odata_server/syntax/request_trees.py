"""The trees of a whole request URL: resource paths, query options, `$select`, `$expand` and `$apply`."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from odata_server.syntax.tokens import Span
from odata_server.syntax.trees import NOWHERE, AggregateItem, Call, Expression, NamedArgument, Path, Search


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
class OrderItem:
    """`expression asc` or `expression desc`."""

    expression: Expression
    descending: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ComputeItem:
    """`expression as name`."""

    expression: Expression
    name: str
    span: Span = field(default=NOWHERE, compare=False)


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
class AggregateStep:
    """`aggregate(item,…)`."""

    items: tuple[AggregateItem, ...]


@dataclass(frozen=True, slots=True)
class Rollup:
    """`rollup(a,b)`, or `rollup(Hierarchy)` with one name."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The first three operands of a hierarchical transformation: nodes, qualifier and path of the node's id."""

    root: Expression
    qualifier: str
    path: Path


@dataclass(frozen=True, slots=True)
class RollupRecursive:
    """`rolluprecursive($root/Nodes,Qualifier,path,preserving transformations)`."""

    hierarchy: Hierarchy
    steps: "tuple[Transformation, ...]" = ()


@dataclass(frozen=True, slots=True)
class GroupBy:
    """`groupby((a,b/c),steps)`."""

    elements: tuple[Path | Rollup | RollupRecursive, ...]
    steps: "tuple[Transformation, ...]" = ()


@dataclass(frozen=True, slots=True)
class FilterStep:
    """`filter(predicate)`."""

    predicate: Expression


@dataclass(frozen=True, slots=True)
class SearchStep:
    """`search(…)`."""

    search: Search


@dataclass(frozen=True, slots=True)
class OrderStep:
    """`orderby(item,…)`."""

    items: tuple[OrderItem, ...]


@dataclass(frozen=True, slots=True)
class TopStep:
    """`top(n)`."""

    count: int


@dataclass(frozen=True, slots=True)
class SkipStep:
    """`skip(n)`."""

    count: int


@dataclass(frozen=True, slots=True)
class ComputeStep:
    """`compute(expression as name,…)`."""

    items: tuple[ComputeItem, ...]


@dataclass(frozen=True, slots=True)
class ConcatStep:
    """`concat(steps,steps,…)`."""

    sequences: "tuple[tuple[Transformation, ...], ...]"


@dataclass(frozen=True, slots=True)
class IdentityStep:
    """`identity`."""


@dataclass(frozen=True, slots=True)
class ExpandStep:
    """`expand(path,filter(…),expand(…),…)`: the earlier form of `addnested`."""

    path: Path
    steps: "tuple[FilterStep | ExpandStep, ...]" = ()


@dataclass(frozen=True, slots=True)
class NestedSequence:
    """`steps as alias`."""

    steps: "tuple[Transformation, ...]"
    alias: str


@dataclass(frozen=True, slots=True)
class NestStep:
    """`nest(steps as alias,…)`, or `addnested(path,steps as alias,…)` with a path."""

    sequences: tuple[NestedSequence, ...]
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class JoinStep:
    """`join(path as alias,steps)` or `outerjoin(…)`."""

    path: Path
    alias: str
    steps: "tuple[Transformation, ...]" = ()
    is_outer: bool = False


class Ranking(Enum):
    """The transformations that keep the first or last rows by a value."""

    TOPCOUNT = "topcount"
    TOPSUM = "topsum"
    TOPPERCENT = "toppercent"
    BOTTOMCOUNT = "bottomcount"
    BOTTOMSUM = "bottomsum"
    BOTTOMPERCENT = "bottompercent"


@dataclass(frozen=True, slots=True)
class RankStep:
    """`topcount(limit,value)` and its five relatives."""

    ranking: Ranking
    limit: Expression
    value: Expression


class Kin(Enum):
    """Which relatives in a hierarchy are kept."""

    ANCESTORS = "ancestors"
    DESCENDANTS = "descendants"


@dataclass(frozen=True, slots=True)
class KinStep:
    """`ancestors(hierarchy,steps,distance,keep start)` or `descendants(…)`."""

    kin: Kin
    hierarchy: Hierarchy
    steps: "tuple[Transformation, ...]"
    distance: int | None = None
    keeps_start: bool = False


@dataclass(frozen=True, slots=True)
class TraverseStep:
    """`traverse(hierarchy,preorder|postorder,steps,order items)`."""

    hierarchy: Hierarchy
    is_preorder: bool
    steps: "tuple[Transformation, ...]" = ()
    order: tuple[OrderItem, ...] = ()


@dataclass(frozen=True, slots=True)
class CallStep:
    """A bound function as transformation: `Ns.Function(P=1)`."""

    call: Call


Transformation: TypeAlias = (
    AggregateStep
    | GroupBy
    | FilterStep
    | SearchStep
    | OrderStep
    | TopStep
    | SkipStep
    | ComputeStep
    | ConcatStep
    | IdentityStep
    | ExpandStep
    | NestStep
    | JoinStep
    | RankStep
    | KinStep
    | TraverseStep
    | CallStep
)


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
