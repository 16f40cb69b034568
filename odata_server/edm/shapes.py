"""Row shapes: which JSON members a row has, in the order in which the real services write them.

Web API (Learn: "Select columns using the Web API", "Formatted values", "Retrieve lookup property data"): the entity tag
first, then per column its annotations and its value, then what was not asked for but always comes: the currency of an
amount, and the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from entities.metadata.catalog import Catalog, LookupNavigation
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    Column,
    ColumnType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupKind,
    LookupType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
)
from entities.metadata.option_labels import option_labels
from entities.metadata.tables import Table, TableKind
from entities.query import ColumnRef
from odata_server.edm.control_information import Links, value_members
from odata_server.edm.formats import MINIMAL, Format, Metadata
from odata_server.edm.naming import (
    PRINCIPAL,
    columns_of_rows,
    finance_columns,
    finance_options,
    finance_property,
    web_api_property,
)
from odata_server.edm.preferences import (
    ASSOCIATED_NAVIGATION,
    FORMATTED_VALUE,
    LOOKUP_LOGICAL_NAME,
    NO_ANNOTATIONS,
    AnnotationFilter,
)
from odata_server.edm.representation import Facet, Member, RowShape

ETAG: Final = "@odata.etag"
CURRENCY: Final = "transactioncurrencyid"
VERSION: Final = "versionnumber"

_FORMATTED: Final = (
    BigIntType,
    BooleanType,
    ChoiceType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupKind,
    LookupType,
    MoneyType,
    MultiChoiceType,
    StateType,
    StatusType,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What members of a row show besides values.

    `alias` is the linked table's where the row is that of an expanded record; `with_etag` is false where nested rows
    carry no entity tag. `form` says how much control information there is, and how the caller sees values.
    """

    annotations: AnnotationFilter = NO_ANNOTATIONS
    alias: str = ""
    with_etag: bool = True
    form: Format = MINIMAL


def web_api_shape(
    catalog: Catalog,
    table: Table,
    columns: tuple[str, ...] | None,
    *,
    annotations: AnnotationFilter = NO_ANNOTATIONS,
    form: Format = MINIMAL,
) -> RowShape:
    """Return the shape of a table's rows in the Web API.

    Args:
        catalog: the snapshot the table is from.
        table: the table.
        columns: logical names in the order of `$select`; None for every readable column.
        annotations: which annotations the request wants.
        form: how much control information the rows carry, and how the caller sees values.
    """
    wanted = Wanted(annotations, form=form)
    return RowShape(table.logical_name, web_api_members(catalog, table, columns, wanted))


def web_api_members(
    catalog: Catalog, table: Table, columns: tuple[str, ...] | None, wanted: Wanted
) -> tuple[Member, ...]:
    """Return the members of a row.

    Args:
        catalog: the snapshot the table is from.
        table: the table, a linked one for an expanded record.
        columns: logical names in the order of `$select`; None for every readable column.
        wanted: annotations, form and place of the row.
    """
    maker = _Maker(catalog, table, wanted)
    row = Links(catalog, table, wanted.alias, wanted.form)
    members = [*row.before_etag(), *_etag(table, wanted), *row.after_etag()]
    for column in _complete(table, columns):
        members.extend(maker.members(column))
    if columns is None:
        members.extend(row.navigations())
    return tuple(members)


def _etag(table: Table, wanted: Wanted) -> Iterator[Member]:
    if wanted.with_etag and table.has_version and wanted.form.metadata is not Metadata.NONE:
        yield Member(ETAG, Facet.ETAG, ColumnRef(VERSION, wanted.alias), table.by_name[VERSION].type)


def _complete(table: Table, columns: tuple[str, ...] | None) -> Iterator[Column]:
    """Yield the columns of a row: the selected ones, then those that come along."""
    if columns is None:
        yield from columns_of_rows(table)
        return
    names = dict.fromkeys(columns)
    if CURRENCY in table.by_name and any(isinstance(table.by_name[name].type, MoneyType) for name in names):
        names.setdefault(CURRENCY)
    names.setdefault(table.primary_id)
    if table.base_type == PRINCIPAL:
        names.setdefault("ownerid")
    for name in names:
        if name in table.by_name:
            yield table.by_name[name]


