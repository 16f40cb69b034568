"""What reads of definitions cost beside reads of rows of the same size, in an environment of three hundred tables.

Measured in this process at the door of the Web API, from the request with its token to the bytes of the answer. For
each question about definitions there is the shortest page of contacts that is at least as long as the answer; both are
compared by the bytes that they give in a second, or by their time where a single row is longer than the answer.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from benchmarks.data_set import ROLE, make_data_set
from benchmarks.growth import GrowthPoint, Sizes, grown, reference_to, request_of
from benchmarks.limits import seconds_per_call
from benchmarks.processors import Processors, pinned
from entities.messages import Execute
from entities.standard.identifiers import privilege_id
from odata_server.edm.csdl import csdl
from odata_server.endpoints.services import Services
from odata_server.endpoints.web_api import handle
from odata_server.engine.organization import OrganizationService

_OWN_TABLES: Final = 210
"""Beside those of a new environment."""
_CONTACTS: Final = 1_000
_PAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_RIGHTS: Final = ("Entity", "Attribute", "Relationship", "OptionSet")
_ACCOUNT: Final = "EntityDefinitions(LogicalName='account')"
_OK: Final = 200

QUESTIONS: Final = (
    ("the metadata document", "$metadata", ""),
    ("the service document", "", ""),
    ("one table", _ACCOUNT, ""),
    ("the columns of a table", f"{_ACCOUNT}/Attributes", ""),
    (
        "the choices of a table with their options",
        f"{_ACCOUNT}/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
        "$select=LogicalName&$expand=OptionSet($select=Options)",
    ),
    ("a table found by name", "EntityDefinitions", "$select=EntitySetName&$filter=LogicalName eq 'account'"),
    ("the names of all tables", "EntityDefinitions", "$select=LogicalName,EntitySetName"),
    ("all tables", "EntityDefinitions", ""),
    ("all relationships", "RelationshipDefinitions", ""),
)
"""What is asked: in words, path and query."""


@dataclass(frozen=True, slots=True)
class DefinitionReads:
    """A question about definitions and the page of rows beside it: bytes, and seconds per request, round by round."""

    title: str
    size: int
    rows: int
    rows_size: int
    seconds: list[float] = field(default_factory=list)
    rows_seconds: list[float] = field(default_factory=list)

    def shares(self) -> list[float]:
        """Return by how much more bytes come in a second than with rows; how much sooner, where one row is longer."""
        scale = self.size / self.rows_size if self.rows > 1 else 1.0
        return [scale * rows / own for own, rows in zip(self.seconds, self.rows_seconds, strict=True)]

    @property
    def is_slower(self) -> bool:
        """Whether the median of the shares is below one."""
        return median(self.shares()) < 1.0


@dataclass(frozen=True, slots=True)
class DefinitionCosts:
    """What was found: the reads, how many tables there were, and what writing their metadata document anew takes."""

    reads: list[DefinitionReads]
    tables: int
    document: list[float] = field(default_factory=list)


def measured_definitions(
    place: Path, sizes: Sizes, processors: Processors, random: Random, progress: Callable[[str], None]
) -> DefinitionCosts:
    """Make an environment and measure it in shuffled turn.

    Args:
        place: a directory that does not exist.
        sizes: how often each read is measured, and for how long.
        processors: where to measure.
        random: chooses the order.
        progress: is told what happens.

    Raises:
        RuntimeError: a read is refused.
    """
    base = place / "base"
    base.mkdir(parents=True)
    make_data_set(base, _CONTACTS, progress)
    shutil.copytree(base, place / "grown")
    progress(f"an environment of {_OWN_TABLES} tables of its own")
    with grown(place / "grown", GrowthPoint(_OWN_TABLES, 1, 1)) as (doors, (token, *_)):
        service = doors.dataverse
        assert isinstance(service, OrganizationService)
        _allow(service)
        found = DefinitionCosts([], len(service.catalog.tables))
        turns: list[tuple[list[float], Callable[[], object]]] = [(found.document, lambda: csdl(service.catalog))]
        for title, path, query in QUESTIONS:
            ask, size = _asking(doors, path, query, token)
            ask_rows, rows, rows_size = _page_of(doors, size, token)
            reads = DefinitionReads(title, size, rows, rows_size)
            found.reads.append(reads)
            turns += [(reads.seconds, ask), (reads.rows_seconds, ask_rows)]
        for _ in range(sizes.rounds):
            random.shuffle(turns)
            for times, ask in turns:
                with pinned(processors.server):
                    times.append(seconds_per_call(ask, sizes.seconds))
    return found


def _allow(service: OrganizationService) -> None:
    """Let the client read definitions."""
    role = reference_to(service, "role", "name", ROLE)
    rights = [{"PrivilegeId": privilege_id(f"prvRead{part}"), "Depth": "Global"} for part in _RIGHTS]
    service.execute(Execute("AddPrivilegesRole", {"Privileges": rights}, role), service.system)


def _page_of(doors: Services, size: int, token: str) -> tuple[Callable[[], object], int, int]:
    """Return what asks for the shortest page of contacts that is at least so long, its rows, and how long it is."""
    for rows in _PAGES:
        ask, found = _asking(doors, "contacts", f"$top={rows}", token)
        if found >= size:
            break
    return ask, rows, found


def _asking(doors: Services, path: str, query: str, token: str) -> tuple[Callable[[], object], int]:
    """Return what asks once, and how long the answer is.

    Raises:
        RuntimeError: it is refused.
    """
    request = request_of(path, query, token)
    first = handle(request, doors)
    if first.status != _OK:
        raise RuntimeError(f"{path}?{query} was answered with {first.status}: {first.body.decode()[:500]}")
    return lambda: handle(request, doors), len(first.body)
