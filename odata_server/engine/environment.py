"""A new environment: its tables by a blueprint, and its first rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from entities.errors import EngineFault
from entities.messages import Create
from entities.metadata.catalog import Catalog, CatalogChange, catalog
from entities.values import Guid, Record
from odata_server.engine.catalog_store import (
    SCHEMA_VERSION,
    apply_change,
    complete_internal_tables,
    initialize,
    is_initialized,
)
from odata_server.engine.database import Database, single
from odata_server.engine.organization import OrganizationService


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a new environment starts with."""

    organization_id: Guid
    catalog: Catalog


def prepare_database(database: Database, blueprint: Blueprint) -> bool:
    """Make what an environment is made of when it does not exist yet.

    Returns:
        Whether it was made now.

    Raises:
        EngineFault: the data belongs to a newer release.
    """
    database.create()
    with database.writing() as connection:
        if is_initialized(connection):
            found = int(single(connection, 'SELECT schema_version FROM "$state"'))
            if found > SCHEMA_VERSION:
                written = f"{database.place} was written by a newer release"
                raise EngineFault(f"{written} (schema {found}, not {SCHEMA_VERSION}).")
            complete_internal_tables(connection)
            return False
        initialize(connection, blueprint.organization_id)
        declared = blueprint.catalog
        everything = CatalogChange(tuple(declared.tables.values()), tuple(declared.relationships.values()))
        apply_change(connection, catalog(0, (), ()), everything)
    return True


def fill(service: OrganizationService, rows: Iterable[tuple[str, Record]]) -> int:
    """Create records in one transaction with the system's rights; those of one table that follow one another together.

    Returns:
        How many.
    """
    count = 0
    with service.changing() as transaction:
        for table, records in groupby(rows, key=itemgetter(0)):
            messages = [Create(table, record) for _, record in records]
            transaction.change_all(messages, service.system)
            count += len(messages)
    return count
