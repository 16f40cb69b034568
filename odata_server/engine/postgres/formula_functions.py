"""The functions of calculated columns in PostgreSQL, with the names and results of those in Python."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

_LAST_WITH_CASE: Final = 0x20000
"""Behind the first two planes no character has a case."""


def _case_pairs() -> tuple[str, str]:
    """Return the characters that case folding makes into one other, and those that it makes of them.

    Where a decomposed text has two for one, `folded_text` names them.
    """
    pairs = [
        (character, folded)
        for code in range(0x80, _LAST_WITH_CASE)
        if (character := chr(code)) != (folded := character.casefold())
        and len(folded) == 1
        and unicodedata.is_normalized("NFKD", character)
    ]
    return "".join(one for one, _ in pairs), "".join(other for _, other in pairs)


# `entities.text.fold`: the compatibility decomposition without European accents, case folded, and composed again.
_TEXTS: Final = """
CREATE OR REPLACE FUNCTION folded_text(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF length(value) = octet_length(value) THEN
        RETURN lower(value COLLATE "C");
    END IF;
    RETURN normalize(replace(replace(lower(translate(
        regexp_replace(normalize(value, NFKD), '[\\u0300-\\u036f]', '', 'g'),
        '{upper}', '{folded}') COLLATE "C"), 'ß', 'ss'), 'ẞ', 'ss'), NFC);
END $$;
"""

# The rules are those of `entities.formulas.numbers_and_dates`. Stored moments are in UTC and end in Z.
_NUMBERS_AND_DATES: Final = r"""
CREATE OR REPLACE FUNCTION scaled_number(value double precision, digits bigint, most double precision) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    scaled double precision := value * ('1e' || digits)::double precision;
BEGIN
    IF abs(scaled) > most THEN
        RETURN NULL;
    END IF;
    RETURN trunc(scaled + CASE WHEN scaled < 0 THEN -0.5 ELSE 0.5 END)::bigint;
END $$;

CREATE OR REPLACE FUNCTION stored_moment(value text) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN make_timestamp(substr(value, 1, 4)::int, substr(value, 6, 2)::int, substr(value, 9, 2)::int,
    coalesce(nullif(substr(value, 12, 2), '')::int, 0), coalesce(nullif(substr(value, 15, 2), '')::int, 0),
    coalesce(nullif(substr(value, 18, 2), '')::int, 0));

CREATE OR REPLACE FUNCTION date_plus(value text, amount double precision, unit text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    number double precision := trunc(amount);
    moved timestamp := stored_moment(value);
    most bigint;
BEGIN
    CASE unit
        WHEN 'YEARS' THEN most := 8300;
        WHEN 'MONTHS' THEN most := 99600;
        WHEN 'WEEKS' THEN most := 433000;
        WHEN 'DAYS' THEN most := 3031000;
        ELSE most := 72744000;
    END CASE;
    IF abs(number) > most THEN
        RETURN NULL;
    END IF;
    CASE unit
        WHEN 'YEARS' THEN moved := moved + make_interval(years => number::int);
        WHEN 'MONTHS' THEN moved := moved + make_interval(months => number::int);
        WHEN 'WEEKS' THEN moved := moved + make_interval(days => number::int * 7);
        WHEN 'DAYS' THEN moved := moved + make_interval(days => number::int);
        ELSE moved := moved + make_interval(hours => number::int);
    END CASE;
    IF moved < timestamp '1753-01-01' OR moved >= timestamp '10000-01-01' THEN
        RETURN NULL;
    END IF;
    RETURN to_char(moved, CASE WHEN length(value) = 10 THEN 'YYYY-MM-DD' ELSE 'YYYY-MM-DD"T"HH24:MI:SS"Z"' END);
END $$;

CREATE OR REPLACE FUNCTION unit_index(value text, unit text) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    moment timestamp := stored_moment(value);
    days bigint := moment::date - date '0001-01-01' + 1;
    hours bigint := days * 24 + date_part('hour', moment)::bigint;
BEGIN
    CASE unit
        WHEN 'YEARS' THEN RETURN date_part('year', moment);
        WHEN 'MONTHS' THEN RETURN date_part('year', moment) * 12 + date_part('month', moment);
        WHEN 'WEEKS' THEN RETURN days / 7;
        WHEN 'DAYS' THEN RETURN days;
        WHEN 'HOURS' THEN RETURN hours;
        ELSE RETURN hours * 60 + date_part('minute', moment);
    END CASE;
END $$;

CREATE OR REPLACE FUNCTION date_between(first text, second text, unit text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN unit_index(second, unit) - unit_index(first, unit);

CREATE OR REPLACE FUNCTION now_text() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
"""


@cache
def formula_functions() -> str:
    """Return the statements that make the functions, or make them anew."""
    upper, folded = _case_pairs()
    return _TEXTS.format(upper=upper, folded=folded) + _NUMBERS_AND_DATES
