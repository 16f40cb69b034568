"""A schema of PostgreSQL as the engine uses it: connections that are lost, writers that wait, copies."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from entities.errors import TemporarilyUnavailable
from odata_server.engine.database import single
from odata_server.engine.postgres.database import PostgresDatabase


@pytest.fixture
def database(postgres_url: str) -> Iterator[PostgresDatabase]:
    opened = PostgresDatabase(postgres_url, "notes")
    opened.create()
    with opened.writing() as connection:
        connection.execute("CREATE TABLE note (text text)")
    yield opened
    opened.close()


def lose_connections(url: str) -> None:
    """End every connection but one's own, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def notes(database: PostgresDatabase) -> list[str]:
    return [text for (text,) in database.reader().execute("SELECT text FROM note ORDER BY text")]


def test_opening_makes_nothing(postgres_url):
    opened = PostgresDatabase(postgres_url, "nothing")
    assert single(opened.reader(), "SELECT current_schema()") is None
    opened.close()


def test_who_reads_after_a_restart_of_the_server_gets_an_answer(database, postgres_url):
    assert notes(database) == []
    lose_connections(postgres_url)
    assert notes(database) == []


def test_who_writes_after_a_restart_of_the_server_writes_once(database, postgres_url):
    lose_connections(postgres_url)
    with database.writing() as connection:
        connection.execute("INSERT INTO note VALUES ($1)", ("a",))
    assert notes(database) == ["a"]


def test_a_transaction_that_loses_its_connection_leaves_nothing(database, postgres_url):
    def write_and_lose():
        with database.writing() as connection:
            connection.execute("INSERT INTO note VALUES ($1)", ("a",))
            lose_connections(postgres_url)

    with pytest.raises(TemporarilyUnavailable):
        write_and_lose()
    assert notes(database) == []


def test_a_process_that_hangs_in_its_transaction_loses_it(database):
    def write_and_hang():
        with database.writing() as connection:
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
            connection.execute("INSERT INTO note VALUES ($1)", ("a",))
            time.sleep(0.3)
            connection.execute("INSERT INTO note VALUES ($1)", ("b",))

    with pytest.raises(TemporarilyUnavailable):
        write_and_hang()
    assert notes(database) == []
    with database.writing() as connection:
        assert single(connection, "SHOW idle_in_transaction_session_timeout") == "30s"


def test_a_server_that_is_gone_is_said_to_be_unavailable_for_now(postgres_url, monkeypatch):
    monkeypatch.setattr("odata_server.engine.postgres.database._WAIT_SECONDS", 0.2)
    opened = PostgresDatabase(f"{postgres_url}&port=1", "notes")
    with pytest.raises(TemporarilyUnavailable):
        notes(opened)
    with pytest.raises(TemporarilyUnavailable), opened.writing():
        pytest.fail("there is nothing to write to")
    opened.close()
