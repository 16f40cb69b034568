"""Every operator on every column, every comparison of two columns and every order, over one table of awkward values."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import pytest
from engines import Engine
from random_filters import kind
from worlds import CATALOG, FIRM, World, record_guid

from entities.evaluate import answer
from entities.hierarchy import HIERARCHICAL
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeBehavior,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MemoType,
    MoneyType,
    MultiChoiceType,
    StringType,
    UniqueIdentifierType,
)
from entities.metadata.option_labels import has_sorted_labels
from entities.query import (
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    Not,
    Order,
    Page,
    QueryExpression,
)
from entities.relative.settings import PeriodType
from entities.values import ChoiceSet, EntityReference, Record, Value

_EXACT = [Decimal(text) for text in ("0", "-0.0001", "12.34", "12.3400", "12.3450", "-7", "900000000")]
_MOMENTS: Sequence[Value] = [datetime(1753, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)]
_TEXTS: Sequence[Value] = [
    *(
        "",
        "a",
        "Ä",
        "ab",
        "AB",
        "ba",
        "ß",
        "ss",
        "a%b",
        "a_b",
        "%",
        "[a]",
        "it's",
        "😀",
        "a😀",
        "\x01",
        "b\ta",
        "日本",
        "b",
    ),
]
_HELD: dict[type[ColumnType], Sequence[Value]] = {
    StringType: _TEXTS,
    MemoType: _TEXTS[::-1],
    IntegerType: [0, -1, 7, 2**31 - 1, -(2**31)],
    BigIntType: [0, -1, 7, 2**63 - 1, -(2**63)],
    DecimalType: [Decimal(2), *_EXACT],
    MoneyType: _EXACT,
    DoubleType: [0.0, -0.5, 12.34, 1e-9, 1e11],
    BooleanType: [True, False],
    ChoiceType: [10, 11, 12],
    MultiChoiceType: [ChoiceSet((10,)), ChoiceSet((10, 12)), ChoiceSet((11, 12))],
    DateTimeType: _MOMENTS,
    UniqueIdentifierType: [record_guid(1), record_guid(3)],
    LookupType: [EntityReference("sector", record_guid(1)), EntityReference("firm", record_guid(1))],
}
_FINER = [Decimal("12.34499999995"), Decimal("12.345"), Decimal("-0.00005"), Decimal(10) ** 25, -(Decimal(10) ** 25)]
_ROWS = 20


def _held(column: Column) -> Sequence[Value]:
    match column.type:
        case DateTimeType(behavior=DateTimeBehavior.DATE_ONLY):
            return [date(1753, 1, 1), date(2024, 2, 29)]
        case LookupType(targets=targets):
            return [
                value for value in _HELD[LookupType] if isinstance(value, EntityReference) and value.table in targets
            ]
        case DecimalType(precision=digits):
            return [value for value in _HELD[DecimalType] if value == round(Decimal(str(value)), digits)]
        case _:
            return _HELD[type(column.type)]


def _row(number: int) -> Record:
    row: dict[str, Value] = {"firmid": record_guid(number), "versionnumber": 1_000 + number}
    for offset, column in enumerate(FIRM.columns):
        if column.logical_name not in row:
            values = [None, *_held(column)]
            row[column.logical_name] = values[(number * (1 + offset % 3) + offset) % len(values)]
    return row


WORLD: World = {
    "sector": tuple({"sectorid": record_guid(n), "name": f"Z{3 - n}", "versionnumber": n} for n in range(3)),
    "firm": tuple(_row(number) for number in range(_ROWS)),
    "visit": (),
    "firm_sector": (),
}

_ONE = [o for o in ConditionOperator if o.value in ("eq", "ne", "gt", "ge", "lt", "le")]
_LIKE = (ConditionOperator.LIKE, ConditionOperator.NOT_LIKE)
_CHOICES = (ConditionOperator.CONTAIN_VALUES, ConditionOperator.NOT_CONTAIN_VALUES)
_TEXT = [o for o in ConditionOperator if "contains" in o.value or "-with" in o.value]


def _literals(column: Column) -> list[Value]:
    held: list[Value] = [value.id if isinstance(value, EntityReference) else value for value in _held(column)]
    return [*held, *_FINER] if isinstance(column.type, DecimalType | MoneyType) else held


def _operands(column: Column) -> list[tuple[ConditionOperator, tuple[Value, ...]]]:
    literals = _literals(column)
    single = _ONE[:2] if isinstance(column.type, MultiChoiceType) else _ONE
    if isinstance(column.type, StringType | MemoType):
        single = [*single, *_TEXT]
    ranges = (
        [] if isinstance(column.type, MultiChoiceType) else [ConditionOperator.BETWEEN, ConditionOperator.NOT_BETWEEN]
    )
    sets = (ConditionOperator.IN, ConditionOperator.NOT_IN)
    lists = ((), tuple(literals[:1]), tuple(literals[::2]))
    return [
        *_special_operands(column),
        *((operator, (literal,)) for operator, literal in product(single, literals)),
        *product(ranges, product(literals[:5], literals[-5:])),
        *product(sets, lists),
        (ConditionOperator.NULL, ()),
        (ConditionOperator.NOT_NULL, ()),
    ]


def _special_operands(column: Column) -> list[tuple[ConditionOperator, tuple[Value, ...]]]:
    """Return what only columns of one kind are asked."""
    match column.type:
        case StringType() | MemoType():
            patterns = ("", "%", "a%", "%a", "_", "__", "%[ab]", "[^a]%", "a[%]b", "A_B", "[", "ä%")
            return [(operator, (pattern,)) for operator, pattern in product(_LIKE, patterns)]
        case MultiChoiceType():
            return list(product(_CHOICES, ((), (1,), (10,), (10, 11), (12,))))
        case IntegerType() | BigIntType():
            return [(ConditionOperator.HAS, (flags,)) for flags in (0, 1, 3, 6, 2**31 - 1, -1)]
        case DateTimeType():
            calendars = product((1, 4, 13), ("2019-01-01", "2020-02-29"), map(int, PeriodType), ("Asia/Tokyo", "UTC"))
            return [(ConditionOperator.IN_FISCAL_PERIOD, calendar) for calendar in calendars]
        case _ if column.logical_name in {"firmid", "parent", "regarding"}:
            starts = [(record_guid(number),) for number in range(4)]
            return list(product(sorted(HIERARCHICAL, key=lambda operator: operator.value), starts))
        case _:
            return []


def same(engine: Engine, query: QueryExpression) -> None:
    found, expected = engine.records(query), answer(query, CATALOG, WORLD)
    assert found.records == expected.records, query
    assert (found.total, found.next) == (expected.total, expected.next), query


@pytest.mark.parametrize("column", FIRM.columns, ids=[c.logical_name for c in FIRM.columns])
def test_every_operator_and_its_opposite_mean_the_same_on_a_column(engine: Engine, column: Column) -> None:
    engine.hold(WORLD)
    for operator, literals in _operands(column):
        condition = Condition(ColumnRef(column.logical_name), operator, literals)
        for filter_ in (condition, Not(condition)):
            same(engine, QueryExpression("firm", ("firmid",), filter=filter_, count=True))


def test_every_two_columns_of_a_kind_compare_the_same(engine: Engine) -> None:
    engine.hold(WORLD)
    comparable = [c for c in FIRM.columns if not isinstance(c.type, MultiChoiceType)]
    for left, right, operator in product(comparable, comparable, ComparisonOperator):
        if kind(left.type) == kind(right.type):
            compared = ColumnComparison(ColumnRef(left.logical_name), operator, ColumnRef(right.logical_name))
            same(engine, QueryExpression("firm", ("firmid",), filter=compared))
            same(engine, QueryExpression("firm", ("firmid",), filter=Not(compared)))


_SORTABLE = [column for column in FIRM.columns if not isinstance(column.type, MultiChoiceType)]
_SORTS = [(c, labels) for c in _SORTABLE for labels in ((None, 1033) if has_sorted_labels(c.type) else (None,))]


@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize(("column", "labels"), _SORTS, ids=[f"{c.logical_name}-{labels}" for c, labels in _SORTS])
def test_pages_in_any_order_follow_one_another(
    engine: Engine, column: Column, labels: int | None, *, descending: bool
) -> None:
    engine.hold(WORLD)
    orders = (Order(ColumnRef(column.logical_name), descending, labels), Order(ColumnRef("name"), not descending))
    query = QueryExpression("firm", ("firmid",), orders=orders, count=True)
    for size in (1, 7, _ROWS, _ROWS + 1):
        seen: list[Record] = []
        page: Page | None = Page(size)
        while page:
            asked = QueryExpression("firm", ("firmid",), orders=orders, count=True, page=page)
            same(engine, asked)
            found = engine.records(asked)
            seen += found.records
            page = Page(size, found.next) if found.next else None
        assert tuple(seen) == answer(query, CATALOG, WORLD).records
