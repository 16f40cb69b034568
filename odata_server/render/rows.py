"""Records and a row shape as JSON: the same bytes that the database's compiled statement returns.

Used where the database did not make the wire form: on PostgreSQL, for virtual tables and evaluated queries. What a
shape asks for is compiled once, into one writer per member; a writer takes the rows column by column, and orjson writes
what all of them gave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, repeat
from typing import Final, TypeAlias, assert_never, cast

import orjson

from entities.messages import Rows
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    DateTimeType,
    DecimalType,
    DoubleType,
    EntityNameType,
    FileType,
    ImageType,
    IntegerType,
    LookupType,
    ManagedPropertyType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
    StringType,
    UniqueIdentifierType,
)
from entities.query import ColumnRef
from entities.values import EMPTY_GUID, EntityReference, Record
from odata_server.edm.etags import finance_etag, web_api_etag
from odata_server.edm.representation import Expanded, Facet, Member, NextLink, RowShape
from odata_server.engine.storage import scale_of
from odata_server.render.columns import Columns, columns
from odata_server.render.values import EMPTY_MOMENT, Token, currency_column, formatter, plain, shifted

_SHAPES: Final = 4_096
_AT_ONCE: Final = 128
"""Rows that are objects at the same time: few enough that the garbage collector does not look at everything else."""
_LEFT_OUT: Final = orjson.Fragment("")
"""Stands where a row has no such member."""

_CONDITIONAL: Final = frozenset(
    {Facet.FORMATTED, Facet.LOOKUP_LOGICAL_NAME, Facet.NAVIGATION, Facet.TYPE, Facet.AGGREGATE_FORMATTED}
    | {Facet.ETAG, Facet.ENTITY_ID, Facet.FINANCE_ETAG}
)
"""Facets whose member is left out where the value is null."""

_Object: TypeAlias = dict[str, object]
_Writer: TypeAlias = Callable[[Columns], Sequence[Token]]
"""Gives a member's token for each row."""


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """A compiled shape: the names of its members, what writes them, and the places of those that a row may lack."""

    names: tuple[str, ...]
    writers: tuple[_Writer, ...]
    optional: tuple[int, ...]
    expanded: tuple[Expanded, ...]


def rows(
    records: Iterable[Record],
    shape: RowShape,
    *,
    id_column: str = "",
    expanded: Iterable[tuple[Rows, ...]] = (),
) -> bytes:
    """Return the rows' JSON objects joined by commas, without brackets.

    Args:
        records: values by column logical name, columns of linked tables by `alias.name`; or what was fetched.
        shape: the members of each row in wire order.
        id_column: the table's primary id, which a finance-and-operations entity tag needs.
        expanded: what the query's expansions add to each record, in the order of the records.
    """
    objects = _objects(columns(records, expanded), _compiled(shape, id_column))
    parts = []
    while some := list(islice(objects, _AT_ONCE)):
        parts.append(orjson.dumps(some)[1:-1])
    return b",".join(parts)


def row(record: Record, shape: RowShape) -> str:
    """Return one record as a JSON object without blanks."""
    return rows((record,), shape).decode()


@lru_cache(_SHAPES)
def _compiled(shape: RowShape, id_column: str) -> _RowWriter:
    members = shape.members
    return _RowWriter(
        tuple(member.name for member in members),
        tuple(_omitting(_writer(m, id_column)) if m.omits_null else _writer(m, id_column) for m in members),
        tuple(n for n, member in enumerate(members) if member.omits_null or member.facet in _CONDITIONAL),
        shape.expanded,
    )


def _objects(source: Columns, writer: _RowWriter) -> Iterator[_Object]:
    """Return rows as JSON objects, with the records that their expansions add."""
    names = writer.names
    tokens = [write(source) for write in writer.writers]
    written: Iterable[tuple[Token, ...]] = zip(*tokens, strict=True) if tokens else repeat((), len(source))
    found: Iterator[_Object]
    if any(_LEFT_OUT in tokens[place] for place in writer.optional):
        found = ({n: t for n, t in zip(names, row, strict=True) if t is not _LEFT_OUT} for row in written)
    else:
        found = (dict(zip(names, row, strict=True)) for row in written)
    place = 0
    for added in writer.expanded:
        found = _expanding(found, source, added, place)
        place += len(added.shapes)
    return found


def _expanding(found: Iterator[_Object], source: Columns, added: Expanded, place: int) -> Iterator[_Object]:
    """Yield rows with the member for an expanded navigation property, and with the one for the link to more records."""
    expansions = [source.expansion(number) for number in range(place, place + len(added.shapes))]
    waiting = [_objects(records, _compiled(s, "")) for (records, _), s in zip(expansions, added.shapes, strict=True)]
    sizes = zip(*[counts for _, counts in expansions], strict=True)
    links = _links(source, added.link, *expansions[0]) if added.is_collection and added.link else repeat(None)
    for one, counts, link in zip(found, sizes, links, strict=False):
        listed = [next(objects) for objects, count in zip(waiting, counts, strict=True) for _ in range(count)]
        one[added.name] = listed if added.is_collection else listed[0] if listed else None
        if link is not None:
            one[f"{added.name}@odata.nextLink"] = link
        yield one


