"""Groups and aggregates of every column: the database gives what the in-memory meaning gives, or refuses as it does."""

from decimal import Decimal
from itertools import product

import pytest
from comparing import check_groups, same_records
from engines import Engine
from random_queries import functions_for
from worlds import CATALOG, FIRM, record_guid

from entities.errors import InvalidArgument
from entities.evaluate import answer
from entities.metadata.columns import Column, MultiChoiceType
from entities.query import Aggregate, AggregateFunction, ColumnRef, Group, QueryExpression
from tests.properties.test_operators import WORLD as AWKWARD


@pytest.mark.parametrize("column", FIRM.columns, ids=[c.logical_name for c in FIRM.columns])
def test_every_function_on_every_column_means_the_same_or_is_refused(engine: Engine, column: Column) -> None:
    engine.hold(AWKWARD)
    by_color = (Group(ColumnRef("color"), "g"),)
    for function, distinct, grouped in product(AggregateFunction, (False, True), ((), by_color)):
        made = (Aggregate(function, "a", ColumnRef(column.logical_name), distinct),)
        query = QueryExpression("firm", groups=grouped, aggregates=made)
        if function in functions_for(column.type):
            assert same_records(engine.records(query).records, answer(query, CATALOG, AWKWARD).records), query
        else:
            for run in (engine.records, lambda asked: answer(asked, CATALOG, AWKWARD)):
                with pytest.raises(InvalidArgument, match="is not supported for attribute of type"):
                    run(query)


@pytest.mark.parametrize("column", FIRM.columns, ids=[c.logical_name for c in FIRM.columns])
def test_every_column_groups_the_same_or_is_refused(engine: Engine, column: Column) -> None:
    engine.hold(AWKWARD)
    count = (Aggregate(AggregateFunction.COUNT, "n"),)
    query = QueryExpression("firm", groups=(Group(ColumnRef(column.logical_name), "g"),), aggregates=count)
    if isinstance(column.type, MultiChoiceType):
        with pytest.raises(InvalidArgument, match="MultiSelectPickList"):
            engine.records(query)
    else:
        assert same_records(engine.records(query).records, answer(query, CATALOG, AWKWARD).records)


@pytest.mark.parametrize("amount", ["-0.0031", "-0.0050", "0.0049"])
def test_an_aggregate_that_rounds_to_nothing_has_no_sign(engine: Engine, amount: str) -> None:
    world = {**AWKWARD, "firm": ({"firmid": record_guid(1), "versionnumber": 1, "costs": Decimal(amount)},)}
    engine.hold(world)
    made = (Aggregate(AggregateFunction.SUM, "total", ColumnRef("costs")),)
    assert check_groups(engine, world, QueryExpression("firm", aggregates=made), 1)
