"""Relations of virtual tables that no provider can write are refused before it is asked."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from entities.errors import DataverseError, InvalidOperation, NotSupported
from entities.metadata.catalog import Catalog, catalog
from entities.metadata.declare import lookup, plain, primary_id, string
from entities.metadata.relationships import ManyToMany, OneToMany
from entities.metadata.tables import ExternalSource, Table, TableKind
from entities.pipeline import Caller
from entities.values import EntityReference, Guid
from entities.virtual import DataProvider
from odata_server.engine.relations import Link
from odata_server.engine.virtual_relations import relate

ID = Guid("00000000-0000-0000-0000-000000000001")
CALLER = Caller(ID, ID, "Ann Example")


def _table(name: str, number: int, *, is_virtual: bool, points_to: str = "") -> Table:
    columns = (primary_id(f"{name}id"), string("label", 20), *([lookup("parent", points_to)] if points_to else []))
    source = ExternalSource("Source", name, f"{name}s", ID) if is_virtual else None
    kind = TableKind.VIRTUAL if is_virtual else TableKind.STANDARD
    return Table(
        name,
        name,
        f"{name}s",
        number,
        f"{name}id",
        "label",
        columns,
        plain(name),
        plain(name),
        kind=kind,
        source=source,
    )


def _one_to_many(parent: str, child: str) -> OneToMany:
    return OneToMany(f"{parent}_{child}", parent, f"{parent}id", child, "parent", "parent", f"{child}s")


@pytest.fixture(scope="module")
def declared() -> Catalog:
    tables = (
        _table("leaf", 1, is_virtual=True, points_to="native"),
        _table("twig", 2, is_virtual=True),
        _table("native", 3, is_virtual=False),
        _table("note", 4, is_virtual=False, points_to="twig"),
        _table("leaf_twig", 5, is_virtual=False),
    )
    pair = ManyToMany("leaf_twig", "leaf_twig", "leaf", "leafid", "twigs", "twig", "twigid", "leaves")
    return catalog(1, tables, (_one_to_many("native", "leaf"), _one_to_many("twig", "note"), pair))


@dataclass(frozen=True, slots=True)
class Refused:
    """A relation by table and navigation property, and its refusal."""

    table: str
    navigation: str
    related: str
    error: type[DataverseError]
    code: str
    text: str


_PAIRS = "An N:N relationship between virtual entities is not supported."
REFUSED = [
    Refused("leaf", "twigs", "twig", InvalidOperation, "0x80044820", _PAIRS),
    Refused("twig", "leaves", "leaf", InvalidOperation, "0x80044820", _PAIRS),
    Refused("leaf", "parent", "native", NotSupported, "0x80040315", "the native table 'native'"),
    Refused("twig", "notes", "note", NotSupported, "0x80040315", "the native table 'note'"),
]


def _never(table: Table) -> DataProvider:
    raise AssertionError(f"The provider of '{table.logical_name}' was asked.")


@pytest.mark.parametrize("joining", [True, False])
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.table}/{case.navigation}")
def test_what_no_provider_can_relate_is_refused(declared: Catalog, case: Refused, joining: bool) -> None:
    found = declared.navigation(case.table, case.navigation)
    assert found is not None
    link = Link(found, EntityReference(case.table, ID), EntityReference(case.related, ID), joining)
    with pytest.raises(case.error, match=case.text) as refusal:
        relate(link, declared, _never, CALLER)
    assert refusal.value.code == case.code
