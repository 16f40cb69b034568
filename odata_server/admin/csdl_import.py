"""A real environment's `$metadata` as tables and relationships, with everything that had to be guessed.

CSDL says names, EDM types, keys and navigation; it says no lengths, options, labels or cascades. What is guessed in
their place is told per table and column, with the way to supply it.
"""

from __future__ import annotations

from dataclasses import dataclass

from entities.metadata.catalog import Catalog
from entities.metadata.columns import Choice
from entities.metadata.custom_apis import CustomApi
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Table
from odata_server.engine.catalog_store import CatalogChange


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that the document does not say.

    Attributes:
        table: the logical name of the table.
        column: the logical name of the column; empty where the guess is about the table.
        what: what was taken in its place, as a sentence.
        supply: how to say what it really is, as a sentence.
    """

    table: str
    column: str
    what: str
    supply: str


@dataclass(frozen=True, slots=True)
class ImportedSchema:
    """What a schema file declares, ready to be merged into a catalog.

    `custom_apis` are functions and actions that this product does not know: they become rows of custom APIs without
    a plug-in, so they are declared and a call says that nothing stands behind them.
    """

    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]
    choices: tuple[Choice, ...] = ()
    custom_apis: tuple[CustomApi, ...] = ()
    guesses: tuple[Guess, ...] = ()


def read_csdl(data: bytes) -> ImportedSchema:
    """Return what a metadata document declares.

    Args:
        data: the document, as `GET …/$metadata` sends it.

    Raises:
        MalformedRequest: it is no CSDL of an OData 4.0 service.
    """
    raise NotImplementedError


def merged(catalog: Catalog, imported: ImportedSchema) -> CatalogChange:
    """Return the change that adds to a catalog what it lacks; existing definitions win.

    Args:
        catalog: the tables and relationships that are there.
        imported: what a file declares.
    """
    raise NotImplementedError
