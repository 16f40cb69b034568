"""How long the generated tests run: `HYPOTHESIS_PROFILE=nightly` looks much further than the default does."""

import os
from collections.abc import Iterator

import pytest
from engines import Engine
from hypothesis import HealthCheck, settings
from worlds import CATALOG

from entities.metadata.catalog import Catalog, CatalogChange, catalog
from odata_server.engine.catalog_store import apply_change, initialize
from odata_server.engine.database import Database, Durability
from odata_server.engine.postgres.database import PostgresDatabase
from odata_server.engine.sqlite.database import SqliteDatabase

# Its assertions are those of tests, and tell the values that differ.
pytest.register_assert_rewrite("comparing")

settings.register_profile(
    "default",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("nightly", settings.get_profile("default"), derandomize=False, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="module", params=("SQLite", "PostgreSQL"))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine over an empty database with the tables of the worlds, or of the catalog that the module names."""
    tables: Catalog = getattr(request.module, "CATALOG", CATALOG)
    if request.param == "SQLite":
        yield from _engine(SqliteDatabase(tmp_path_factory.mktemp("queries") / "data.db", Durability.NONE), tables)
        return
    with request.getfixturevalue("fresh_postgres")() as url:
        yield from _engine(PostgresDatabase(url, "worlds", Durability.NONE), tables)


def _engine(database: Database, tables: Catalog) -> Iterator[Engine]:
    database.create()
    with database.writing() as connection:
        initialize(connection, "00000000-0000-0000-0000-00000000000a")
        everything = CatalogChange(tuple(tables.tables.values()), tuple(tables.relationships.values()))
        apply_change(connection, catalog(0, (), ()), everything)
    yield Engine(database, tables)
    database.close()
