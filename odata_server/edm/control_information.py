"""Control information of full metadata, and numbers as text: members that rows have only where a request asks.

OData JSON 4.01 §3.1.2 and §4.6, in the order and extent of Microsoft's OData library, which Dataverse runs on: type,
id, entity tag and edit link first; the type of a value unless JSON tells it (text, yes/no, Int32, Double) or it is
null; the links of navigation properties last, where no `$select` has narrowed the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from entities.metadata.catalog import Catalog
from entities.metadata.columns import BigIntType, ColumnType, DecimalType, MoneyType
from entities.metadata.tables import Table
from entities.query import ColumnRef
from odata_server.edm.formats import Format, Metadata
from odata_server.edm.naming import WEB_API_NAMESPACE, edm_type, entity_type
from odata_server.edm.representation import Facet, Member

_TOLD_BY_JSON: Final = frozenset({"Edm.String", "Edm.Boolean", "Edm.Int32", "Edm.Double"})


@dataclass(frozen=True, slots=True)
class Links:
    """The control information of a row of a table; `alias` is the linked table's where the row is an expanded one."""

    catalog: Catalog
    table: Table
    alias: str
    form: Format

    def before_etag(self) -> Iterator[Member]:
        """Yield type and id; the id is absolute."""
        if self.form.metadata is Metadata.FULL:
            yield self._member("@odata.type", Facet.TYPE, f"#{entity_type(self.table)}")
            yield self._member("@odata.id", Facet.ENTITY_ID, f"{self.form.root}/{self._place()}")

    def after_etag(self) -> Iterator[Member]:
        """Yield the edit link, relative to the context."""
        if self.form.metadata is Metadata.FULL:
            yield self._member("@odata.editLink", Facet.ENTITY_ID, self._place())

    def navigations(self) -> Iterator[Member]:
        """Yield the links of the navigation properties."""
        if self.form.metadata is not Metadata.FULL:
            return
        for name in self.catalog.navigations[self.table.logical_name]:
            link = f"{self.form.root}/{self._place()}/{name}"
            yield self._member(f"{name}@odata.associationLink", Facet.ENTITY_ID, f"{link}/$ref")
            yield self._member(f"{name}@odata.navigationLink", Facet.ENTITY_ID, link)

    def _place(self) -> str:
        return f"{self.table.entity_set_name}({{id}})"

    def _member(self, name: str, facet: Facet, base: str) -> Member:
        column = self.table.by_name[self.table.primary_id]
        return Member(name, facet, ColumnRef(column.logical_name, self.alias), column.type, base=base)


def value_members(name: str, ref: ColumnRef, type_: ColumnType, form: Format) -> Iterator[Member]:
    """Yield a value, with full metadata after its type.

    Args:
        name: the property.
        ref: its column.
        type_: the column's type.
        form: how much control information there is, and whether exact numbers are text.
    """
    edm = edm_type(type_)
    if form.metadata is Metadata.FULL and edm not in _TOLD_BY_JSON:
        yield Member(f"{name}@odata.type", Facet.TYPE, ref, type_, base=f"#{_type_text(edm)}")
    yield Member(name, value_facet(type_, form), ref, type_)


def value_facet(type_: ColumnType, form: Format) -> Facet:
    """Return how a value is written: Int64 and Decimal as text where the request wants that."""
    is_exact = isinstance(type_, BigIntType | DecimalType | MoneyType)
    return Facet.VALUE_AS_TEXT if form.exact_text and is_exact else Facet.VALUE


def _type_text(edm: str) -> str:
    """Return a type as `@odata.type` names it: without `Edm.`, and with the namespace in place of its alias."""
    alias, _, name = edm.partition(".")
    return name if alias == "Edm" else f"{WEB_API_NAMESPACE}.{name}"
