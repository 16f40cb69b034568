"""File columns for databases that a server has open, or will have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from things import Directory

from entities.metadata import declare
from entities.metadata.catalog import CatalogChange
from entities.pipeline import pipeline
from odata_server.engine.database import Database
from odata_server.engine.organization import OrganizationService, Parts


def with_file_columns(database: Database, sizes: Mapping[str, int]) -> None:
    """Give accounts file columns, each with how many KB it takes."""
    service = OrganizationService(database, Parts(pipeline(), lambda _database, _stamp: Directory(), frozenset(), {}))
    with service.changing() as transaction:
        account = transaction.catalog.tables["account"]
        files = [
            column for name, size in sizes.items() for column in declare.file(name, max_size_kb=size, is_custom=True)
        ]
        transaction.change_catalog(CatalogChange((replace(account, columns=(*account.columns, *files)),)))
