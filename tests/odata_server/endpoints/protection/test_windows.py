"""The window over words says what a plain list of events says."""

from hypothesis import given
from hypothesis import strategies as st

from odata_server.endpoints.protection.windows import (
    MICROSECONDS,
    REQUESTS,
    SIZE,
    add,
    advance,
    recount,
    seconds_until_below,
)
from odata_server.settings import LONGEST_WINDOW

COLUMNS = (REQUESTS, MICROSECONDS)
STEPS = st.one_of(st.integers(0, 3), st.integers(0, 700))
EVENTS = st.lists(st.tuples(STEPS, st.sampled_from(COLUMNS), st.integers(0, 10)), max_size=60)
LENGTHS = st.one_of(st.just(LONGEST_WINDOW), st.integers(1, 12))


def filled(events, length):
    """Return a window and the list of what was added, as (second, column, amount)."""
    words, told, second = [0] * SIZE, [], 1_700_000_000
    for step, column, amount in events:
        second += step
        advance(words, second, length)
        add(words, column, amount, length)
        told.append((second, column, amount))
    return words, told, second


def total(told, column, second, length):
    return sum(amount for when, what, amount in told if what == column and second - length < when <= second)


@given(EVENTS, LENGTHS, STEPS)
def test_sums_are_those_of_the_events_within_the_window(events, length, later):
    words, told, second = filled(events, length)
    for moment in (second, second + later):
        advance(words, moment, length)
        assert [words[column] for column in COLUMNS] == [total(told, column, moment, length) for column in COLUMNS]


@given(EVENTS, LENGTHS, st.sampled_from(COLUMNS), st.integers(1, 40))
def test_the_wait_is_the_shortest_after_which_the_sum_is_below_the_limit(events, length, column, limit):
    words, told, second = filled(events, length)
    waits = (wait for wait in range(length + 1) if total(told, column, second + wait, length) < limit)
    assert seconds_until_below(words, column, limit, length) == next(waits)


@given(EVENTS, LENGTHS, st.integers(1, 400))
def test_a_clock_that_goes_back_changes_nothing(events, length, back):
    words, _, second = filled(events, length)
    before = list(words)
    advance(words, second - back, length)
    assert words == before or not events


@given(EVENTS, LENGTHS)
def test_sums_are_made_again_from_what_they_add_up(events, length):
    words, _, _ = filled(events, length)
    broken = list(words)
    broken[REQUESTS], broken[MICROSECONDS] = -5, 10**12
    recount(broken)
    assert broken == words
