"""Dates, numbers and amounts in the formats that settings name, as .NET writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from entities.display import (
    Currencies,
    Currency,
    DateFormat,
    NumberFormat,
    amount_text,
    day_text,
    group_sizes,
    moment_text,
    number_text,
)

MOMENT = datetime(2024, 3, 5, 0, 7, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("M/d/yyyy", "3/5/2024"),
        ("dd/MM/yy", "05/03/24"),
        ("dddd, MMMM d, yyyy", "Tuesday, March 5, 2024"),
        ("ddd d MMM y", "Tue 5 Mar 24"),
        ("h:mm tt", "12:07 AM"),
        ("HH:mm:ss", "00:07:09"),
        ("hh.m t", "12.7 A"),
        ("s.fff", "9.000"),
        ("d 'de' MMMM", "5 de March"),
        ('d\\d "day"', "5d day"),
        ("dddddd-yyyyy", "Tuesday-2024"),
        ("", ""),
    ],
)
def test_patterns_mean_what_custom_format_strings_mean(pattern, shown):
    assert day_text(MOMENT, "UTC", DateFormat(date=pattern)) == shown


def test_separators_and_halves_of_the_day_are_those_of_the_settings():
    dates = DateFormat("d/M/yyyy", "h:mm tt", "-", ".", "vm", "nm")

    assert moment_text(MOMENT.replace(hour=13), "UTC", dates) == "5-3-2024 1.07 nm"


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC), "Europe/Berlin", "3/31/2024 1:59 AM"),
        (datetime(2024, 3, 31, 1, 0, tzinfo=UTC), "Europe/Berlin", "3/31/2024 3:00 AM"),
        (datetime(2024, 10, 27, 0, 30, tzinfo=UTC), "Europe/Berlin", "10/27/2024 2:30 AM"),
        (datetime(2024, 10, 27, 1, 30, tzinfo=UTC), "Europe/Berlin", "10/27/2024 2:30 AM"),
        (datetime(2024, 1, 1, tzinfo=UTC), "Asia/Kathmandu", "1/1/2024 5:45 AM"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "Asia/Tokyo", "12/31/9999 11:59 PM"),
    ],
)
def test_moments_are_shown_by_the_clock_of_a_zone(moment, zone, shown):
    assert moment_text(moment, zone, DateFormat()) == shown


def test_a_date_is_the_same_everywhere():
    assert day_text(date(2024, 3, 5), "Pacific/Apia", DateFormat()) == "3/5/2024"


@pytest.mark.parametrize(
    ("groups", "shown"),
    [("3", "1.234.567,5"), ("3,2", "12.34.567,5"), ("3;2;0", "12.34.567,5"), ("0", "1234567,5"), ("", "1234567,5")],
)
def test_digits_are_grouped_as_the_settings_say(groups, shown):
    assert number_text("1,234,567.5", NumberFormat(",", ".", group_sizes(groups))) == shown


@pytest.mark.parametrize(("code", "shown"), list(enumerate(("(1.5)", "-1.5", "- 1.5", "1.5-", "1.5 -"))))
def test_negative_numbers_follow_their_code(code, shown):
    assert number_text("-1.5", NumberFormat(negative=code)) == shown


@pytest.mark.parametrize(("code", "shown"), list(enumerate(("€1.5", "1.5€", "€ 1.5", "1.5 €"))))
def test_amounts_follow_their_code(code, shown):
    assert amount_text("1.5", "€", NumberFormat(amount=code)) == shown


NEGATIVE = (
    *("(n$1.5)", "-n$1.5", "n$-1.5", "n$1.5-", "(1.5n$)", "-1.5n$", "1.5-n$", "1.5n$-"),
    *("-1.5 n$", "-n$ 1.5", "1.5 n$-", "n$ 1.5-", "n$ -1.5", "1.5- n$", "(n$ 1.5)", "(1.5 n$)"),
)


@pytest.mark.parametrize(("code", "shown"), list(enumerate(NEGATIVE)))
def test_negative_amounts_follow_their_code_whatever_the_symbol_is(code, shown):
    assert amount_text("-1.5", "n$", NumberFormat(negative_amount=code)) == shown


def test_an_amount_without_a_known_currency_is_in_the_base_currency():
    euro, dollar = Currency("€", 2), Currency("$", 2)
    known = Currencies((("e", euro), ("d", dollar)), dollar)

    assert [known.of(key) for key in ("e", "d", "gone", None)] == [euro, dollar, dollar, dollar]
    assert Currencies().of("e") is None
