"""Small worlds for generated tests: three related tables with columns of every type, and records for them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from entities.metadata.catalog import Catalog, catalog
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    Choice,
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
from entities.metadata.declare import (
    boolean,
    choice,
    column,
    date_only,
    date_time,
    decimal,
    double,
    integer,
    lookup,
    memo,
    money,
    options,
    primary_id,
    string,
    unique_identifier,
    version_column,
)
from entities.metadata.labels import label
from entities.metadata.relationships import ManyToMany, OneToMany
from entities.metadata.tables import Table, TableKind
from entities.values import ChoiceSet, EntityReference, Guid, Record, Value

World = Mapping[str, tuple[Record, ...]]

COLORS = options("Red", "Green", "Blue", "green", first=10)


def table(name: str, code: int, *columns: Column, primary_name: str | None = "name", **more: object) -> Table:
    """Declare a table with an id and a version."""
    own = (primary_id(f"{name}id"), *columns, version_column())
    texts = (label(name.title()), label(f"{name.title()}s"))
    declared = Table(name, name.title(), f"{name}s", code, f"{name}id", primary_name, own, *texts)
    return replace(declared, **more)  # type: ignore[arg-type]  # replace() checks the names at run time


SECTOR = table("sector", 10_001, string("Name"), money("Budget"), integer("Rank"))
FIRM = table(
    "firm",
    10_002,
    string("Name"),
    memo("Story"),
    string("Motto"),
    integer("Staff"),
    integer("Seats"),
    column("Points", BigIntType()),
    decimal("Ratio", precision=10),
    decimal("Rate", precision=2),
    money("Revenue"),
    money("Costs", precision=4),
    double("Score", precision=5),
    boolean("Listed"),
    choice("Color", COLORS),
    column("Palette", MultiChoiceType(Choice("palette", COLORS))),
    date_time("SeenOn"),
    date_time("OpensOn", behavior=DateTimeBehavior.TIME_ZONE_INDEPENDENT),
    date_only("BornOn"),
    unique_identifier("Token"),
    lookup("Sector", "sector"),
    lookup("Parent", "firm"),
    lookup("Regarding", "sector", "firm"),
)
VISIT = table(
    "visit", 10_003, string("Name"), integer("Minutes"), lookup("Firm", "firm"), lookup("Party", "firm", "sector")
)
PAIR = table(
    "firm_sector",
    10_004,
    unique_identifier("FirmId"),
    unique_identifier("SectorId"),
    primary_name=None,
    kind=TableKind.INTERSECT,
)

CATALOG: Catalog = catalog(
    1,
    (SECTOR, FIRM, VISIT, PAIR),
    (
        ManyToMany("firm_sector", "firm_sector", "firm", "firmid", "sectors", "sector", "sectorid", "firms"),
        OneToMany("firm_parent", "firm", "firmid", "firm", "parent", "Parent", "Children", is_hierarchical=True),
        OneToMany("sector_firm", "sector", "sectorid", "firm", "sector", "sector", "sector_firms"),
        OneToMany("firm_regarding_s", "sector", "sectorid", "firm", "regarding", "regarding_sector", "regarding_firms"),
        OneToMany("firm_regarding_f", "firm", "firmid", "firm", "regarding", "regarding_firm", "regarding_firms"),
        OneToMany("visit_firm", "firm", "firmid", "visit", "firm", "firm", "visits"),
        OneToMany("visit_party_f", "firm", "firmid", "visit", "party", "party_firm", "party_visits"),
        OneToMany("visit_party_s", "sector", "sectorid", "visit", "party", "party_sector", "party_visits"),
    ),
)


def record_guid(number: int) -> Guid:
    """Return one of a few ids; the same number gives the same id in every table."""
    return Guid(f"{number * 0x3A7B1C5D % 2**32:08x}-0000-4000-8000-{number:012x}")


DANGLING = record_guid(99)

_SAID = (
    *(
        "",
        " ",
        "a",
        "A",
        "ä",
        "Ångström",
        "angstrom",
        "ab",
        "AB",
        "abc",
        "b",
        "ß",
        "ss",
        "ﬁ",
        "fi",
        "İ",
        "é",
        "e\u0301",
    ),
    *("a%b", "a_b", "[a]", "[^a]", "%", "_", "it's", "''", 'say "hi"', "\\", "back\\slash", "a,b", "{}", "</b>&"),
    *("😀", "a😀", "😀b", "\U0010fffd", "\ud7ff", "\ue000", "\t", "\n", "a\r\nb", "\x01", "\x1f", "\x7f", "\u2028"),
    *("नमस्ते", "שלום", "日本", "Straße", "STRASSE", "Ωmega", "ω", "ς", "null", "0", "a" * 40),
)
TEXTS: SearchStrategy[str] = st.one_of(
    st.sampled_from(_SAID),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\U0010ffff"), max_size=6),
)
GUIDS = st.integers(0, 4).map(record_guid)


def exact(digits: int, largest: int) -> SearchStrategy[Decimal]:
    """Return exact numbers with at most so many digits after the point, small ones mostly."""
    small = st.integers(-30, 30).map(Decimal)
    fine = st.integers(-(largest * 10**digits), largest * 10**digits).map(lambda n: Decimal(n).scaleb(-digits))
    near = st.integers(-300, 300).map(lambda n: Decimal(n).scaleb(-digits))
    return st.one_of(small, near, fine)


def moments() -> SearchStrategy[datetime]:
    """Return date-times in whole seconds, few of them mostly."""
    few = st.sampled_from((0, 1, 59, 3_600, 43_200, 86_399)).map(lambda s: datetime.fromtimestamp(s, UTC))
    any_ = st.integers(-6_847_804_800, 253_402_214_400).map(lambda s: datetime.fromtimestamp(s, UTC))
    return st.one_of(few, any_)


def _date_times(type_: ColumnType) -> SearchStrategy[Value]:
    if isinstance(type_, DateTimeType) and type_.behavior is DateTimeBehavior.DATE_ONLY:
        return st.one_of(st.sampled_from((date(2000, 2, 29), date(1999, 12, 31))), st.dates(date(1753, 1, 1)))
    return moments()


def _decimals(type_: ColumnType) -> SearchStrategy[Value]:
    assert isinstance(type_, DecimalType)
    return exact(type_.precision, 900_000_000)


def _whole(bits: int) -> SearchStrategy[Value]:
    return st.one_of(st.integers(-3, 3), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))


_OPTIONS = st.sampled_from([option.value for option in COLORS])
_VALUES: Mapping[type[ColumnType], Callable[[ColumnType], SearchStrategy[Value]]] = {
    StringType: lambda _: TEXTS,
    MemoType: lambda _: TEXTS,
    IntegerType: lambda _: _whole(32),
    BigIntType: lambda _: _whole(64),
    DecimalType: _decimals,
    MoneyType: lambda _: exact(4, 900_000_000_000_000),
    DoubleType: lambda _: st.one_of(st.integers(-8, 8).map(lambda n: n / 4), st.floats(-1e11, 1e11)),
    BooleanType: lambda _: st.booleans(),
    ChoiceType: lambda _: _OPTIONS,
    MultiChoiceType: lambda _: st.sets(_OPTIONS, min_size=1).map(lambda found: ChoiceSet(tuple(sorted(found)))),
    DateTimeType: _date_times,
    UniqueIdentifierType: lambda _: GUIDS,
}


@cache
def values(declared: Column) -> SearchStrategy[Value]:
    """Return values that a column may hold (not null, no lookups)."""
    return _VALUES[type(declared.type)](declared.type)


def _columns(focus: Table) -> tuple[Column, ...]:
    skipped = {focus.primary_id, "versionnumber"}
    return tuple(c for c in focus.columns if c.logical_name not in skipped and not isinstance(c.type, LookupType))


@cache
def _optional(declared: Column) -> SearchStrategy[Value]:
    found = values(declared)
    return st.one_of(st.none(), found, found)


@st.composite
def focuses(draw: st.DrawFn) -> Table:
    """Return the firm's table with a few of its columns: those that a scenario is about."""
    chosen = draw(st.sets(st.sampled_from([c.logical_name for c in _columns(FIRM)]), min_size=2, max_size=4))
    return replace(FIRM, columns=tuple(c for c in FIRM.columns if c.logical_name in chosen | _ALWAYS))


