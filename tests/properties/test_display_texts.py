"""Whatever a user's settings are, the database writes the display texts that records are rendered with."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import table

from entities.display import ENGLISH, Currencies, Currency, DateFormat, Display, NumberFormat, day_text, number_text
from entities.metadata.catalog import CatalogChange, catalog
from entities.metadata.columns import BigIntType, Column, DateTimeBehavior, DateTimeType
from entities.metadata.declare import column, date_only, date_time, decimal, double, integer, lookup, money, string
from entities.query import QueryExpression
from entities.time_zones import TIME_ZONES
from entities.values import EntityReference, Guid, Record, Value
from odata_server.edm.formats import Format
from odata_server.edm.preferences import FORMATTED_VALUE, AnnotationFilter
from odata_server.edm.shapes import web_api_shape
from odata_server.engine import rows
from odata_server.engine.catalog_store import apply_change, initialize
from odata_server.engine.database import Database, Durability
from odata_server.engine.reading import PlanCache, read_page
from odata_server.engine.sqlite.database import SqliteDatabase
from odata_server.render.rows import rows as render_rows

CURRENCY = table("transactioncurrency", 9_105, string("Name"), string("CurrencySymbol"), integer("CurrencyPrecision"))
DEAL = table(
    "deal",
    10_001,
    string("Name"),
    money("Amount"),
    money("Fee", precision=4),
    money("Amount_Base", precision=4),
    decimal("Rate", precision=3),
    double("Score", precision=4),
    integer("Units"),
    column("Points", BigIntType()),
    date_time("ClosedOn"),
    column("SignedOn", DateTimeType(DateTimeBehavior.USER_LOCAL, "DateOnly")),
    date_time("OpensOn", behavior=DateTimeBehavior.TIME_ZONE_INDEPENDENT),
    date_only("BornOn"),
    lookup("TransactionCurrencyId", "transactioncurrency"),
)
CATALOG = catalog(1, (CURRENCY, DEAL), ())
SHOWN = tuple(c.logical_name for c in DEAL.columns if c.logical_name not in {"dealid", "name", "versionnumber"})
IDS = tuple(Guid(f"00000000-0000-4000-8000-00000000000{n}") for n in range(4))

_SEPARATORS = st.sampled_from((".", ",", "'", " ", "", "n$"))
_PATTERNS = st.sampled_from(
    ("M/d/yyyy", "dd/MM/yy", "dddd, d MMMM yyyy", "'it''s' ddd \\d y", "yyyy-MM-ddTHH", '"d"d', "")
)
_TIMES = st.sampled_from(("h:mm tt", "HH:mm:ss", "hh.mm t", "H 'Uhr' m", "s fff tt"))
DATES = st.builds(
    DateFormat, _PATTERNS, _TIMES, _SEPARATORS, _SEPARATORS, st.sampled_from(("AM", "")), st.sampled_from(("PM", "nm"))
)
NUMBERS = st.builds(
    NumberFormat,
    _SEPARATORS.filter(bool),
    _SEPARATORS,
    st.sampled_from(((3,), (), (3, 2), (1,))),
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(0, 15),
)
SYMBOLS = st.builds(Currency, st.sampled_from(("$", "€", "kn$", "%d", "it's")), st.integers(0, 4))
CURRENCIES = st.lists(SYMBOLS, max_size=3).flatmap(
    lambda known: st.builds(
        Currencies,
        st.just(tuple(zip(IDS, known, strict=False))),
        st.none() | st.sampled_from(known) if known else st.none(),
    )
)
ZONES = st.sampled_from(sorted({zone.zone for zone in TIME_ZONES.values()}))
DISPLAYS = st.builds(
    Display, st.just("UTC") | ZONES, st.just(ENGLISH.dates) | DATES, st.just(ENGLISH.numbers) | NUMBERS, CURRENCIES
)

_MOMENTS = st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 30)).map(  # noqa: DTZ001 - the zone follows
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
_MONEY = st.decimals(-(10**9), 10**9, places=4)


def _values(of: Column) -> st.SearchStrategy[Value]:
    match of.logical_name:
        case "amount" | "fee" | "amount_base":
            return _MONEY
        case "rate":
            return st.decimals(-(10**6), 10**6, places=3)
        case "score":
            return st.floats(-(10**6), 10**6).map(lambda number: round(number, 4))
        case "units" | "points":
            return st.integers(-(2**31), 2**31 - 1)
        case "bornon":
            return st.dates(date(1753, 1, 1), date(9999, 12, 30))
        case "transactioncurrencyid":
            return st.sampled_from(IDS).map(lambda key: EntityReference("transactioncurrency", key))
        case _:
            return _MOMENTS


RECORDS = st.lists(
    st.fixed_dictionaries({name: st.none() | _values(DEAL.by_name[name]) for name in SHOWN}), min_size=1, max_size=3
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = SqliteDatabase(tmp_path_factory.mktemp("displays") / "data.db", Durability.NONE)
    with made.writing() as connection:
        initialize(connection, "00000000-0000-0000-0000-00000000000a")
        apply_change(connection, catalog(0, (), ()), CatalogChange(tuple(CATALOG.tables.values()), ()))
    yield made
    made.close()


def _held(database: Database, records: list[Record], currencies: Currencies) -> None:
    with database.writing() as connection:
        for name in CATALOG.tables:
            connection.execute(f"DELETE FROM {name}")
        for key, currency in currencies.by_id:
            shown: Record = {"currencysymbol": currency.symbol, "currencyprecision": currency.precision, "name": None}
            rows.insert(connection, CURRENCY, {"transactioncurrencyid": key, "versionnumber": 1, **shown})
        for record in records:
            rows.insert(connection, DEAL, record)


@given(display=DISPLAYS, drawn=RECORDS)
def test_the_database_writes_what_records_are_rendered_to(
    database: Database, display: Display, drawn: list[dict[str, Value]]
) -> None:
    records: list[Record] = [
        {"dealid": Guid(f"00000000-0000-4000-8000-0000000001{n:02}"), "name": None, "versionnumber": 1, **record}
        for n, record in enumerate(drawn)
    ]
    _held(database, records, display.currencies)
    wanted = AnnotationFilter((FORMATTED_VALUE,))
    shape = web_api_shape(CATALOG, DEAL, SHOWN, annotations=wanted, form=Format(display=display))

    body = read_page(database.reader(), PlanCache(), CATALOG, QueryExpression("deal"), shape).body

    assert body == render_rows(records, shape)


@given(number=st.decimals(-(10**12), 10**12, places=3), numbers=NUMBERS)
def test_digits_are_only_divided_by_separators(number: Decimal, numbers: NumberFormat) -> None:
    shown = number_text(f"{number:,f}", numbers)

    assert "".join(filter(str.isdigit, shown)) == "".join(filter(str.isdigit, f"{number:f}"))


@given(moment=_MOMENTS, zone=ZONES)
def test_an_instant_has_at_most_one_day_more_or_less_elsewhere(moment: datetime, zone: str) -> None:
    shown = date.fromisoformat(day_text(moment, zone, DateFormat("yyyy-MM-dd", date_separator="-")))

    assert abs(shown.toordinal() - moment.date().toordinal()) <= 1
