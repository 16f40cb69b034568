"""The parts of expressions with a shape of their own: arguments, arrays, objects, case, cast, isof, aggregates.

They hold expressions, so each function is given the reader of expressions; that keeps the modules free of circles.
"""

from collections.abc import Callable
from typing import TypeAlias

from odata_server.syntax.literals import json_string, string_of
from odata_server.syntax.search import read_search
from odata_server.syntax.tokens import Cursor, Dialect, Span
from odata_server.syntax.trees import (
    AggregateFrom,
    AggregateItem,
    ArrayExpression,
    Case,
    CaseBranch,
    Cast,
    Count,
    Expression,
    IsOf,
    Lambda,
    NamedArgument,
    ObjectExpression,
    ObjectMember,
    Path,
    Quantifier,
    Search,
)

Reader: TypeAlias = Callable[[Cursor], Expression]
Arguments: TypeAlias = tuple[tuple[Expression, ...], tuple[NamedArgument, ...]]


def read_arguments(cursor: Cursor, read: Reader) -> Arguments:
    """Read `( [ argument *( "," argument ) ] )`, all positional or all `Name=value`.

    Raises:
        SyntaxRefused: another text stands here, a name is given twice, or both ways are mixed.
    """
    cursor.take("(")
    if cursor.take_if(")"):
        return (), ()
    if cursor.kind == "word" and cursor.follows("="):
        return (), _named_arguments(cursor, read)
    arguments = [read(cursor)]
    while cursor.take_if(","):
        arguments.append(read(cursor))
    if cursor.kind != ")":
        raise cursor.refusal("')' or ',' expected")
    cursor.advance()
    return tuple(arguments), ()


def _named_arguments(cursor: Cursor, read: Reader) -> tuple[NamedArgument, ...]:
    named: dict[str, NamedArgument] = {}
    while True:
        start = cursor.start
        name = cursor.take_identifier()
        if name in named:
            raise cursor.refusal(f"The parameter '{name}' is given more than once", start)
        if not cursor.is_glued():
            raise cursor.refusal()
        cursor.take("=")
        value = read(cursor)
        named[name] = NamedArgument(name, value, cursor.span_from(start))
        if cursor.take_if(")"):
            return tuple(named.values())
        cursor.take(",")


def read_array(cursor: Cursor, read: Reader) -> ArrayExpression:
    """Read `[ item, … ]` (OData ABNF §5).

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.start
    cursor.take("[")
    items: list[Expression] = []
    while cursor.kind != "]":
        if items and not cursor.take_if(","):
            # Learn: filter-rows shows this text for an apostrophe inside single-quoted items.
            raise cursor.refusal(
                "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two elements in an array and"
                " properties of an object must be separated by commas."
            )
        items.append(read(cursor))
    cursor.advance()
    return ArrayExpression(tuple(items), cursor.span_from(start))


def read_object(cursor: Cursor, read: Reader) -> ObjectExpression:
    """Read `{ "name": value, … }`; Dataverse's pages also write names in single quotes.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.start
    cursor.take("{")
    members: list[ObjectMember] = []
    while cursor.kind != "}":
        if members and not cursor.take_if(","):
            raise cursor.refusal(
                "Invalid JSON. A comma character ',' was expected in scope 'Object'. Every two elements in an array and"
                " properties of an object must be separated by commas."
            )
        member_start = cursor.start
        if cursor.kind not in {"quoted", "string"}:
            raise cursor.refusal()
        name = json_string(cursor) if cursor.kind == "quoted" else string_of(cursor.value)
        cursor.advance()
        cursor.take(":")
        value = read(cursor)
        members.append(ObjectMember(name, value, cursor.span_from(member_start)))
    cursor.advance()
    return ObjectExpression(tuple(members), cursor.span_from(start))


def read_case(cursor: Cursor, read: Reader) -> Case:
    """Read what follows the word `case`: `( condition : value *( "," condition : value ) )`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.last_end - len("case")
    cursor.take("(")
    branches: list[CaseBranch] = []
    while not branches or cursor.take_if(","):
        branch_start = cursor.start
        condition = read(cursor)
        cursor.take(":")
        value = read(cursor)
        branches.append(CaseBranch(condition, value, cursor.span_from(branch_start)))
    cursor.take(")")
    return Case(tuple(branches), cursor.span_from(start))


def read_cast(cursor: Cursor, read: Reader) -> Cast:
    """Read what follows the word `cast`: `( [ operand "," ] type )`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.last_end - len("cast")
    type_name, operand = _type_operands(cursor, read)
    return Cast(type_name, operand, cursor.span_from(start))


