"""Which components need which, as the functions about dependencies tell it."""

import pytest

from entities.errors import InvalidArgument
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Choice, ChoiceType, Rollup, RollupCondition
from entities.metadata.declare import (
    calculated,
    column,
    integer,
    label,
    lookup,
    options,
    plain,
    primary_id,
    rollup,
    string,
    with_ids,
)
from entities.metadata.ids import choice_id, column_id, key_id, relationship_id, table_id
from entities.metadata.relationships import OneToMany
from entities.metadata.tables import AlternateKey, Table
from entities.standard.customization.dependencies import check_unused
from entities.standard.sdk_messages import filter_id, filter_rows, message_id, message_rows
from odata_server.engine.environment import fill

SHADES = Choice("dep_shades", options("Dark", "Light"), label("Shades"), is_global=True)
TABLE, COLUMN, CHOICE, RELATIONSHIP, KEY, VIEW, STEP = 1, 2, 9, 10, 14, 26, 92
NOWHERE = "00000000-0000-0000-0000-0000000000ff"


def _table(name, code, *columns, keys=()):
    first = (primary_id(f"{name}Id"), string(f"{name}_name", is_custom=True))
    names = (name, name, f"{name}s", code, f"{name}id", f"{name}_name")
    return with_ids(Table(*names, (*first, *columns), plain(name), plain(name), keys=keys, is_custom=True))


HOUSE = _table(
    "dep_house",
    11_800,
    integer("dep_Floors", is_custom=True),
    integer("dep_Free", is_custom=True),
    calculated(integer("dep_Doors", is_custom=True), "dep_floors * 2"),
    *rollup(
        integer("dep_Rooms", is_custom=True),
        Rollup("SUM", "dep_room", "dep_house", "dep_size", (RollupCondition("dep_kind", "eq", ("1",)),)),
    ),
    keys=(AlternateKey("dep_byfloors", ("dep_floors",)),),
)
ROOM = _table(
    "dep_room",
    11_801,
    integer("dep_Size", is_custom=True),
    integer("dep_Kind", is_custom=True),
    column("dep_Shade", ChoiceType(SHADES), is_custom=True),
    lookup("dep_House", "dep_house", is_custom=True),
)
LINK = OneToMany(
    "dep_house_rooms", "dep_house", "dep_houseid", "dep_room", "dep_house", "dep_house", "dep_rooms", is_custom=True
)


def of(table, name):
    return column_id(table, table.by_name[name])


@pytest.fixture(scope="module")
def view(api, services):
    """The tables, and a view of accounts that is joined to houses."""
    with services.dataverse.changing() as transaction:
        transaction.change_catalog(CatalogChange(put=(HOUSE, ROOM), relate=(LINK,)))
    inner = (
        '<link-entity name="dep_room" from="dep_size" to="numberofemployees"><attribute name="dep_kind"/></link-entity>'
    )
    fetch = f'<fetch><entity name="account"><attribute name="fax"/>{inner}</entity></fetch>'
    return api.created("savedqueries", name="Rooms", returnedtypecode="account", querytype=0, fetchxml=fetch)


def told(api, function, identifier, kind):
    found = api.json(f"/{function}(ObjectId={identifier},ComponentType={kind})")["value"]
    side = "required" if function == "RetrieveRequiredComponents" else "dependent"
    return {(one[f"{side}componenttype"], one[f"{side}componentobjectid"]) for one in found}


DEPENDENTS = [
    ("a table that a lookup points to", TABLE, table_id(HOUSE), {(COLUMN, of(ROOM, "dep_house"))}),
    (
        "a table that a view joins and a rollup adds up",
        TABLE,
        table_id(ROOM),
        {(VIEW, "the view"), (COLUMN, of(HOUSE, "dep_rooms"))},
    ),
    (
        "a column of a key and a formula",
        COLUMN,
        of(HOUSE, "dep_floors"),
        {(KEY, key_id(HOUSE, HOUSE.keys[0])), (COLUMN, of(HOUSE, "dep_doors"))},
    ),
    (
        "a column that is added up and joined by",
        COLUMN,
        of(ROOM, "dep_size"),
        {(COLUMN, of(HOUSE, "dep_rooms")), (VIEW, "the view")},
    ),
    (
        "a column of a rollup's condition and a view",
        COLUMN,
        of(ROOM, "dep_kind"),
        {(COLUMN, of(HOUSE, "dep_rooms")), (VIEW, "the view")},
    ),
    (
        "a relationship whose lookup a rollup follows",
        RELATIONSHIP,
        relationship_id(LINK),
        {(COLUMN, of(HOUSE, "dep_rooms"))},
    ),
    ("a global choice", CHOICE, choice_id(SHADES), {(COLUMN, of(ROOM, "dep_shade"))}),
    ("a column that nothing needs", COLUMN, of(HOUSE, "dep_free"), set()),
]


@pytest.mark.parametrize("function", ["RetrieveDependenciesForDelete", "RetrieveDependentComponents"])
@pytest.mark.parametrize(
    ("kind", "identifier", "expected"), [d[1:] for d in DEPENDENTS], ids=[d[0] for d in DEPENDENTS]
)
def test_what_needs_a_component_is_told(api, view, function, kind, identifier, expected):
    expected = {(one, view if of_ == "the view" else of_) for one, of_ in expected}
    assert told(api, function, identifier, kind) == expected


