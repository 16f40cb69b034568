"""What formulas give, case by case; databases are held against this evaluation elsewhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from entities.formulas.checking import FormulaScope, check_formulas
from entities.formulas.evaluation import Source, calculated
from entities.metadata import declare
from entities.metadata.columns import Column
from entities.metadata.labels import label
from entities.metadata.tables import Table
from entities.values import EntityReference, Guid

KEY = Guid("00000000-0000-4000-8000-000000000001")


def _table(name: str, *columns: Column) -> Table:
    own = (declare.primary_id(f"{name}id"), declare.string("Name"), *columns)
    return Table(name, name, f"{name}s", 1, f"{name}id", "name", own, label(name), label(name))


OTHER = _table("other", declare.integer("Rank"))
PLAIN = (
    declare.integer("Count"),
    declare.decimal("Ratio", precision=4),
    declare.money("Price"),
    declare.boolean("Done"),
    declare.date_only("Day"),
    declare.date_time("Moment"),
    declare.lookup("Other", "other"),
)
RECORD = {
    "name": "Straße 7",
    "count": 7,
    "ratio": Decimal("0.125"),
    "price": Decimal("19.99"),
    "done": False,
    "day": date(2024, 1, 31),
    "moment": datetime(2024, 1, 31, 23, 30, tzinfo=UTC),
    "other": EntityReference("other", KEY),
}


def value(column: Column, formula: str, **more: object) -> object:
    made = declare.calculated(column, formula)
    table = _table("thing", *PLAIN, made)
    tables = {"thing": table, "other": OTHER}
    check_formulas(tables, table)
    source = Source(FormulaScope(tables, table), {**RECORD, **more}, lambda *_: {"name": "Far", "rank": 3})
    return calculated(made, source)


NUMBER, AMOUNT = declare.decimal("Made", precision=2), declare.money("Made")
WHOLE, TEXT, TRUTH = declare.integer("Made"), declare.string("Made", 10), declare.boolean("Made")
DAY, MOMENT = declare.date_only("Made"), declare.date_time("Made")

VALUES = [
    (NUMBER, "1 + 2 * 3 - 4 / 8", Decimal("6.5")),
    (NUMBER, "-(count - 10) * ratio", Decimal("0.38")),
    (NUMBER, "2 / 3", Decimal("0.67")),
    (NUMBER, "-2 / 3", Decimal("-0.67")),
    (NUMBER, "1 / (count - 7)", None),
    (AMOUNT, "price * 3", Decimal("59.97")),
    (AMOUNT, "price / 3", Decimal("6.66")),
    (WHOLE, "price", 20),
    (WHOLE, "count * 1000000000", None),
    (WHOLE, "other.rank + 1", 4),
    (TEXT, "CONCAT(other.name, '/', name)", "Far/Straße"),
    (TEXT, "TRIMLEFT(name, 2)", "raße 7"),
    (TEXT, "TRIMRIGHT(name, 2)", "Straße"),
    (TEXT, "TRIMRIGHT(name, 99)", ""),
    (TEXT, "IF(done, 'yes', 'it''s not')", "it's not"),
    (TRUTH, "name = 'STRASSE 7'", True),
    (TRUTH, "name <> 'x' AND NOT done", True),
    (TRUTH, "CONTAINSDATA(other) AND CONTAINSDATA(price)", True),
    (TRUTH, "day < ADDDAYS(1, day)", True),
    (DAY, "ADDMONTHS(1, day)", date(2024, 2, 29)),
    (DAY, "ADDYEARS(1, ADDMONTHS(1, day))", date(2025, 2, 28)),
    (DAY, "SUBTRACTWEEKS(5, day)", date(2023, 12, 27)),
    (DAY, "ADDYEARS(8000, day)", None),
    (DAY, "SUBTRACTYEARS(300, day)", None),
    (MOMENT, "ADDHOURS(1, moment)", datetime(2024, 2, 1, 0, 30, tzinfo=UTC)),
    (MOMENT, "SUBTRACTHOURS(1.9, moment)", datetime(2024, 1, 31, 22, 30, tzinfo=UTC)),
    (WHOLE, "DIFFINDAYS(moment, ADDHOURS(1, moment))", 1),
    (WHOLE, "DIFFINHOURS(moment, ADDHOURS(1, moment))", 1),
    (WHOLE, "DIFFINMINUTES(moment, ADDHOURS(1, moment))", 60),
    (WHOLE, "DIFFINMONTHS(day, ADDDAYS(1, day))", 1),
    (WHOLE, "DIFFINYEARS(day, ADDDAYS(1, day))", 0),
    (WHOLE, "DIFFINWEEKS(day, ADDDAYS(3, day))", 0),
    (WHOLE, "DIFFINWEEKS(day, ADDDAYS(4, day))", 1),
    (WHOLE, "DIFFINDAYS(ADDDAYS(2, day), day)", -2),
    (WHOLE, "DIFFINYEARS(NOW(), NOW())", 0),
]


@pytest.mark.parametrize(("column", "formula", "expected"), VALUES)
def test_a_formula_gives_its_value(column, formula, expected):
    assert value(column, formula) == expected


MISSING = [
    (NUMBER, "count + 1", None),
    (TRUTH, "count > 1", None),
    (TRUTH, "count > 1 OR NOT done", True),
    (TRUTH, "count > 1 AND done", False),
    (TRUTH, "NOT count > 1", None),
    (TRUTH, "CONTAINSDATA(count)", False),
    (WHOLE, "IF(count > 1, 1, 2)", 2),
    (TEXT, "CONCAT('a', TRIMLEFT(TRIMLEFT(other.name, 1), 1))", "ar"),
]


@pytest.mark.parametrize(("column", "formula", "expected"), MISSING)
def test_a_missing_value_is_unknown(column, formula, expected):
    assert value(column, formula, count=None) == expected
