"""A role narrows a read to the rows it reaches: never more than the system sees, never fewer by a further grant."""

from dataclasses import replace
from typing import cast

import pytest
from engines import Engine
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import record_guid, table

from entities.errors import AccessDenied
from entities.evaluate import evaluate
from entities.messages import RetrieveMultiple
from entities.metadata.catalog import catalog
from entities.metadata.declare import integer, lookup, owner_columns, string
from entities.metadata.tables import Ownership
from entities.pipeline import Caller
from entities.query import (
    ColumnRef,
    Condition,
    ConditionOperator,
    Exists,
    Filter,
    LinkEntity,
    LinkType,
    Not,
    Or,
    QueryExpression,
)
from entities.standard.sharing import PRINCIPAL_OBJECT_ACCESS
from entities.values import EntityReference, Guid, Record
from security.authorize import authorize
from security.principals import Principal
from security.privileges import Depth

NOTE = table("note", 10_001, string("Name"), integer("Size"), *owner_columns(), ownership=Ownership.USER)
PART = table("part", 10_002, string("Name"), lookup("Note", "note"), *owner_columns(), ownership=Ownership.USER)
CATALOG = catalog(1, (NOTE, PART, PRINCIPAL_OBJECT_ACCESS), ())

USERS, TEAMS, UNITS = (tuple(record_guid(n) for n in numbers) for numbers in ((1, 2, 3), (4, 5), (6, 7, 8)))
OWNERS = [*(EntityReference("systemuser", user) for user in USERS), *(EntityReference("team", team) for team in TEAMS)]

Rows = dict[str, tuple[Record, ...]]


def _owned(name: str, **more: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[Record, ...]]:
    row = st.fixed_dictionaries(
        {
            "ownerid": st.sampled_from(OWNERS),
            "owningbusinessunit": st.sampled_from([EntityReference("businessunit", unit) for unit in UNITS]),
            **more,
        }
    )
    return st.lists(row, max_size=6).map(
        lambda found: tuple({**record, f"{name}id": record_guid(n)} for n, record in enumerate(found))  # type: ignore[dict-item]  # values are values
    )


NOTE_REFERENCES = st.integers(0, 5).map(lambda n: EntityReference("note", record_guid(n)))
MASKS = st.sampled_from((0, 1, 2, 3, 4, 7, 134_217_728, 135_069_719))
SHARES = st.lists(
    st.fixed_dictionaries(
        {
            "objectid": st.integers(0, 5).map(record_guid),
            "principalid": st.sampled_from((*USERS, *TEAMS)),
            "accessrightsmask": MASKS,
            "inheritedaccessrightsmask": MASKS,
        }
    ),
    max_size=3,
).map(lambda found: tuple({**row, "principalobjectaccessid": record_guid(n)} for n, row in enumerate(found)))
DATA: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {
        "note": _owned("note", size=st.integers(0, 3)),
        "part": _owned("part", note=NOTE_REFERENCES),
        "principalobjectaccess": SHARES,
    }
)
GRANTS = st.dictionaries(st.sampled_from(("prvReadNote", "prvReadPart")), st.sampled_from(Depth))
SIZES = st.integers(0, 3).map(lambda size: Condition(ColumnRef("size"), ConditionOperator.GREATER_EQUAL, (size,)))
WITH_PARTS = Exists(LinkEntity("p", "part", "note", "noteid"))
FILTERS: st.SearchStrategy[Filter] = st.one_of(
    SIZES, SIZES.map(Not), st.just(WITH_PARTS), SIZES.map(lambda f: Or((f, WITH_PARTS)))
)
LINKS = st.sampled_from(((), (LinkEntity("p", "part", "note", "noteid", type=LinkType.INNER),)))
QUERIES = st.builds(
    lambda found, links: QueryExpression("note", filter=found, links=links, distinct=True), FILTERS, LINKS
)


@st.composite
def principals(draw: st.DrawFn) -> Principal:
    """Return a user in one of the units with some teams and grants, and teams or itself to share with."""
    unit = draw(st.sampled_from(UNITS))
    below = (unit, *draw(st.sets(st.sampled_from(UNITS))))
    teams = tuple(draw(st.sets(st.sampled_from(TEAMS))))
    caller = Caller(draw(st.sampled_from(USERS)), unit, "Caller")
    shared = draw(st.dictionaries(st.just("note"), st.sets(st.sampled_from((caller.user_id, *TEAMS))).map(tuple)))
    return Principal(caller, 0, False, 1, draw(GRANTS), teams, tuple(dict.fromkeys(below)), shared=shared)