def test_what_a_component_needs_is_told(api, view):
    needed = told(api, "RetrieveRequiredComponents", of(HOUSE, "dep_doors"), COLUMN)
    assert needed == {(COLUMN, of(HOUSE, "dep_floors"))}
    assert (TABLE, table_id(HOUSE)) in told(api, "RetrieveRequiredComponents", of(ROOM, "dep_house"), COLUMN)
    assert {(TABLE, table_id(ROOM)), (COLUMN, of(ROOM, "dep_kind"))} <= told(
        api, "RetrieveRequiredComponents", view, VIEW
    )


def test_a_dependency_says_what_both_components_are(api, view):
    path = f"/RetrieveDependenciesForDelete(ObjectId={table_id(HOUSE)},ComponentType=1)"
    answer = api.json(path)
    (one,) = answer["value"]
    assert answer["@odata.context"].endswith("$metadata#dependencies")
    assert one["requiredcomponentobjectid"] == table_id(HOUSE)
    assert one["dependentcomponentparentid"] == table_id(ROOM)
    assert (one["dependencytype"], one["requiredcomponenttype"]) == (2, 1)


def test_steps_need_what_they_are_registered_for(api, services, view):
    account = services.dataverse.catalog.tables["account"]
    fill(services.dataverse, (*message_rows(()), *filter_rows([account])))
    endpoint = api.created(
        "serviceendpoints", name="hook", contract=8, url="https://localhost:9/h", authtype=4, authvalue="k"
    )
    step = api.created(
        "sdkmessageprocessingsteps",
        **{
            "name": "step",
            "stage": 40,
            "mode": 1,
            "rank": 1,
            "filteringattributes": "fax,name",
            "sdkmessageid@odata.bind": f"/sdkmessages({message_id('Update')})",
            "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters({filter_id('Update', 'account')})",
            "eventhandler_serviceendpoint@odata.bind": f"/serviceendpoints({endpoint})",
        },
    )
    assert (STEP, step) in told(api, "RetrieveDependentComponents", of(account, "fax"), COLUMN)
    assert (STEP, step) in told(api, "RetrieveDependentComponents", endpoint, 95)
    assert (STEP, step) in told(api, "RetrieveDependentComponents", table_id(account), TABLE)
    assert (95, endpoint) in told(api, "RetrieveRequiredComponents", step, STEP)


def test_a_component_that_others_need_is_refused_to_go(services, view):
    with services.dataverse.changing() as transaction:
        check_unused(transaction, COLUMN, of(HOUSE, "dep_free"))
        with pytest.raises(InvalidArgument) as refusal:
            check_unused(transaction, COLUMN, of(HOUSE, "dep_floors"))
    assert refusal.value.code == "0x8004f01f"
    assert refusal.value.message.startswith(
        f"The Attribute({of(HOUSE, 'dep_floors')}) component cannot be deleted because it is referenced by 2 other"
    )


def test_a_solution_misses_what_its_components_need(api, services, view):
    publisher = "/publishers(d21aab71-79e7-11dd-8874-00188b01e34f)"
    api.created(
        "solutions", uniquename="Rooms", friendlyname="Rooms", version="1.0", **{"publisherid@odata.bind": publisher}
    )
    body = {
        "ComponentId": table_id(ROOM),
        "ComponentType": 1,
        "SolutionUniqueName": "Rooms",
        "AddRequiredComponents": False,
    }
    assert api("POST", "/AddSolutionComponent", body).status == 200
    missing = api.json("/RetrieveMissingDependencies(SolutionUniqueName='Rooms')")["value"]
    assert {one["requiredcomponentobjectid"] for one in missing} == {table_id(HOUSE), choice_id(SHADES)}
    assert {one["@odata.type"] for one in missing} == {"#Microsoft.Dynamics.CRM.dependency"}
    using = api.json("/RetrieveDependenciesForUninstall(SolutionUniqueName='Rooms')")["value"]
    assert {one["dependentcomponentobjectid"] for one in using} == {of(HOUSE, "dep_rooms"), view}
    assert api("POST", "/AddSolutionComponent", {**body, "AddRequiredComponents": True}).status == 200
    left = api.json("/RetrieveMissingDependencies(SolutionUniqueName='Rooms')")["value"]
    assert table_id(HOUSE) not in {one["requiredcomponentobjectid"] for one in left}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/RetrieveDependentComponents(ObjectId={NOWHERE},ComponentType=2)", "0x8004f018"),
        (f"/RetrieveRequiredComponents(ObjectId={NOWHERE},ComponentType=26)", "0x8004f018"),
        (f"/RetrieveDependenciesForDelete(ObjectId={NOWHERE},ComponentType=9999)", "0x8004f019"),
        ("/RetrieveMissingDependencies(SolutionUniqueName='None')", "0x80048037"),
        ("/RetrieveDependenciesForUninstall(SolutionUniqueName='None')", "0x80048037"),
    ],
)
def test_what_is_not_there_has_no_dependencies(api, path, code):
    assert api.error("GET", path)[:2] == (400, code)


def test_what_cannot_be_read_needs_nothing(api, view):
    made = api.created("savedqueries", name="Torn", returnedtypecode="account", querytype=0, fetchxml="<fetch><entity")
    assert told(api, "RetrieveRequiredComponents", made, VIEW) == set()