def lookup_navigations(catalog: Catalog, table: Table) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Return, per lookup column of a table, the navigation property that leads to each target table."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, navigation in catalog.navigations[table.logical_name].items():
        if isinstance(navigation, LookupNavigation):
            found.setdefault(navigation.relationship.referencing_column, []).append((navigation.target, name))
    for column in table.lookups():
        # `ownerid` leads to the base type of all its targets, under one name.
        if isinstance(column.type, LookupType) and column.type.kind is LookupKind.OWNER:
            found[column.logical_name] = [(target, column.logical_name) for target in column.type.targets]
    return {column: tuple(pairs) for column, pairs in found.items()}


class _Maker:
    """Makes the members of one column after another; holds what they have in common."""

    def __init__(self, catalog: Catalog, table: Table, wanted: Wanted) -> None:
        self._catalog = catalog
        self._alias = wanted.alias
        self._form = wanted.form
        navigation = wanted.annotations.includes(ASSOCIATED_NAVIGATION)
        self._navigations = lookup_navigations(catalog, table) if navigation else {}
        self._logical_name = wanted.annotations.includes(LOOKUP_LOGICAL_NAME)
        self._formatted = wanted.annotations.includes(FORMATTED_VALUE)

    def members(self, column: Column) -> Iterator[Member]:
        """Yield the annotations of a column, then its value."""
        name = web_api_property(column)
        ref = ColumnRef(column.logical_name, self._alias)
        type_ = column.type
        if isinstance(type_, LookupType):
            yield from self._lookup_members(name, ref, type_)
        if self._formatted and isinstance(type_, _FORMATTED):
            yield Member(
                f"{name}@{FORMATTED_VALUE}",
                Facet.FORMATTED,
                ref,
                type_,
                option_labels(type_, self._form.display.language),
                referenced_names(self._catalog, type_),
                display=self._form.display,
            )
        if self._form is MINIMAL:
            yield Member(name, Facet.VALUE, ref, type_)
        else:
            yield from value_members(name, ref, type_, self._form)

    def _lookup_members(self, name: str, ref: ColumnRef, type_: ColumnType) -> Iterator[Member]:
        navigations = self._navigations.get(ref.name)
        if navigations:
            yield Member(f"{name}@{ASSOCIATED_NAVIGATION}", Facet.NAVIGATION, ref, type_, navigations)
        if self._logical_name:
            yield Member(f"{name}@{LOOKUP_LOGICAL_NAME}", Facet.LOOKUP_LOGICAL_NAME, ref, type_)


def referenced_names(catalog: Catalog, type_: ColumnType) -> tuple[tuple[str, str, str], ...]:
    """Return where the names of referenced records stand; those of virtual tables are not in this database."""
    if not isinstance(type_, LookupType):
        return ()
    targets = (catalog.tables.get(target) for target in type_.targets)
    return tuple(
        (target.logical_name, target.primary_id, target.primary_name)
        for target in targets
        if target is not None and target.primary_name and target.kind is not TableKind.VIRTUAL
    )


def finance_shape(table: Table, columns: tuple[str, ...] | None) -> RowShape:
    """Return the shape of a table's rows in `/data`: the entity tag, then what was selected under the names there.

    Args:
        table: the table.
        columns: logical names in the order of `$select`; None for every property. Nothing is added to a selection.
    """
    shown: Iterable[Column] = (
        finance_columns(table) if columns is None else (table.by_name[name] for name in dict.fromkeys(columns))
    )
    members = tuple(finance_member(column) for column in shown)
    if table.has_version:
        version = table.by_name[VERSION].type
        members = (Member(ETAG, Facet.FINANCE_ETAG, ColumnRef(VERSION), version, base=table.primary_id), *members)
    return RowShape(table.logical_name, members)


def finance_member(column: Column, alias: str = "") -> Member:
    """Return the member that shows a column in `/data`."""
    return Member(
        finance_property(column),
        Facet.FINANCE_VALUE,
        ColumnRef(column.logical_name, alias),
        column.type,
        finance_options(column.type),
    )