def _links(source: Columns, link: NextLink, records: Columns, counts: Sequence[int]) -> Iterator[str | None]:
    """Yield the URL behind each row's expanded records, None where there are no more of them."""
    urls = [f"{link.before}{key}{link.after}" for key in _identifiers(source, ColumnRef(link.key))]
    cookie = link.cookie
    if cookie is None:
        yield from urls
        return
    keys = _identifiers(records, ColumnRef(cookie.key))
    begin = 0
    for url, count in zip(urls, counts, strict=True):
        first, last = begin, begin + count - 1
        begin += count
        is_full = count == cookie.size
        yield f"{url}{cookie.before}{keys[last]}{cookie.between}{keys[first]}{cookie.after}" if is_full else None


def _identifiers(source: Columns, ref: ColumnRef) -> Sequence[Token]:
    return source.tokens(ref, UniqueIdentifierType())


def _texts(tokens: Sequence[Token]) -> Iterator[str | None]:
    return (None if token is None else str(token) for token in tokens)


def _writer(member: Member, id_column: str) -> _Writer:
    """Return what writes a member."""
    ref, type_ = member.column, member.type
    match member.facet:
        case Facet.VALUE | Facet.AGGREGATE:
            return lambda source: source.tokens(ref, type_)
        case Facet.VALUE_AS_TEXT | Facet.AGGREGATE_AS_TEXT:
            return lambda source: [None if v is None else plain(v, type_) for v in source.values(ref)]
        case Facet.FINANCE_VALUE:
            return _finance(member)
        case Facet.FORMATTED | Facet.AGGREGATE_FORMATTED:
            return _formatted(member)
        case Facet.LOOKUP_LOGICAL_NAME | Facet.NAVIGATION:
            return _referenced(member)
        case Facet.ETAG | Facet.ENTITY_ID | Facet.FINANCE_ETAG | Facet.TYPE:
            return _derived(member, id_column)
        case _:
            assert_never(member.facet)


def _derived(member: Member, id_column: str) -> _Writer:
    """Return the writer of what is made from a version or an id, or stands beside a value that is there."""
    match member.facet:
        case Facet.TYPE:
            return _made(member, lambda _: member.base)
        case Facet.ETAG:
            return _made(member, lambda version: web_api_etag(cast("int", version)))
        case Facet.ENTITY_ID:
            before, _, after = member.base.partition("{id}")
            return _made(member, lambda key: f"{before}{key}{after}")
        case _:
            # The record of an expansion is of another table than the rows.
            return _finance_etag(member, ColumnRef(member.base or id_column))


def _omitting(write: _Writer) -> _Writer:
    """Return a writer that leaves nulls out."""
    return lambda source: [_LEFT_OUT if token is None else token for token in write(source)]


def _made(member: Member, make: Callable[[Token], str]) -> _Writer:
    """Return the writer of what is made of each value that is there."""
    ref, type_ = member.column, member.type
    return lambda source: [_LEFT_OUT if t is None else make(t) for t in source.tokens(ref, type_)]


def _finance_etag(member: Member, key: ColumnRef) -> _Writer:
    def write(source: Columns) -> Sequence[Token]:
        pairs = zip(source.tokens(member.column, member.type), _identifiers(source, key), strict=True)
        return [_LEFT_OUT if found is None else finance_etag(cast("int", found), str(id_)) for found, id_ in pairs]

    return write


def _formatted(member: Member) -> _Writer:
    """Return the writer of display texts."""
    shown, currency = formatter(member), currency_column(member)

    def write(source: Columns) -> Sequence[Token]:
        values = source.values(member.column)
        ids = _texts(_identifiers(source, currency)) if currency else repeat(None)
        texts = map(shown, values, ids)
        return [_LEFT_OUT if text is None else text for text in texts]

    return write


def _referenced(member: Member) -> _Writer:
    """Return the writer of what a lookup's table decides: its name, or the navigation property that leads there."""
    names = dict(member.names)
    is_name = member.facet is Facet.LOOKUP_LOGICAL_NAME

    def shown(table: str) -> Token:
        return table if is_name else names.get(table, _LEFT_OUT)

    return lambda source: [
        shown(value.table) if isinstance(value, EntityReference) else _LEFT_OUT
        for value in source.values(member.column)
    ]


def _finance(member: Member) -> _Writer:
    """Return the writer of values in the `/data` dialect: choices by name, no nulls where the type has an empty value.

    Args:
        member: `names` holds the choice's external names.
    """
    ref, type_ = member.column, member.type
    names, empty = dict(member.names), _empty(member)

    def written(token: Token) -> Token:
        match token:
            case None:
                return empty
            case bool() | int() if names:
                return names.get(int(token))
            case str() if isinstance(type_, DateTimeType) and "T" not in token:
                return f"{token}T12:00:00Z"
            case _:
                return token

    return lambda source: [written(token) for token in source.tokens(ref, type_)]


def _empty(member: Member) -> Token:
    """Return what finance-and-operations prints for a value that was never set."""
    match member.type:
        case StringType() | MemoType() | EntityNameType() | MultiChoiceType():
            return ""
        case IntegerType() | BigIntType():
            return 0
        case DecimalType() | MoneyType():
            return orjson.Fragment(shifted(0, scale_of(member.type)))
        case DoubleType():
            return orjson.Fragment("0.0")
        case DateTimeType():
            return EMPTY_MOMENT
        case ChoiceType() | StateType() | StatusType() | BooleanType():
            return dict(member.names).get(0)
        case UniqueIdentifierType() | LookupType():
            return EMPTY_GUID
        case ManagedPropertyType() | FileType() | ImageType():
            return None
        case _:
            assert_never(member.type)
