"""Rows as JSON, made by the database: each member of a `RowShape` as a fragment of SQL.

`json_object` makes the members that are always there; members that are left out where the value is null are
concatenated as text before the value they annotate. `render.rows` gives the same bytes from records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import orjson

from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    ColumnType,
    DateTimeBehavior,
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
from odata_server.edm.managed_properties import managed_property
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.engine.database import quoted
from odata_server.engine.sql.display_sql import aggregate_display_sql, display_sql, exact_sql
from odata_server.engine.sql.predicates import Scope
from odata_server.engine.storage import scale_of, table_of_lookup

_PAIRS = 200
"""Members per json_object call: SQLite takes 500 pairs, the depth of an expression is the tighter limit."""

_GROUP = 50
"""Members per parenthesis of a concatenation, which SQLite reads as an expression as deep as it is long."""

_CONDITIONAL = frozenset(
    {Facet.FORMATTED, Facet.LOOKUP_LOGICAL_NAME, Facet.NAVIGATION, Facet.TYPE, Facet.AGGREGATE_FORMATTED}
)
"""Facets whose member is left out where the value is null."""


def row_sql(scope: Scope, shape: RowShape, appended: Sequence[tuple[str, str]] = ()) -> str:
    """Return the SQL text expression of one row's JSON object.

    Members that may be left out are written as text with a comma after them, so the last chunk, which is always
    there, closes the object.

    Args:
        scope: the statement.
        shape: the members of the row.
        appended: names of members that come last, and SQL for the JSON text of each.
    """
    members = shape.members
    last = next((n for n in range(len(members), 0, -1) if _may_go(members[n - 1])), 0)
    tail_start = max(last, len(members) - _PAIRS)
    pieces = [_piece_sql(scope, member) for member in members[:tail_start]]
    tail = _object_sql(scope, members[tail_start:], appended)
    if not pieces:
        return tail
    groups = (pieces[start : start + _GROUP] for start in range(0, len(pieces), _GROUP))
    joined = " || ".join(f"({' || '.join(group)})" for group in groups)
    if tail_start == len(members) and not appended:
        return f"'{{' || rtrim({joined}, ',') || '}}'"
    return f"'{{' || {joined} || substr({tail}, 2)"


def _object_sql(scope: Scope, members: tuple[Member, ...], appended: Sequence[tuple[str, str]]) -> str:
    pairs = [f"{text(m.name)}, {member_sql(scope, m)}" for m in members]
    if not appended:
        return f"json_object({', '.join(pairs)})"
    # A subquery's text is concatenated, because it may lose the mark of JSON on its way into json_object. The number
    # that stands for the first of them is trimmed off together with the closing brace.
    (first, value), *others = appended
    head = f"rtrim(json_object({', '.join((*pairs, f'{text(first)}, 0'))}), '0}}')"
    rest = "".join(f" || {text(',' + json_name(name))} || {other}" for name, other in others)
    return f"({head} || {value}{rest} || '}}')"


def json_name(name: str) -> str:
    """Return a member's name as JSON with the colon behind it."""
    return orjson.dumps(name).decode() + ":"


def _piece_sql(scope: Scope, member: Member) -> str:
    name = text(json_name(member.name))
    value = f"json_quote({member_sql(scope, member)})"
    if _may_go(member):
        return f"coalesce({name} || nullif({value}, 'null') || ',', '')"
    return f"{name} || {value} || ','"


def _may_go(member: Member) -> bool:
    return member.omits_null or member.facet in _CONDITIONAL


def member_sql(scope: Scope, member: Member) -> str:
    """Return the SQL of a member's value as `json_object` takes it; NULL is null, or no member where it may go."""
    alias, table, _ = scope.column(member.column)
    column = f"{alias}.{quoted(member.column.name)}"
    match member.facet:
        case Facet.VALUE:
            return value_sql(column, member.type)
        case Facet.VALUE_AS_TEXT:
            return _text_sql(column, member.type)
        case Facet.FORMATTED:
            return _formatted_sql(scope, column, member)
        case Facet.LOOKUP_LOGICAL_NAME:
            return _referenced_table_sql(column, member)
        case Facet.NAVIGATION:
            return _navigation_sql(column, member)
        case Facet.AGGREGATE | Facet.AGGREGATE_AS_TEXT | Facet.AGGREGATE_FORMATTED:
            return _aggregate_sql(scope, column, member)
        case Facet.FINANCE_VALUE:
            return _finance_sql(column, member)
        case Facet.ETAG | Facet.ENTITY_ID | Facet.TYPE | Facet.FINANCE_ETAG:
            return _control_sql(column, f"{alias}.{quoted(table.primary_id)}", member)
        case _:
            assert_never(member.facet)


def _control_sql(column: str, primary_id: str, member: Member) -> str:
    """Return control information: what is computed from a version or an id, or stands for a value that is there."""
    if member.facet is Facet.ENTITY_ID:
        before, _, after = member.base.partition("{id}")
        return f"{text(before)} || {column} || {text(after)}"
    if member.facet is Facet.TYPE:
        return f"CASE WHEN {column} IS NOT NULL THEN {text(member.base)} END"
    if member.facet is Facet.FINANCE_ETAG:
        return f"finance_etag({column}, {primary_id})"
    return f"'W/\"' || {column} || '\"'"