def read_isof(cursor: Cursor, read: Reader) -> IsOf:
    """Read what follows the word `isof`: `( [ operand "," ] type )`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.last_end - len("isof")
    type_name, operand = _type_operands(cursor, read)
    return IsOf(type_name, operand, cursor.span_from(start))


def _type_operands(cursor: Cursor, read: Reader) -> tuple[str, Expression | None]:
    cursor.take("(")
    operand = None
    if not _is_type_before_close(cursor):
        operand = read(cursor)
        cursor.take(",")
    type_name = _read_type_name(cursor)
    cursor.take(")")
    return type_name, operand


def _is_type_before_close(cursor: Cursor) -> bool:
    if cursor.kind != "word":
        return False
    if cursor.value == "Collection" and cursor.follows("("):
        return True
    rest = cursor.end
    while rest < cursor.limit and cursor.text[rest].isspace():
        rest += 1
    return rest < cursor.limit and cursor.text[rest] == ")"


def _read_type_name(cursor: Cursor) -> str:
    name = cursor.take("word")
    if name != "Collection" or cursor.kind != "(":
        return name
    cursor.advance()
    item = cursor.take("word")
    cursor.take(")")
    return f"Collection({item})"


def read_lambda(cursor: Cursor, target: Expression, quantifier: Quantifier, start: int, read: Reader) -> Lambda:
    """Read what follows `any` or `all` behind a path: `( [ variable ":" predicate ] )`; only `any` may be empty.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor.take("(")
    if cursor.kind == ")" and quantifier is Quantifier.ANY:
        cursor.advance()
        return Lambda(target, quantifier, None, None, cursor.span_from(start))
    variable = cursor.take_identifier()
    cursor.take(":")
    predicate = read(cursor)
    cursor.take(")")
    return Lambda(target, quantifier, variable, predicate, cursor.span_from(start))


def read_count_options(cursor: Cursor, read: Reader) -> tuple[Expression | None, Search | None]:
    """Read what follows `$count` behind a path: `( $filter=… ; $search=… )`.

    Raises:
        SyntaxRefused: it is not well-formed, or an option is given twice.
    """
    predicate: Expression | None = None
    search: Search | None = None
    cursor.take("(")
    while True:
        name = cursor.value if cursor.kind == "system" else f"${cursor.keyword}"
        if cursor.kind == "word" and cursor.dialect is Dialect.DATAVERSE:
            raise cursor.refusal()
        if name == "$filter" and predicate is None:
            cursor.advance()
            cursor.take("=")
            predicate = read(cursor)
        elif name == "$search" and search is None:
            cursor.advance()
            search = read_search_option(cursor)
        else:
            raise cursor.refusal()
        if cursor.take_if(")"):
            return predicate, search
        cursor.take(";")


def read_search_option(cursor: Cursor) -> Search:
    """Read `=search` inside parentheses, where the search's own tokens begin directly behind the equals sign.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    if cursor.kind != "=":
        raise cursor.refusal()
    search, end = read_search(cursor.text, cursor.end, cursor.limit, is_nested=True)
    cursor.restart(end)
    return search


def read_aggregate_item(cursor: Cursor, read: Reader) -> AggregateItem:
    """Read `operand with method *( from paths [ with method ] )`, up to but without `as alias`.

    A count needs no method; neither does a custom aggregate, a path that ends with a name of its own.

    Raises:
        SyntaxRefused: it is not well-formed (Data Aggregation 4.0 §3.2.1).
    """
    start = cursor.start
    operand: Expression | None = None
    if cursor.kind == "system" and cursor.value == "$count":
        cursor.advance()
    elif cursor.kind == "word" and "." in cursor.value and not cursor.follows("(") and not cursor.follows("/"):
        # Only here may a type's name stand alone: the collection cast to it is what the method aggregates.
        operand = Path((cursor.value,), None, Span(cursor.start, cursor.end))
        cursor.advance()
    else:
        operand = read(cursor)
    method = _read_method(cursor)
    if operand is None or isinstance(operand, Count):
        if method is not None:
            raise cursor.refusal(position=start)
    elif method is None and not isinstance(operand, Path):
        raise cursor.refusal()
    origins = _read_origins(cursor, read)
    needs_last_method = origins and (operand is None or method is not None or isinstance(operand, Count))
    if needs_last_method and any(origin.method is None for origin in origins):
        raise cursor.refusal()
    return AggregateItem(operand, method, origins, None, cursor.span_from(start))


def _read_origins(cursor: Cursor, read: Reader) -> tuple[AggregateFrom, ...]:
    origins: list[AggregateFrom] = []
    while cursor.kind == "word" and cursor.value == "from":
        start = cursor.start
        cursor.advance()
        paths = [_read_path(cursor, read)]
        while cursor.take_if(","):
            paths.append(_read_path(cursor, read))
        method = _read_method(cursor)
        origins.append(AggregateFrom(tuple(paths), method, cursor.span_from(start)))
    return tuple(origins)


def _read_path(cursor: Cursor, read: Reader) -> Path:
    start = cursor.start
    path = read(cursor)
    if not isinstance(path, Path):
        raise cursor.refusal(position=start)
    return path


def _read_method(cursor: Cursor) -> str | None:
    if cursor.kind != "word" or cursor.value != "with":
        return None
    cursor.advance()
    method = cursor.take("word")
    if method not in {"sum", "min", "max", "average", "countdistinct"} and "." not in method:
        raise cursor.refusal(f"Aggregation method '{method}' is unknown", cursor.last_end - len(method))
    return method
