"""The functions of PostgreSQL that compiled statements call and SQLite has from Python, by the same names and results.

They stand in the environment's schema, the first of the search path. Texts of dates and date-times are ISO 8601, so
that no setting of a session changes how they are read; texts compare by code points.
"""

from __future__ import annotations

from typing import Final

from odata_server.engine.database import Connection
from odata_server.engine.postgres.formula_functions import formula_functions

# What a function in one expression of its arguments says stands in the query itself after planning.
_TEXTS: Final = r"""
CREATE OR REPLACE FUNCTION instr(whole text, part text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN strpos(whole COLLATE "C", part)::bigint;

-- Python needs atomic groups, lest it try a text in too many ways; PostgreSQL has none and needs none. `(?>` stands in
-- an expression as nothing else, because a parenthesis of the pattern comes with a backslash before it.
CREATE OR REPLACE FUNCTION wildcard_match(regular text, value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN value COLLATE "C" ~ ('^(?:' || replace(regular, '(?>', '(?:') || ')$');
"""

# The rules are those of `entities.relative.fiscal`, also for days that no column holds (before 1753, behind 30 December
# 9999). `first` is the first day of the fiscal year; a period is numbered `year * 100 + period`, years by their begin.
# A zone is `UTC` or an area and a location: `CET` and its like are abbreviations here, which know no summer time.
_CALENDAR: Final = r"""
CREATE OR REPLACE FUNCTION local_day(moment text, zone text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN to_char(moment::timestamptz AT TIME ZONE zone, 'YYYY-MM-DD');
END $$;

CREATE OR REPLACE FUNCTION fiscal_number(day date, start date, period_type bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    year int := date_part('year', day);
    month int := date_part('month', day);
    years int := year - date_part('year', start)::int;
    first date := start + make_interval(years);
    periods int;
    months int;
BEGIN
    CASE period_type
        WHEN 2000 THEN periods := 1;
        WHEN 2001 THEN periods := 2;
        WHEN 2002 THEN periods := 4;
        WHEN 2003 THEN periods := 12;
        WHEN 2004 THEN periods := 13;
    END CASE;
    IF year < 1753 THEN
        RETURN (year - 1) * 100 + 1;
    END IF;
    IF day < first THEN
        year := year - 1;
        first := start + make_interval(years - 1);
    END IF;
    IF first <= '1753-01-01' OR day >= '9999-12-30' THEN
        RETURN year * 100 + periods;
    END IF;
    IF period_type = 2004 THEN
        RETURN year * 100 + least(periods, (day - first) / 28 + 1);
    END IF;
    months := (date_part('year', day)::int - date_part('year', first)::int) * 12
        + month - date_part('month', first)::int;
    -- Before the day of the month on which periods begin; on the last day of a month that is too short they begin too.
    IF date_part('day', day) < date_part('day', first) AND date_part('month', day + 1) = month THEN
        months := months - 1;
    END IF;
    RETURN year * 100 + least(periods, months / (12 / periods) + 1);
END $$;

CREATE OR REPLACE FUNCTION fiscal_period(moment text, start text, period_type bigint, zone text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF strpos(moment, 'T') = 0 THEN
        RETURN fiscal_number(moment::date, start::date, period_type) % 100;
    END IF;
    RETURN fiscal_number((moment::timestamptz AT TIME ZONE zone)::date, start::date, period_type) % 100;
END $$;

CREATE OR REPLACE FUNCTION fiscal_group(
    "grouping" text, moment text, start text, period_type bigint, named_by_end bigint
) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    number bigint := fiscal_number(left(moment, 10)::date, start::date, period_type);
BEGIN
    -- A year that begins on 1 January ends in the year it begins in.
    IF named_by_end <> 0 AND substr(start, 6) <> '01-01' THEN
        number := number + 100;
    END IF;
    CASE "grouping"
        WHEN 'fiscal-period' THEN RETURN number;
        WHEN 'fiscal-year' THEN RETURN number / 100;
    END CASE;
END $$;

CREATE OR REPLACE FUNCTION fiscal_text(
    "grouping" text, number bigint, start text, period_type bigint, named_by_end bigint
) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    name text;
BEGIN
    IF "grouping" = 'fiscal-year' THEN
        RETURN 'FY' || number;
    END IF;
    CASE period_type
        WHEN 2000 THEN name := 'Year';
        WHEN 2001 THEN name := 'Semester';
        WHEN 2002 THEN name := 'Quarter';
        WHEN 2003 THEN name := 'Month';
        WHEN 2004 THEN name := 'Period';
    END CASE;
    RETURN name || ' ' || number % 100 || ' FY' || number / 100;
END $$;
"""

# Texts of the same width, so that they sort as the numbers do: the number plus an offset.
_NUMBERS: Final = r"""
CREATE OR REPLACE FUNCTION exact_number(high numeric, low numeric, count bigint, shift bigint, is_whole bigint)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    total numeric := (high * 4294967296 + low) * ('1e' || shift)::numeric;
    size numeric := abs(total);
BEGIN
    IF count = 0 THEN
        RETURN NULL;
    END IF;
    size := CASE WHEN is_whole <> 0 THEN div(size, count) ELSE div(2 * size + count, 2 * count) END;
    RETURN lpad((sign(total) * size + 1e44)::text, 45, '0');
END $$;

CREATE OR REPLACE FUNCTION exact_text(stored text, digits bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ((stored::numeric - 1e44) * ('1e-' || digits)::numeric)::text;
END $$;
"""

FUNCTIONS: Final = _TEXTS + _CALENDAR + _NUMBERS
"""The statements that make the functions, or make them anew."""


def create_functions(connection: Connection) -> None:
    """Make the functions in the first schema of the search path.

    Two transactions that do so in the same schema at the same time disturb each other: the caller lets one write.
    """
    connection.execute(FUNCTIONS + formula_functions())
