"""The trees of `$apply`, and of the order items and computed items it shares with `$orderby` and `$compute`."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from odata_server.syntax.tokens import Span
from odata_server.syntax.trees import NOWHERE, AggregateItem, Call, Expression, Path, Search


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
