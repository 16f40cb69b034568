"""Trying again: what is repeated, how long is waited, and when it ends."""

from dataclasses import replace

import pytest

from integration.retry import RetryPolicy, with_retry
from integration.tokens import TokenError
from integration.web_api import ServerNotTrustedError, ServerUnreachableError, WebApiError


def script(*steps):
    """An attempt that fails with each given error in turn and returns the first other value."""
    remaining = iter(steps)

    def attempt():
        step = next(remaining)
        if isinstance(step, Exception):
            raise step
        return step

    return attempt


def test_a_success_is_returned_without_waiting(policy, waits):
    assert with_retry(policy, script("done")) == "done"
    assert waits == []


@pytest.mark.parametrize("error", [*(WebApiError(s, None, "") for s in (429, 502, 503, 504)), ServerUnreachableError()])
def test_a_failure_that_passes_is_repeated(policy, waits, error):
    assert with_retry(policy, script(error, error, "done")) == "done"
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    "error",
    [*(WebApiError(s, None, "") for s in (400, 401, 403, 404, 412, 500, 501)), TokenError(), ServerNotTrustedError()],
)
def test_a_failure_that_stays_is_raised_at_once(policy, waits, error):
    with pytest.raises(type(error)) as raised:
        with_retry(policy, script(error, "never"))
    assert raised.value is error
    assert waits == []


def test_retry_after_is_waited_exactly_and_beyond_the_longest_wait(policy, waits):
    throttled = WebApiError(429, "0x80072321", "Too many requests", retry_after=297.0)
    assert with_retry(policy, script(throttled, throttled, "done")) == "done"
    assert waits == [297.0, 297.0]


def test_waits_that_would_exceed_the_patience_are_not_begun(policy, waits):
    throttled = WebApiError(429, None, "", retry_after=500.0)
    with pytest.raises(WebApiError):
        with_retry(policy, script(throttled, throttled, "never"))
    assert waits == [500.0]


def test_the_attempts_are_bounded_and_the_waits_grow_to_the_longest(policy, waits):
    down = [ServerUnreachableError(str(n)) for n in range(20)]
    with pytest.raises(ServerUnreachableError) as raised:
        with_retry(replace(policy, attempts=9), script(*down))
    assert raised.value is down[8]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_without_fixed_chance_each_wait_lies_in_the_upper_half():
    waits = []
    with pytest.raises(ServerUnreachableError):
        with_retry(RetryPolicy(attempts=6, sleep=waits.append), script(*[ServerUnreachableError()] * 6))
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits))
    assert len(waits) == 5
