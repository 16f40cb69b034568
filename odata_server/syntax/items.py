"""The small parts that several options share: order items, computed items, counts and plain paths."""

from odata_server.syntax.apply_trees import ComputeItem, OrderItem
from odata_server.syntax.expressions import read_expression
from odata_server.syntax.tokens import Cursor, Dialect, open_text
from odata_server.syntax.trees import Path

# Edm.Int64 has at most 19 digits; longer counts mean nothing.
_MOST_DIGITS = 19


def parse_orderby(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[OrderItem, ...]:
    """Read a whole `$orderby` value, percent-decoded (OData 4.01 Part 2 §5.1.5).

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    items = read_orderby(cursor)
    cursor.finish()
    return items


def parse_compute(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[ComputeItem, ...]:
    """Read a whole `$compute` value, percent-decoded (OData 4.01 Part 2 §5.1.3).

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor = open_text(text, dialect)
    items = read_compute(cursor)
    cursor.finish()
    return items


def read_orderby(cursor: Cursor) -> tuple[OrderItem, ...]:
    """Read `expression [ asc / desc ] *( "," … )`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    items = [read_order_item(cursor)]
    while cursor.take_if(","):
        items.append(read_order_item(cursor))
    return tuple(items)


def read_order_item(cursor: Cursor) -> OrderItem:
    """Read `expression [ asc / desc ]`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    start = cursor.start
    expression = read_expression(cursor)
    is_descending = cursor.is_word("desc")
    if is_descending or cursor.is_word("asc"):
        cursor.advance()
    return OrderItem(expression, is_descending, cursor.span_from(start))


def read_compute(cursor: Cursor) -> tuple[ComputeItem, ...]:
    """Read `expression as name *( "," … )`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    items = [_read_compute_item(cursor)]
    while cursor.take_if(","):
        items.append(_read_compute_item(cursor))
    return tuple(items)


def _read_compute_item(cursor: Cursor) -> ComputeItem:
    start = cursor.start
    expression = read_expression(cursor)
    return ComputeItem(expression, read_alias(cursor), cursor.span_from(start))


def read_alias(cursor: Cursor) -> str:
    """Read `as name`.

    Raises:
        SyntaxRefused: it is not well-formed.
    """
    cursor.take_word("as")
    return cursor.take_identifier()


def read_count(cursor: Cursor) -> int:
    """Read a row count: digits only.

    Raises:
        SyntaxRefused: anything else stands here.
    """
    if cursor.kind != "number" or not cursor.value.isdigit() or len(cursor.value) > _MOST_DIGITS:
        raise cursor.refusal()
    value = int(cursor.value)
    cursor.advance()
    return value


def read_plain_path(cursor: Cursor) -> Path:
    """Read `name *( "/" name )`, qualified names and annotations included.

    Raises:
        SyntaxRefused: anything else stands here.
    """
    start = cursor.start
    names = [_read_path_name(cursor)]
    while cursor.take_if("/"):
        names.append(_read_path_name(cursor))
    return Path(tuple(names), None, cursor.span_from(start))


def _read_path_name(cursor: Cursor) -> str:
    return cursor.take("alias" if cursor.kind == "alias" else "word")


def read_grouping_path(cursor: Cursor) -> Path:
    """Read a path to group by: it ends with a property and holds no annotation (Data Aggregation 4.0 §3.2.3.1).

    Raises:
        SyntaxRefused: anything else stands here.
    """
    start = cursor.start
    path = read_plain_path(cursor)
    if "." in path.names[-1] or any(name.startswith("@") for name in path.names):
        raise cursor.refusal(position=start)
    return path
