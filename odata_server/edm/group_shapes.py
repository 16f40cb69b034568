"""The members of a group's row: what it is grouped by, its aggregates, then columns of linked tables.

Learn: "Aggregate data using OData", the examples: rows have neither entity tag nor id, and no nulls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from entities.display import Display
from entities.grouping import FISCAL, ResultColumn, result_columns, shown_name
from entities.metadata.catalog import Catalog
from entities.metadata.columns import (
    BigIntType,
    BooleanType,
    ChoiceType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    StateType,
    StatusType,
    StringType,
)
from entities.metadata.option_labels import option_labels
from entities.query import Aggregate, ColumnRef, Group, QueryExpression
from odata_server.edm.control_information import value_facet
from odata_server.edm.formats import MINIMAL, Format
from odata_server.edm.preferences import FORMATTED_VALUE, LOOKUP_LOGICAL_NAME, NO_ANNOTATIONS, AnnotationFilter
from odata_server.edm.representation import Facet, Member, RowShape
from odata_server.edm.shapes import Wanted, referenced_names

_FORMATTED: Final = (
    BigIntType,
    BooleanType,
    ChoiceType,
    DateTimeType,
    DecimalType,
    DoubleType,
    IntegerType,
    LookupType,
    MoneyType,
    StateType,
    StatusType,
)


def group_shape(
    catalog: Catalog,
    query: QueryExpression,
    *,
    annotations: AnnotationFilter = NO_ANNOTATIONS,
    form: Format = MINIMAL,
) -> RowShape:
    """Return the shape of a grouped query's rows; aliases are the names of the members.

    Args:
        catalog: the snapshot the query is bound against.
        query: a query with groups or aggregates.
        annotations: which annotations the request wants.
        form: whether exact numbers are written as text, and how the caller sees values.

    Raises:
        InvalidArgument: a column cannot be grouped or aggregated that way.
    """
    columns = result_columns(catalog, query)
    own = [c for c in columns if isinstance(c.made_of, Group) and not c.made_of.column.alias]
    linked = [c for c in columns if isinstance(c.made_of, Group) and c.made_of.column.alias]
    made = [c for c in columns if isinstance(c.made_of, Aggregate)]
    members = tuple(
        m for c in (*own, *made, *linked) for m in group_members(catalog, c, Wanted(annotations, form=form))
    )
    return RowShape(query.table, members)


def group_members(catalog: Catalog, column: ResultColumn, wanted: Wanted) -> Iterator[Member]:
    """Yield the annotations of a column of the result, then its value.

    Args:
        catalog: the snapshot the query is bound against.
        column: a group or an aggregate.
        wanted: annotations and form of the answer.
    """
    ref = ColumnRef(column.alias)
    if isinstance(column.type, LookupType) and wanted.annotations.includes(LOOKUP_LOGICAL_NAME):
        yield Member(f"{column.alias}@{LOOKUP_LOGICAL_NAME}", Facet.LOOKUP_LOGICAL_NAME, ref, column.type)
    if wanted.annotations.includes(FORMATTED_VALUE):
        yield from _formatted(catalog, column, wanted.form.display)
    yield Member(column.alias, _facet(column, wanted.form), ref, column.type, omits_null=True)


def _facet(column: ResultColumn, form: Format) -> Facet:
    if not column.is_exact:
        return value_facet(column.type, form)
    # The sum of 32-bit integers is an Int32 or Int64; only amounts and decimals are Decimals.
    is_text = form.exact_text and not (column.source and isinstance(column.source.type, IntegerType))
    return Facet.AGGREGATE_AS_TEXT if is_text else Facet.AGGREGATE


def _formatted(catalog: Catalog, column: ResultColumn, display: Display) -> Iterator[Member]:
    name = f"{column.alias}@{FORMATTED_VALUE}"
    ref = ColumnRef(column.alias)
    if column.is_exact:
        assert column.source is not None
        yield Member(name, Facet.AGGREGATE_FORMATTED, ref, column.source.type, display=display)
    elif isinstance(column.made_of, Group) and column.made_of.date_grouping in FISCAL:
        yield Member(name, Facet.VALUE, ColumnRef(shown_name(column.alias)), StringType(), omits_null=True)
    elif isinstance(column.type, _FORMATTED):
        names = referenced_names(catalog, column.type) if isinstance(column.type, LookupType) else ()
        labels = option_labels(column.type, display.language)
        yield Member(name, Facet.FORMATTED, ref, column.type, labels, names, display=display)
