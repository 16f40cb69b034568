"""Trying again: which failures pass by themselves, how long to wait, and when to give up."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from integration.web_api import ServerNotTrustedError, ServerUnreachableError, WebApiError

R = TypeVar("R")

# 429 is service protection (Learn: "Service protection API limits"); the others say the server is not itself now.
PASSING_STATUSES: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a client is; `sleep` and `uniform` stand here so that tests can fix them.

    Without a Retry-After, the n-th wait is drawn from the upper half of `first_wait * 2**n`, up to `longest_wait`.
    A Retry-After is honored as it is, unless the waits together would pass `patience` seconds: service protection
    looks at windows of five minutes, so `patience` is longer than one.
    """

    attempts: int = 8
    first_wait: float = 0.5
    longest_wait: float = 30.0
    patience: float = 900.0
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


def passes_by_itself(error: BaseException) -> bool:
    """Tell whether the same request may succeed later: no answer, throttling, a server that is not up."""
    match error:
        case ServerNotTrustedError():
            return False
        case ServerUnreachableError():
            return True
        case WebApiError():
            return error.status in PASSING_STATUSES
        case _:
            return False


def with_retry(policy: RetryPolicy, attempt: Callable[[], R]) -> R:
    """Run `attempt` until it succeeds, fails for good, or the policy's attempts or patience are used up.

    `attempt` is run from its start each time, so it must be safe to repeat.

    Raises:
        Exception: the last failure of `attempt`, unchanged.
    """

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, WebApiError) and error.retry_after is not None:
            return error.retry_after
        longest = min(policy.first_wait * 2 ** (state.attempt_number - 1), policy.longest_wait)
        return policy.uniform(longest / 2, longest)

    def stop(state: RetryCallState) -> bool:
        spent = max(state.idle_for, state.seconds_since_start or 0.0)
        return state.attempt_number >= policy.attempts or spent + state.upcoming_sleep > policy.patience

    retrying = Retrying(
        sleep=policy.sleep, wait=wait, stop=stop, retry=retry_if_exception(passes_by_itself), reraise=True
    )
    return retrying(attempt)
