"""The steps that rows register, read once per version of metadata and rights.

A registration changes that version (its tables are among those that do), so every process reads it anew with its next
transaction. A transaction runs the steps that were registered before it began.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from entities.metadata.catalog import Catalog
from entities.pipeline import Pipeline
from entities.query import QueryExpression
from entities.values import Record

ReadRecords: TypeAlias = Callable[[QueryExpression], tuple[Record, ...]]

LoadSteps: TypeAlias = Callable[[Catalog, ReadRecords], Pipeline | None]
"""Reads the steps that are registered, None where there are none."""


class RegisteredSteps:
    """What is registered, as it was found last.

    Args:
        load: reads it.
    """

    def __init__(self, load: LoadSteps) -> None:
        self._load = load
        self._found: tuple[int, Pipeline | None] = (-1, None)

    def at(self, catalog: Catalog, records: ReadRecords) -> Pipeline | None:
        """Return what is registered at the start of a transaction.

        Args:
            catalog: the metadata at its start.
            records: reads in it; before it has changed anything.
        """
        version, steps = self._found
        if version != catalog.version:
            steps = self._load(catalog, records)
            self._found = catalog.version, steps
        return steps