def value_sql(column: str, type_: ColumnType) -> str:
    """Return a stored value as the Web API shows it."""
    match type_:
        case BooleanType():
            return f"json(CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
        case ManagedPropertyType():
            yes, no = (text(managed_property(type_, value=value)) for value in (True, False))
            return f"json(CASE {column} WHEN 1 THEN {yes} WHEN 0 THEN {no} END)"
        case DecimalType() | MoneyType():
            return f"json({exact_sql(column, scale_of(type_), scale_of(type_), '%d')})"
        case MultiChoiceType():
            return f"trim({column}, ',')"
        case DoubleType():
            # Doubles lose their last digits on the wire (15 significant ones stay).
            return f"json(CASE WHEN {column} IS NOT NULL THEN printf('%!.15g', {column}) END)"
        case ImageType():
            return f"base64_text({column})"
        case (
            UniqueIdentifierType()
            | StringType()
            | MemoType()
            | IntegerType()
            | BigIntType()
            | DateTimeType()
            | ChoiceType()
            | StateType()
            | StatusType()
            | LookupType()
            | EntityNameType()
            | FileType()
        ):
            return column
        case _:
            assert_never(type_)


def _text_sql(column: str, type_: ColumnType) -> str:
    """Return an integer or exact number as text instead of as a JSON number."""
    match type_:
        case DecimalType() | MoneyType():
            return exact_sql(column, scale_of(type_), scale_of(type_), "%d")
        case _:
            return f"CAST({column} AS TEXT)"


def _case_sql(column: str, names: tuple[tuple[int | str, str], ...]) -> str:
    arms = " ".join(f"WHEN {text(k) if isinstance(k, str) else k} THEN {text(v)}" for k, v in names)
    return f"CASE {column} {arms} END" if arms else "NULL"


def _referenced_table_sql(column: str, member: Member) -> str:
    assert isinstance(member.type, LookupType)
    if member.type.is_polymorphic:
        return f"{column.partition('.')[0]}.{quoted(table_of_lookup(member.column.name))}"
    return f"CASE WHEN {column} IS NOT NULL THEN {text(member.type.targets[0])} END"


def _navigation_sql(column: str, member: Member) -> str:
    return _case_sql(f"({_referenced_table_sql(column, member)})", member.names)


def _formatted_sql(scope: Scope, column: str, member: Member) -> str:
    """Return the display text of a stored value."""
    type_ = member.type
    if isinstance(type_, LookupType):
        return shown_name_sql(column, member)
    if isinstance(type_, MultiChoiceType):
        label = _case_sql("option.value", member.names)
        listed = f"json_each('[' || trim({column}, ',') || ']') AS option"
        return f"(SELECT group_concat(coalesce({label}, option.value), '; ') FROM {listed})"
    if member.names:
        return _case_sql(column, member.names)
    return display_sql(scope, column, member)


def _aggregate_sql(scope: Scope, column: str, member: Member) -> str:
    """Return an aggregated exact number, which is stored as the database's `exact_number` writes it."""
    if member.facet is Facet.AGGREGATE_FORMATTED:
        return aggregate_display_sql(scope, column, member)
    assert isinstance(member.type, DecimalType)
    number = f"exact_text({column}, {member.type.precision})"
    return number if member.facet is Facet.AGGREGATE_AS_TEXT else f"json({number})"


def shown_name_sql(column: str, member: Member) -> str:
    """Return the primary name of the referenced record."""
    names = {
        table: f"(SELECT n.{quoted(name)} FROM {quoted(table)} AS n WHERE n.{quoted(key)} = {column})"
        for table, key, name in member.lookup_names
    }
    assert isinstance(member.type, LookupType)
    if not member.type.is_polymorphic:
        return next(iter(names.values()), "NULL")
    arms = " ".join(f"WHEN {text(table)} THEN {sql}" for table, sql in names.items())
    return f"CASE {_referenced_table_sql(column, member)} {arms} END" if arms else "NULL"


def _finance_sql(column: str, member: Member) -> str:
    """Return a stored value in the `/data` dialect, which knows no nulls where the type has an empty value."""
    match member.type:
        case StringType() | MemoType() | EntityNameType() | MultiChoiceType():
            return f"coalesce({value_sql(column, member.type)}, '')"
        case IntegerType() | BigIntType() | DecimalType() | MoneyType():
            return value_sql(f"coalesce({column}, 0)", member.type)
        case DoubleType():
            return value_sql(f"coalesce({column}, 0.0)", member.type)
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return f"coalesce({column} || 'T12:00:00Z', '1900-01-01T00:00:00Z')"
        case DateTimeType():
            return f"coalesce({column}, '1900-01-01T00:00:00Z')"
        case ChoiceType() | StateType() | StatusType() | BooleanType() if member.names:
            return _case_sql(f"coalesce({column}, 0)", member.names)
        case UniqueIdentifierType() | LookupType():
            return f"coalesce({column}, '00000000-0000-0000-0000-000000000000')"
        case (
            ManagedPropertyType() | FileType() | ImageType() | ChoiceType() | StateType() | StatusType() | BooleanType()
        ):
            return value_sql(column, member.type)
        case _:
            assert_never(member.type)


def text(value: str) -> str:
    """Return an SQL text literal (for constants of the metadata, never for values of a request)."""
    return "'" + value.replace("'", "''") + "'"