def ids(principal: Principal, query: QueryExpression, data: Rows) -> set[object] | None:
    """Return the ids of what a principal reads, None where it is refused."""
    try:
        narrowed = authorize(RetrieveMultiple(query), principal, CATALOG).message.query
    except AccessDenied:
        return None
    return {record["noteid"] for record in evaluate(narrowed, CATALOG, data)}


def reaches(principal: Principal, record: Record, data: Rows) -> bool:
    """Say whether Read reaches a row, straight from the definition of the access levels and of shares."""
    owner, unit = record["ownerid"], record["owningbusinessunit"]
    assert isinstance(owner, EntityReference)
    assert isinstance(unit, EntityReference)
    depth = principal.grants["prvReadNote"]
    own = owner.id in (principal.caller.user_id, *principal.team_ids)
    units: dict[Depth, tuple[Guid, ...]] = {
        Depth.BASIC: (),
        Depth.LOCAL: (principal.caller.business_unit_id,),
        Depth.DEEP: principal.units_below,
        Depth.GLOBAL: UNITS,
    }
    return (
        own
        or unit.id in units[depth]
        or any(
            share["objectid"] == record["noteid"]
            and share["principalid"] in principal.shared.get("note", ())
            and any(cast("int", share[mask]) & 1 for mask in ("accessrightsmask", "inheritedaccessrightsmask"))
            for share in data["principalobjectaccess"]
        )
    )


@given(principal=principals(), data=DATA)
def test_a_read_gives_exactly_the_rows_that_its_depth_reaches(principal: Principal, data: Rows) -> None:
    found = ids(principal, QueryExpression("note"), data)
    if "prvReadNote" not in principal.grants:
        assert found is None
    else:
        assert found == {record["noteid"] for record in data["note"] if reaches(principal, record, data)}


@settings(max_examples=60)
@given(principal=principals(), data=DATA, query=QUERIES)
def test_the_database_gives_the_same_rows(
    engine: Engine, principal: Principal, data: Rows, query: QueryExpression
) -> None:
    allowed = replace(principal, grants={"prvReadNote": Depth.BASIC, "prvReadPart": Depth.LOCAL, **principal.grants})
    narrowed = authorize(RetrieveMultiple(replace(query, columns=("noteid",))), allowed, CATALOG).message.query
    engine.hold(data)
    assert engine.records(narrowed).records == evaluate(narrowed, CATALOG, data)


@settings(max_examples=20)
@given(principal=principals())
def test_without_a_share_the_query_is_what_it_was_before_there_were_any(principal: Principal) -> None:
    nothing = replace(principal, shared={"note": (), "part": ()})
    allowed = [replace(one, grants={"prvReadNote": Depth.DEEP}) for one in (nothing, replace(nothing, shared={}))]
    with_none, before = (authorize(RetrieveMultiple(QueryExpression("note")), one, CATALOG) for one in allowed)
    assert with_none.message == before.message
    assert "principalobjectaccess" not in repr(before.message)


@given(principal=principals(), data=DATA, query=QUERIES)
def test_nobody_reads_more_than_the_system(principal: Principal, data: Rows, query: QueryExpression) -> None:
    found = ids(principal, query, data)
    everything = ids(replace(principal, is_system=True), query, data)
    assert everything is not None
    assert found is None or found <= everything


@given(principal=principals(), data=DATA, query=QUERIES, more=GRANTS)
def test_a_further_grant_never_takes_rows_away(
    principal: Principal, data: Rows, query: QueryExpression, more: dict[str, Depth]
) -> None:
    grants = dict(principal.grants)
    grants.update({name: max(depth, grants.get(name, Depth.BASIC)) for name, depth in more.items()})
    before = ids(principal, query, data)
    after = ids(replace(principal, grants=grants), query, data)
    assert before is None or (after is not None and before <= after)


@given(principal=principals(), data=DATA, unit=st.sampled_from(UNITS), team=st.sampled_from(TEAMS))
def test_a_further_team_or_unit_never_takes_rows_away(principal: Principal, data: Rows, unit: Guid, team: Guid) -> None:
    wider = replace(
        principal,
        team_ids=(*principal.team_ids, team),
        units_below=tuple(dict.fromkeys((*principal.units_below, unit))),
    )
    before, after = (ids(one, QueryExpression("note"), data) for one in (principal, wider))
    assert before is None or (after is not None and before <= after)


@pytest.mark.parametrize("query", [QueryExpression("note", filter=WITH_PARTS), QueryExpression("part")])
def test_a_table_without_a_grant_cannot_be_asked_about(query: QueryExpression) -> None:
    caller = Caller(USERS[0], UNITS[0], "Caller")
    principal = Principal(caller, 0, False, 1, {"prvReadNote": Depth.GLOBAL})
    with pytest.raises(AccessDenied, match="prvReadPart"):
        authorize(RetrieveMultiple(query), principal, CATALOG)
