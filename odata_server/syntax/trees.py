"""The trees of expressions, literals and search; spans say where they stood and do not take part in equality.

Names stay names here: whether `Items(1)` is a key or a function, and whether `Ns.Name` is a cast, the binder decides.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TypeAlias
from uuid import UUID

from odata_server.syntax.tokens import Span

NOWHERE = Span(0, 0)

LiteralValue: TypeAlias = bool | int | float | Decimal | str | bytes | UUID | None


class LiteralKind(Enum):
    """How a literal is written, which need not be the type it is compared with."""

    NULL = "null"
    BOOLEAN = "boolean"
    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DOUBLE = "double"
    GUID = "guid"
    DATE = "date"
    DATE_TIME = "dateTimeOffset"
    TIME = "timeOfDay"
    DURATION = "duration"
    BINARY = "binary"
    GEOGRAPHY = "geography"
    GEOMETRY = "geometry"


class Operator(Enum):
    """The comparison and arithmetic operators (OData 4.01 Part 2 §5.1.1.1, §5.1.1.2)."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    HAS = "has"
    IN = "in"
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    DIVBY = "divby"
    MOD = "mod"


class Connective(Enum):
    """The logical operators that join two or more conditions."""

    AND = "and"
    OR = "or"


class Quantifier(Enum):
    """The lambda operators (OData 4.01 Part 2 §5.1.1.13)."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Literal:
    """A primitive literal: as written, and its value.

    Dates, times, durations and geo values stay text in `value` (checked, without prefix and quotes): the range of
    Edm.Date is wider than Python's. Equality is by the text, so NaN equals NaN and 1.0 differs from 1.00.
    """

    kind: LiteralKind
    text: str
    value: LiteralValue = field(compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class EnumLiteral:
    """`Namespace.Type'Member,Member'`; an unqualified one cannot be told from a string."""

    type_name: str
    members: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ArrayExpression:
    """`["a","b"]`, Dataverse also `['a','b']`; items may be expressions."""

    items: tuple["Expression", ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ObjectMember:
    """`"name":value` in an object."""

    name: str
    value: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ObjectExpression:
    """`{"@odata.id":"accounts(…)"}`."""

    members: tuple[ObjectMember, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ListExpression:
    """`('a','b')`, only to the right of `in`."""

    items: tuple[Literal | EnumLiteral, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Alias:
    """`@p`: a parameter alias (name without `@`); at the head of a path perhaps an annotation."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$it`, `$this`, `$root` or `$these`."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """`a/b/Ns.Cast/@Ns.Term`: names from the left; `root` is what they start from, None for the current instance."""

    names: tuple[str, ...]
    root: "Expression | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class NamedArgument:
    """`Name=value` in a call or a key."""

    name: str
    value: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`name(…)`, after a path `target/name(…)`: a function, or a name with a key; positional or named, never both."""

    name: str
    arguments: tuple["Expression", ...] = ()
    named: tuple[NamedArgument, ...] = ()
    target: "Expression | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """`target(…)` where the target already ends with parentheses."""

    target: "Expression"
    arguments: tuple["Expression", ...] = ()
    named: tuple[NamedArgument, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Filtered:
    """`target/$filter(predicate)`."""

    target: "Expression"
    predicate: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Count:
    """`target/$count($filter=…;$search=…)`."""

    target: "Expression"
    filter: "Expression | None" = None
    search: "Search | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Lambda:
    """`target/any(v:predicate)`, `target/all(v:predicate)`, `target/any()`."""

    target: "Expression"
    quantifier: Quantifier
    variable: str | None = None
    predicate: "Expression | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Cast:
    """`cast(operand,Type)` or `cast(Type)`."""

    type_name: str
    operand: "Expression | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class IsOf:
    """`isof(operand,Type)` or `isof(Type)`."""

    type_name: str
    operand: "Expression | None" = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CaseBranch:
    """`condition:value` in `case(…)`."""

    condition: "Expression"
    value: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """`case(condition:value,…)`."""

    branches: tuple[CaseBranch, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison or an arithmetic operation."""

    operator: Operator
    left: "Expression"
    right: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """Two or more conditions joined by `and` or `or`: one node for a whole chain, however long."""

    connective: Connective
    operands: tuple["Expression", ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """`-operand`, except where sign and digits make one literal."""

    operand: "Expression"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AggregateFrom:
    """`from paths with method`: one step of aggregating over finer groups first (Data Aggregation 4.0 §3.2.1.5)."""

    paths: tuple[Path, ...]
    method: str | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AggregateItem:
    """`operand with method from … as alias`.

    `operand` None is `$count` of the current collection; `method` None is a count or a custom aggregate.
    """

    operand: "Expression | None"
    method: str | None = None
    origins: tuple[AggregateFrom, ...] = ()
    alias: str | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`target/aggregate(item)` inside an expression (Data Aggregation 4.0 §6.3)."""

    target: "Expression"
    item: AggregateItem
    span: Span = field(default=NOWHERE, compare=False)


Expression: TypeAlias = (
    Literal
    | EnumLiteral
    | ArrayExpression
    | ObjectExpression
    | ListExpression
    | Alias
    | Variable
    | Path
    | Call
    | KeyAccess
    | Filtered
    | Count
    | Lambda
    | Cast
    | IsOf
    | Case
    | Binary
    | Logical
    | Not
    | Negate
    | Aggregate
)


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A word, or a phrase if `quoted`."""

    text: str
    quoted: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SearchIncomplete:
    """`'…'`: text a person is still typing, in single quotes (OData 4.01 Part 2 §5.1.8)."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SearchNot:
    """`NOT operand`."""

    operand: "Search"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SearchJoin:
    """Two or more searches joined by AND (also by white space) or OR."""

    connective: Connective
    operands: tuple["Search", ...]
    span: Span = field(default=NOWHERE, compare=False)


Search: TypeAlias = SearchTerm | SearchIncomplete | SearchNot | SearchJoin
