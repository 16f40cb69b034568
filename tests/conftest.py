"""A private PostgreSQL server for the tests that ask for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import postgres
import pytest


@pytest.fixture(scope="session")
def fresh_postgres() -> Callable[[], AbstractContextManager[str]]:
    """What gives the URL of a new, empty database while a block lasts."""
    reason = postgres.missing()
    if reason is not None:
        pytest.skip(reason)
    return postgres.fresh_database


@pytest.fixture
def postgres_url(fresh_postgres: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """The URL of a new, empty database."""
    with fresh_postgres() as url:
        yield url
