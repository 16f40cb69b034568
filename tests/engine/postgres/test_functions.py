"""The functions of PostgreSQL give what those of the same name give on SQLite, where they are Python's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entities.relative.clock import EARLIEST, LATEST
from entities.relative.settings import PeriodType
from entities.text import fold
from entities.values import utc_text
from entities.wildcards import expression
from odata_server.engine.database import Connection
from odata_server.engine.postgres.functions import create_functions
from odata_server.engine.sqlite.database import SqliteDatabase

Answer = str | int | bool | None

PARAMETERS = {
    "instr": ("text", "text"),
    "wildcard_match": ("text", "text"),
    "local_day": ("text", "text"),
    "fiscal_period": ("text", "text", "bigint", "text"),
    "fiscal_group": ("text", "text", "text", "bigint", "bigint"),
    "fiscal_text": ("text", "bigint", "text", "bigint", "bigint"),
    "exact_number": ("numeric", "numeric", "bigint", "bigint", "bigint"),
    "exact_text": ("text", "bigint"),
}

# Zones whose history is the same in every edition of the time zone database.
ZONES = (
    "UTC",
    "Africa/Casablanca",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
NASTY = "abcxyzß_%[]^-\\.*+?(){}|$&~#/ \t\n\r\v\f\"'`,:=!<>@09é😀\U0010ffff\ue000"

many = settings(max_examples=60, deadline=None)


class Engines:
    """Both databases with their functions."""

    def __init__(self, postgres: psycopg.Connection, sqlite: Connection) -> None:
        self.postgres = postgres
        self.sqlite = sqlite

    def ask_postgres(self, name: str, rows: Sequence[tuple]) -> list[Answer]:
        """Call a function with many rows of arguments in one statement."""
        names = [f"a{number}" for number, _ in enumerate(PARAMETERS[name])]
        arrays = ", ".join(f"%s::{type_}[]" for type_ in PARAMETERS[name])
        statement = f"SELECT {name}({', '.join(names)}) FROM unnest({arrays}) WITH ORDINALITY t({', '.join(names)}, o)"
        columns = [list(column) for column in zip(*rows, strict=True)]
        return [answer for (answer,) in self.postgres.execute(f"{statement} ORDER BY o", columns)]

    def ask_sqlite(self, name: str, rows: Sequence[tuple]) -> list[Answer]:
        """Call a function once per row of arguments."""
        places = ", ".join("?" for _ in PARAMETERS[name])
        return [self.sqlite.execute(f"SELECT {name}({places})", row).fetchone()[0] for row in rows]

    def agree(self, name: str, rows: Sequence[tuple]) -> None:
        """Hold that both give the same answers."""
        expected, found = self.ask_sqlite(name, rows), self.ask_postgres(name, rows)
        assert list(zip(rows, found, strict=True)) == list(zip(rows, expected, strict=True))


@pytest.fixture(scope="module")
def engines(
    fresh_postgres: Callable[[], AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    path: Path = tmp_path_factory.mktemp("functions") / "data.db"
    sqlite = SqliteDatabase(path)
    with fresh_postgres() as url, psycopg.connect(url, autocommit=True) as connection:
        # Settings that no answer may depend on.
        connection.execute(
            "SET DateStyle = 'German, DMY'; SET TimeZone = 'Pacific/Apia'; SET IntervalStyle = 'iso_8601'"
        )
        create_functions(connection)
        yield Engines(connection, sqlite.reader())
    sqlite.close()


texts = st.text(st.sampled_from(NASTY) | st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(fold)
patterns = st.lists(
    st.sampled_from(["%", "_", "[a-c]", "[^a]", "[]", "[^]", "[", "]", "[c-a]", "[]-a]", "[!-~]", "[[:alpha:]]"])
    | st.text(NASTY, min_size=1, max_size=3)
    | st.text(NASTY, max_size=4).map(lambda members: f"[{members}]")
    | st.text(NASTY, max_size=4).map(lambda members: f"[^{members}]"),
    max_size=6,
).map(lambda parts: fold("".join(parts)))
likely = st.tuples(patterns, st.text("abc[]^-\\\n😀", max_size=6)) | st.tuples(patterns, texts)

days = st.dates(EARLIEST, LATEST)
moments = st.datetimes(datetime(1753, 1, 2), datetime(9999, 12, 30)).map(lambda at: utc_text(at.replace(tzinfo=UTC)))  # noqa: DTZ001
stored_moments = moments | days.map(date.isoformat)
starts = st.dates(date(1753, 1, 1), date(9999, 12, 31)) | st.sampled_from(
    [date(2024, 2, 29), date(2019, 1, 1), date(2019, 12, 31), date(2019, 12, 30), date(2023, 8, 31)]
)
period_types = st.sampled_from(list(map(int, PeriodType)))
flags = st.integers(0, 1)


def rows_of(*columns: st.SearchStrategy) -> st.SearchStrategy[list[tuple]]:
    return st.lists(st.tuples(*columns), min_size=1, max_size=40)


@many
@given(rows=st.lists(likely, min_size=1, max_size=40))
def test_wildcards_match_alike(engines, rows):
    asked = [(expression(pattern), text) for pattern, text in rows]
    assert engines.ask_postgres("wildcard_match", asked) == list(map(bool, engines.ask_sqlite("wildcard_match", asked)))


@many
@given(rows=rows_of(texts, texts))
def test_a_text_is_found_in_another_one_at_the_same_place(engines, rows):
    engines.agree("instr", [*rows, *((whole + part + whole, part) for whole, part in rows)])


@many
@given(rows=rows_of(moments, st.sampled_from(ZONES)))
def test_the_day_of_a_time_zone_is_the_same(engines, rows):
    engines.agree("local_day", rows)


@many
@given(rows=rows_of(stored_moments, starts.map(date.isoformat), period_types, st.sampled_from(ZONES)))
def test_fiscal_periods_are_the_same(engines, rows):
    engines.agree("fiscal_period", rows)


@many
@given(
    rows=rows_of(
        st.sampled_from(["fiscal-year", "fiscal-period"]),
        stored_moments,
        starts.map(date.isoformat),
        period_types,
        flags,
    )
)
def test_fiscal_groups_and_their_texts_are_the_same(engines, rows):
    engines.agree("fiscal_group", rows)
    numbers = engines.ask_postgres("fiscal_group", rows)
    engines.agree("fiscal_text", [(row[0], number, *row[2:]) for row, number in zip(rows, numbers, strict=True)])


@many
@given(
    rows=rows_of(st.integers(-(2**47), 2**47), st.integers(0, 2**48), st.integers(0, 50_000), st.integers(0, 9), flags)
)
def test_exact_numbers_are_the_same(engines, rows):
    engines.agree("exact_number", rows)
    stored = [answer for answer in engines.ask_postgres("exact_number", rows) if answer is not None]
    engines.agree("exact_text", [(number, digits) for number in [*stored, "1".ljust(45, "0")] for digits in (0, 4, 9)])


@pytest.mark.parametrize("start", [date(2019, 1, 1), date(2019, 4, 1), date(2024, 2, 29), date(2019, 12, 30)])
@pytest.mark.parametrize("period_type", list(PeriodType))
def test_every_day_around_a_boundary_lies_in_the_same_period(engines, start, period_type):
    around = [
        first + timedelta(days=number)
        for first in (date(1752, 12, 1), EARLIEST, date(1999, 12, 1), date(2023, 2, 1), date(9998, 12, 1))
        for number in range(395)
    ]
    last = date(9999, 12, 31)
    asked = [(min(day, last).isoformat(), start.isoformat(), int(period_type), "UTC") for day in around]
    engines.agree("fiscal_period", asked)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2024-03-31T00:59:59Z", "Europe/London", "2024-03-31"),
        ("2024-06-30T22:59:59Z", "Europe/London", "2024-06-30"),
        ("2024-06-30T23:00:00Z", "Europe/London", "2024-07-01"),
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31"),
        ("9999-12-30T23:59:59Z", "Pacific/Kiritimati", "9999-12-31"),
        ("1753-01-01T00:00:00Z", "America/New_York", "1752-12-31"),
    ],
)
def test_an_instant_has_a_day_in_each_zone(engines, moment, zone, expected):
    assert engines.ask_postgres("local_day", [(moment, zone)]) == [expected]
    assert engines.ask_sqlite("local_day", [(moment, zone)]) == [expected]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((0, 0, 1, 0, 0), "0"),
        ((0, 1, 2, 0, 0), "1"),
        ((-1, 2**32 - 1, 2, 0, 0), "-1"),
        ((0, 1, 2, 0, 1), "0"),
        ((-1, 2**32 - 1, 2, 0, 1), "0"),
        ((-1, 2**32 - 3, 2, 0, 1), "-1"),
        ((0, 10, 3, 5, 0), "333333"),
        ((50_000 * 2**31 - 1, 2**32 - 1, 1, 9, 0), f"{(50_000 * 2**63 - 1) * 10**9}"),
        ((-50_000 * 2**31, 0, 1, 9, 0), f"{-50_000 * 2**63 * 10**9}"),
        ((1, 1, 0, 0, 0), None),
        ((None, None, 0, 5, 1), None),
    ],
)
def test_exact_numbers_round_half_up_and_never_overflow(engines, row, expected):
    stored = None if expected is None else f"{int(expected) + 10**44:045d}"
    assert engines.ask_postgres("exact_number", [row]) == [stored]
    assert engines.ask_sqlite("exact_number", [row]) == [stored]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("a", "a\n", False),
        ("a_b", "a\nb", True),
        ("a%b", "a\n\nb", True),
        ("^a$", "a", False),
        ("%(?>a)%", "x(?>a)x", True),
        ("%(?:a)%", "x(?>a)x", False),
        ("***=a", "***=a", True),
        ("(?i)a", "(?i)a", True),
        (r"[\s\S]", "x", False),
        (r"[\s\S]", "\\", True),
        ("[[:alpha:]]", "a", False),
        ("[[:alpha:]]", "a]", True),
        ("[[.a.]]", ".]", True),
        ("[a", "[a", False),
        ("[]", "]", False),
        ("[^]", "\U0010ffff", True),
        ("[😀-😂]", "😁", True),
        ("[😀-😂]", "😃", False),
        ("[a-\U0010ffff]", "é", True),
    ],
)
def test_a_pattern_means_the_same(engines, pattern, text, expected):
    row = (expression(pattern), text)
    assert engines.ask_postgres("wildcard_match", [row]) == [expected]
    assert engines.ask_sqlite("wildcard_match", [row]) == [expected]


@pytest.mark.parametrize("pattern", ["%a" * 40 + "b", "%a_" * 30 + "[b]%", "%" * 500 + "b", "_" * 4_000 + "%b"])
def test_no_pattern_takes_long(engines, pattern):
    engines.postgres.execute("SET statement_timeout = '2s'")
    assert engines.ask_postgres("wildcard_match", [(expression(pattern), "a" * 4_000)]) == [False]
    engines.postgres.execute("RESET statement_timeout")


@pytest.mark.parametrize("name", PARAMETERS)
def test_nothing_comes_of_nothing(engines, name):
    row = tuple(None for _ in PARAMETERS[name])
    assert engines.ask_postgres(name, [row]) == [None]
    assert engines.ask_sqlite(name, [row]) == [None]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("fiscal_period", ("2024-01-01", "2019-01-01", 1999, "UTC")),
        ("fiscal_period", ("2024-01-01T00:00:00Z", "2019-01-01", 2000, "Nowhere/Land")),
        ("fiscal_group", ("fiscal-moon", "2024-01-01", "2019-01-01", 2000, 0)),
        ("fiscal_text", ("fiscal-period", 202401, "2019-01-01", 2005, 0)),
        ("local_day", ("the day before", "UTC")),
    ],
)
def test_what_makes_no_sense_is_refused(engines, name, row):
    with pytest.raises((psycopg.errors.CaseNotFound, psycopg.DataError)):
        engines.ask_postgres(name, [row])


def test_the_planner_sees_through_the_functions_of_filters(engines):
    plan = "EXPLAIN SELECT FROM pg_class WHERE instr(relname::text, 'a') > 0 AND wildcard_match('a.*', relname::text)"
    lines = " ".join(line for (line,) in engines.postgres.execute(plan))
    assert "strpos" in lines
    assert "wildcard_match" not in lines


def test_the_functions_can_be_made_again(engines):
    create_functions(engines.postgres)
    assert engines.ask_postgres("instr", [("abc", "c")]) == [3]