_ALWAYS = {"firmid", "name", "sector", "parent", "regarding"}


@cache
def _references(*targets: tuple[str, int]) -> SearchStrategy[Value]:
    known = [EntityReference(name, record_guid(number)) for name, count in targets for number in range(count)]
    dangling = [EntityReference(name, DANGLING) for name, _ in targets]
    return st.one_of(st.none(), st.sampled_from([*known, *known, *dangling]))


def _records(
    declared: Table, count: int, lookups: dict[str, SearchStrategy[Value]]
) -> SearchStrategy[tuple[Record, ...]]:
    row = st.fixed_dictionaries({**{c.logical_name: _optional(c) for c in _columns(declared)}, **lookups})
    return st.lists(row, min_size=count, max_size=count).map(
        lambda rows: tuple(
            {**found, declared.primary_id: record_guid(n), "versionnumber": 1000 + n} for n, found in enumerate(rows)
        )
    )


Sizes = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""How many sectors, firms and visits there are at least and at most."""

ANY: Sizes = ((0, 2), (0, 5), (0, 3))
CROWDED: Sizes = ((1, 3), (3, 6), (2, 4))


@st.composite
def worlds(draw: st.DrawFn, firm_table: Table = FIRM, sizes: Sizes = ANY) -> World:
    """Return a few records per table; lookups point to one of them, to nothing, or are null."""
    sectors, firms, visits = (draw(st.integers(*size)) for size in sizes)
    sector, firm = ("sector", sectors), ("firm", firms)
    of_firm = {"sector": _references(sector), "parent": _references(firm), "regarding": _references(sector, firm)}
    pairs = draw(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=5))
    return {
        "sector": draw(_records(SECTOR, sectors, {})),
        "firm": draw(_records(firm_table, firms, of_firm)),
        "visit": draw(_records(VISIT, visits, {"firm": _references(firm), "party": _references(firm, sector)})),
        "firm_sector": tuple(
            {"firm_sectorid": record_guid(n), "firmid": record_guid(f), "sectorid": record_guid(s), "versionnumber": n}
            for n, (f, s) in enumerate(sorted(pairs))
        ),
    }
