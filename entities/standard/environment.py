"""The catalog of a fresh Dataverse environment."""

from __future__ import annotations

from functools import cache

from entities.metadata.catalog import Catalog, catalog
from entities.metadata.relationships import Relationship
from entities.standard import (
    accounts,
    background_operations,
    custom_apis,
    duplicate_tables,
    files,
    mappings,
    operations,
    organization,
    people,
    plugin_types,
    queries,
    roles,
    sdk_messages,
    sharing,
    step_registration,
    user_settings,
)
from entities.standard.library.assembly import Library, assembled
from entities.standard.library.reading import texts
from entities.standard.references import with_relationship_id

_TABLES = (
    *organization.TABLES,
    *people.TABLES,
    *roles.TABLES,
    *accounts.TABLES,
    *operations.TABLES,
    *queries.TABLES,
    *user_settings.TABLES,
    *plugin_types.TABLES,
    *custom_apis.TABLES,
    *sdk_messages.TABLES,
    *step_registration.TABLES,
    *background_operations.TABLES,
    *files.TABLES,
    *mappings.TABLES,
    *duplicate_tables.TABLES,
    *sharing.TABLES,
)

_RELATIONSHIPS: tuple[Relationship, ...] = (
    *organization.RELATIONSHIPS,
    *people.RELATIONSHIPS,
    *roles.RELATIONSHIPS,
    *accounts.RELATIONSHIPS,
    *operations.RELATIONSHIPS,
    *queries.RELATIONSHIPS,
    *user_settings.RELATIONSHIPS,
    *plugin_types.RELATIONSHIPS,
    *custom_apis.RELATIONSHIPS,
    *sdk_messages.RELATIONSHIPS,
    *step_registration.RELATIONSHIPS,
    *background_operations.RELATIONSHIPS,
    *files.RELATIONSHIPS,
    *mappings.RELATIONSHIPS,
    *duplicate_tables.RELATIONSHIPS,
)


@cache
def standard_library() -> Library:
    """Return the tables and relationships of a fresh environment; the texts are read once.

    Tables whose columns rules depend on are declared in Python, and completed by the texts; the others stand there.
    """
    related = (with_relationship_id(relationship) for relationship in _RELATIONSHIPS)
    return assembled(texts(), _TABLES, related)


@cache
def standard_catalog(version: int) -> Catalog:
    """Return the catalog of the standard tables.

    Args:
        version: the snapshot's version.
    """
    library = standard_library()
    return catalog(version, library.tables, library.relationships)
