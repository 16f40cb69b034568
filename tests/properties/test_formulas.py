"""Calculated columns: both databases give, for random records, what evaluation in memory gives."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import COLORS, GUIDS, TEXTS, record_guid, table, values

from entities.evaluate import evaluate
from entities.formulas.checking import check_formulas
from entities.metadata.catalog import CatalogChange, catalog
from entities.metadata.declare import (
    boolean,
    calculated,
    choice,
    date_only,
    date_time,
    decimal,
    integer,
    lookup,
    money,
    string,
)
from entities.query import (
    ColumnComparison,
    ColumnRef,
    ComparisonOperator,
    Condition,
    ConditionOperator,
    LinkEntity,
    Order,
    QueryExpression,
)
from entities.text import fold
from entities.values import EntityReference
from odata_server.engine import rows
from odata_server.engine.catalog_store import apply_change, initialize
from odata_server.engine.database import Database, Durability
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.reading import PlanCache, read_records
from odata_server.engine.sqlite.database import SqliteDatabase

MAKER = table(
    "maker", 10_001, string("Name"), money("Budget"), integer("Rank"), calculated(integer("Next"), "rank + 1")
)
PART = table(
    "part",
    10_002,
    string("Name"),
    string("Motto"),
    integer("Staff"),
    integer("Seats"),
    decimal("Ratio", precision=10),
    money("Revenue"),
    money("Costs", precision=4),
    boolean("Listed"),
    choice("Color", COLORS),
    date_time("SeenOn"),
    date_time("OpensOn"),
    date_only("BornOn"),
    lookup("Maker", "maker"),
    lookup("Whole", "part"),
    calculated(decimal("Margin", precision=2), "(revenue - costs) / staff"),
    calculated(decimal("Fine", precision=10), "ratio * -seats / 3"),
    calculated(money("Share"), "IF(CONTAINSDATA(whole.revenue), whole.revenue * 0.25, -margin)"),
    calculated(string("Greeting", 12), "CONCAT(TRIMLEFT(name, 1), '-', maker.name, TRIMRIGHT(motto, 2))"),
    calculated(integer("Ranks"), "maker.next + IF(name = motto, 1, NULL)"),
    *(
        calculated(integer(f"By{unit}"), f"DIFFIN{unit}(seenon, openson)")
        for unit in ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES")
    ),
    *(calculated(date_only(f"In{unit}"), f"ADD{unit}(seats, bornon)") for unit in ("YEARS", "MONTHS", "WEEKS", "DAYS")),
    calculated(date_time("EndsOn"), "ADDHOURS(staff, SUBTRACTMONTHS(maker.rank, seenon))"),
    calculated(boolean("Great"), "margin > 5 AND NOT listed OR color = 11 OR greeting > 'b'"),
)
CATALOG = catalog(1, (MAKER, PART), ())
SHOWN = tuple(column.logical_name for column in PART.calculated)


@pytest.fixture(scope="module", params=("SQLite", "PostgreSQL"))
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "SQLite":
        yield from _filled(SqliteDatabase(tmp_path_factory.mktemp("formulas") / "data.db", Durability.NONE))
        return
    with request.getfixturevalue("fresh_postgres")() as url:
        yield from _filled(PostgresDatabase(url, "formulas", Durability.NONE))


def _filled(database: Database) -> Iterator[Database]:
    database.create()
    with database.writing() as connection:
        initialize(connection, "00000000-0000-0000-0000-00000000000a")
        apply_change(connection, catalog(0, (), ()), CatalogChange((MAKER, PART)))
    yield database
    database.close()


def test_the_formulas_fit_their_columns():
    for one in CATALOG.tables.values():
        check_formulas(CATALOG.tables, one)


def _records(declared, count, lookups):
    own = {
        c.logical_name: st.one_of(st.none(), values(c), values(c))
        for c in declared.columns
        if not c.formula and c.logical_name not in {declared.primary_id, "versionnumber", *lookups}
    }
    row = st.fixed_dictionaries({**own, **lookups})
    return st.lists(row, min_size=count, max_size=count).map(
        lambda found: tuple(
            {**r, declared.primary_id: record_guid(n), "versionnumber": 1 + n} for n, r in enumerate(found)
        )
    )


def _references(name):
    return st.one_of(st.none(), GUIDS.map(lambda key: EntityReference(name, key)))


WORLDS = st.fixed_dictionaries(
    {
        "maker": _records(MAKER, 3, {}),
        "part": _records(PART, 6, {"maker": _references("maker"), "whole": _references("part")}),
    }
)


def _hold(database, world):
    with database.writing() as connection:
        for name, records in world.items():
            connection.execute(f'DELETE FROM "{name}"')
            for record in records:
                rows.insert(connection, CATALOG.tables[name], record)


def _queries():
    yield QueryExpression("part", SHOWN)
    for name in ("greeting", "share", "great"):
        yield QueryExpression("part", ("partid", name), orders=(Order(ColumnRef(name), descending=True),))
    yield QueryExpression("part", ("partid",), filter=Condition(ColumnRef("great"), ConditionOperator.EQUAL, (True,)))
    yield QueryExpression("part", ("partid",), filter=Condition(ColumnRef("margin"), ConditionOperator.NOT_NULL))
    greeting = Condition(ColumnRef("greeting"), ConditionOperator.CONTAINS, ("-",))
    yield QueryExpression("part", ("greeting",), filter=greeting, distinct=True)
    less = ColumnComparison(ColumnRef("margin"), ComparisonOperator.LESS_EQUAL, ColumnRef("share"))
    yield QueryExpression("part", ("partid",), filter=less)
    link = LinkEntity("w", "part", "partid", "whole")
    yield QueryExpression("part", ("partid",), (ColumnRef("share", "w"), ColumnRef("endson", "w")), links=(link,))


QUERIES = tuple(_queries())


@settings(max_examples=25)
@given(world=WORLDS)
def test_a_database_computes_what_evaluation_does(database, world):
    _hold(database, world)
    plans = PlanCache()
    for query in QUERIES:
        found = read_records(database.reader(), plans, CATALOG, query)
        assert found.records == evaluate(query, CATALOG, world)


@settings(max_examples=40)
@given(texts=st.lists(TEXTS, min_size=1, max_size=30))
def test_a_text_has_the_same_fold_in_a_database(database, texts):
    places = ", ".join(f"folded_text(CAST(${n} AS TEXT))" for n in range(1, len(texts) + 1))
    found = database.reader().execute(f"SELECT {places}", tuple(texts)).fetchone()
    assert list(found) == [fold(text) for text in texts]
