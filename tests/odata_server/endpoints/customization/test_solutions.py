"""Publishers, solutions and their components, and publishing: what they must be, and what they tell."""

import json

import pytest
from things import dump

from entities.metadata.catalog import CatalogChange
from entities.metadata.declare import choice, options, plain, primary_id, string, with_ids
from entities.metadata.ids import column_id, table_id
from entities.metadata.tables import Table
from entities.standard.identifiers import ACTIVE_SOLUTION, DEFAULT_PUBLISHER, DEFAULT_SOLUTION

BOOK = with_ids(
    Table(
        "cts_book",
        "cts_Book",
        "cts_books",
        11_700,
        "cts_bookid",
        "cts_title",
        (
            primary_id("cts_BookId"),
            string("cts_Title", is_custom=True),
            choice("cts_Kind", options("Novel", first=727_000_000), is_custom=True),
        ),
        plain("Book"),
        plain("Books"),
        is_custom=True,
    )
)
PUBLISHER = {"uniquename": "contoso", "friendlyname": "Contoso", "customizationprefix": "cts"}
SOLUTION = {"uniquename": "Library", "friendlyname": "Library", "version": "1.0.0.0"}
TABLE_KIND, COLUMN_KIND, VIEW_KIND = 1, 2, 26
KIND = {"EntityLogicalName": "cts_book", "AttributeLogicalName": "cts_kind"}
LABEL = {"LocalizedLabels": [{"Label": "Essay", "LanguageCode": 1033}]}


@pytest.fixture(scope="module")
def publisher(api, services):
    with services.dataverse.changing() as transaction:
        transaction.change_catalog(CatalogChange(put=(BOOK,)))
    return api.created("publishers", **PUBLISHER, customizationoptionvalueprefix=72_700)


@pytest.fixture
def solution(api, publisher):
    """A solution of the publisher, for one test."""
    bound = {"publisherid@odata.bind": f"/publishers({publisher})"}
    made = api.created("solutions", **SOLUTION, **bound)
    yield made
    assert api("DELETE", f"/solutions({made})").status == 204


def parts(api, solution):
    names = "componenttype,objectid,rootcomponentbehavior"
    found = api.json(f"/solutioncomponents?$select={names}&$filter=_solutionid_value eq {solution}")["value"]
    return {(one["componenttype"], one["objectid"]): one["rootcomponentbehavior"] for one in found}


def called(api, action, **parameters):
    answer = api("POST", f"/{action}", parameters)
    assert answer.status in {200, 204}, answer.body
    return json.loads(answer.body) if answer.body else None


def test_the_organization_has_its_own_publisher_and_solutions(api):
    publisher = api.json(f"/publishers({DEFAULT_PUBLISHER})")
    assert (publisher["customizationprefix"], publisher["customizationoptionvalueprefix"]) == ("new", 10_000)
    found = api.json("/solutions?$select=uniquename")["value"]
    assert {"Default", "Active"} <= {one["uniquename"] for one in found}


def test_a_publisher_without_option_prefix_gets_one(api):
    made = api.created("publishers", **{**PUBLISHER, "uniquename": "fabrikam"})
    assert 10_000 <= api.json(f"/publishers({made})")["customizationoptionvalueprefix"] <= 99_999
    assert api("PATCH", f"/publishers({made})", {"customizationprefix": "fab"}).status == 204
    assert api("DELETE", f"/publishers({made})").status == 204


def test_a_solution_is_unmanaged_and_installed_now(api, solution):
    found = api.json(f"/solutions({solution})")
    assert (found["ismanaged"], found["isvisible"]) == (False, True)
    assert found["installedon"]
    assert api("PATCH", f"/solutions({solution})", {"version": "1.1.0.0"}).status == 204


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"uniquename": "contoso"}, 412, "0x80040237"),
        ({"uniquename": "9lives"}, 400, "0x8004f01c"),
        ({"customizationprefix": "x"}, 400, "0x80040203"),
        ({"customizationprefix": "mscrmx"}, 400, "0x80040203"),
        ({"customizationprefix": "1abc"}, 400, "0x80040203"),
        ({"customizationprefix": "ab_c"}, 400, "0x80040203"),
        ({"customizationoptionvalueprefix": 9_999}, 400, "0x80048402"),
        ({"customizationoptionvalueprefix": 100_000}, 400, "0x80048402"),
    ],
)
def test_a_publisher_that_is_none_is_refused(api, services, publisher, changed, status, code):
    before = dump(services.dataverse.database)
    assert api.error("POST", "/publishers", {**PUBLISHER, "uniquename": "other", **changed})[:2] == (status, code)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"uniquename": "Library"}, "0x8004f023"),
        ({"uniquename": "library"}, "0x8004f023"),
        ({"uniquename": "a b"}, "0x8004f002"),
        ({"uniquename": "Default"}, "0x8004f022"),
        ({"version": "1"}, "0x8004f01e"),
        ({"version": "1.x"}, "0x8004f01e"),
    ],
)
def test_a_solution_that_is_none_is_refused(api, services, publisher, solution, changed, code):
    before = dump(services.dataverse.database)
    body = {**SOLUTION, "uniquename": "Other", "publisherid@odata.bind": f"/publishers({publisher})", **changed}
    assert api.error("POST", "/solutions", body)[:2] == (400, code)
    assert dump(services.dataverse.database) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("DELETE", f"/publishers({DEFAULT_PUBLISHER})", None, "0x8004f006"),
        ("DELETE", f"/solutions({DEFAULT_SOLUTION})", None, "0x8004f005"),
        ("DELETE", f"/solutions({ACTIVE_SOLUTION})", None, "0x8004f005"),
        ("PATCH", f"/solutions({DEFAULT_SOLUTION})", {"version": "2.0"}, "0x8004f009"),
        ("PATCH", f"/solutions({ACTIVE_SOLUTION})", {"version": "2.0"}, "0x8004f00a"),
    ],
)
def test_what_belongs_to_the_system_stays(api, services, method, path, body, code):
    before = dump(services.dataverse.database)
    assert api.error(method, path, body)[:2] == (400, code)
    assert dump(services.dataverse.database) == before


def test_a_publisher_of_solutions_cannot_be_deleted(api, publisher, solution):
    assert api.error("DELETE", f"/publishers({publisher})")[:2] == (405, "0x80040227")


def test_a_new_option_begins_with_the_prefix_of_the_publisher_and_is_in_the_solution(api, solution):
    made = called(api, "InsertOptionValue", **KIND, Label=LABEL, SolutionUniqueName="Library")
    assert made["NewOptionValue"] == 727_000_001
    column = column_id(BOOK, BOOK.by_name["cts_kind"])
    assert parts(api, solution) == {(TABLE_KIND, table_id(BOOK)): 2, (COLUMN_KIND, column): None}


def test_a_new_option_and_a_new_row_go_into_the_solution_that_the_header_names(api, solution):
    header = {"mscrm.solutionuniquename": "Library"}
    assert api("POST", "/InsertOptionValue", {**KIND, "Label": LABEL, "Value": 5}, **header).status == 200
    view = {"name": "Books", "returnedtypecode": "account", "querytype": 0, "fetchxml": "<fetch/>"}
    made = dict(api("POST", "/savedqueries", view, **header).headers)["OData-EntityId"].rpartition("(")[2].rstrip(")")
    column = column_id(BOOK, BOOK.by_name["cts_kind"])
    assert set(parts(api, solution)) == {(TABLE_KIND, table_id(BOOK)), (COLUMN_KIND, column), (VIEW_KIND, made)}


def test_a_header_that_names_no_solution_is_refused(api, services, publisher):
    before = dump(services.dataverse.database)
    view = {"name": "Books", "returnedtypecode": "account", "querytype": 0, "fetchxml": "<fetch/>"}
    found = api.error("POST", "/savedqueries", view, **{"mscrm.solutionuniquename": "Nowhere"})
    assert found[:2] == (400, "0x80048037")
    assert dump(services.dataverse.database) == before


def test_components_come_and_go(api, solution):
    own = {"ComponentId": table_id(BOOK), "ComponentType": TABLE_KIND, "SolutionUniqueName": "Library"}
    first = called(api, "AddSolutionComponent", **own, AddRequiredComponents=False)
    assert called(api, "AddSolutionComponent", **own, AddRequiredComponents=False)["id"] == first["id"]
    assert parts(api, solution) == {(TABLE_KIND, table_id(BOOK)): 0}
    shell = {"AddRequiredComponents": False, "DoNotIncludeSubcomponents": True, "IncludedComponentSettingsValues": []}
    called(api, "AddSolutionComponent", **own, **shell)
    assert parts(api, solution) == {(TABLE_KIND, table_id(BOOK)): 2}
    called(api, "UpdateSolutionComponent", **own)
    assert parts(api, solution) == {(TABLE_KIND, table_id(BOOK)): 1}
    column = column_id(BOOK, BOOK.by_name["cts_title"])
    called(
        api, "AddSolutionComponent", **{**own, "ComponentId": column, "ComponentType": 2}, AddRequiredComponents=True
    )
    named = {"@odata.type": "Microsoft.Dynamics.CRM.solutioncomponent", "solutioncomponentid": table_id(BOOK)}
    gone = {"SolutionComponent": named, "ComponentType": TABLE_KIND, "SolutionUniqueName": "Library"}
    assert called(api, "RemoveSolutionComponent", **gone)["id"] == first["id"]
    assert parts(api, solution) == {}
    assert api("GET", "/EntityDefinitions(LogicalName='cts_book')").status == 200


def test_a_solution_that_goes_leaves_its_components(api, publisher):
    bound = {"publisherid@odata.bind": f"/publishers({publisher})"}
    made = api.created("solutions", **{**SOLUTION, "uniquename": "Short"}, **bound)
    own = {**BOOK_PART, **ADDING, "SolutionUniqueName": "Short"}
    called(api, "AddSolutionComponent", **own)
    assert len(parts(api, made)) == 1
    assert api("DELETE", f"/solutions({made})").status == 204
    assert parts(api, made) == {}
    assert api("GET", "/EntityDefinitions(LogicalName='cts_book')").status == 200


def test_what_is_deleted_is_in_no_solution_any_more(api, solution):
    header = {"mscrm.solutionuniquename": "Library"}
    text = {"LocalizedLabels": [{"Label": "Shelf", "LanguageCode": 1033}]}
    name = {"@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata", "SchemaName": "cts_Place"}
    table = {
        "SchemaName": "cts_Shelf",
        "DisplayName": text,
        "DisplayCollectionName": text,
        "OwnershipType": "UserOwned",
        "Attributes": [{**name, "IsPrimaryName": True, "MaxLength": 50, "DisplayName": text}],
    }
    assert api("POST", "/EntityDefinitions", table, **header).status == 204
    new = {**name, "SchemaName": "cts_Color", "MaxLength": 50, "DisplayName": text}
    path = "/EntityDefinitions(LogicalName='cts_shelf')"
    assert api("POST", f"{path}/Attributes", new, **header).status == 204
    view = {"name": "Shelves", "returnedtypecode": "account", "querytype": 0, "fetchxml": "<fetch/>"}
    made = dict(api("POST", "/savedqueries", view, **header).headers)["OData-EntityId"].rpartition("(")[2].rstrip(")")
    assert {TABLE_KIND, COLUMN_KIND} <= {kind for kind, _ in parts(api, solution)}
    assert (VIEW_KIND, made) in parts(api, solution)
    assert api("DELETE", f"{path}/Attributes(LogicalName='cts_color')").status == 204
    assert COLUMN_KIND not in {kind for kind, _ in parts(api, solution)}
    assert api("DELETE", f"/savedqueries({made})").status == 204
    assert (VIEW_KIND, made) not in parts(api, solution)
    assert api("DELETE", path).status == 204
    assert parts(api, solution) == {}


BOOK_PART = {"ComponentId": table_id(BOOK), "ComponentType": TABLE_KIND}
NOWHERE = "00000000-0000-0000-0000-0000000000ff"
ADDING = {"AddRequiredComponents": False}


def removing(identifier):
    return {"@odata.type": "Microsoft.Dynamics.CRM.solutioncomponent", "solutioncomponentid": identifier}


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("AddSolutionComponent", {**BOOK_PART, **ADDING, "SolutionUniqueName": "None"}, "0x80048037"),
        ("AddSolutionComponent", {**BOOK_PART, **ADDING, "SolutionUniqueName": "Default"}, "0x8004f00a"),
        (
            "AddSolutionComponent",
            {**BOOK_PART, **ADDING, "SolutionUniqueName": "Library", "ComponentId": NOWHERE},
            "0x8004f018",
        ),
        (
            "AddSolutionComponent",
            {**BOOK_PART, **ADDING, "SolutionUniqueName": "Library", "ComponentType": 9999},
            "0x8004f019",
        ),
        ("UpdateSolutionComponent", {**BOOK_PART, "SolutionUniqueName": "Library"}, "0x8004f021"),
        (
            "RemoveSolutionComponent",
            {"SolutionComponent": removing(NOWHERE), "ComponentType": 1, "SolutionUniqueName": "Library"},
            "0x8004f021",
        ),
        (
            "RemoveSolutionComponent",
            {"SolutionComponent": removing(NOWHERE), "ComponentType": 1, "SolutionUniqueName": "Default"},
            "0x8004f000",
        ),
        (
            "RemoveSolutionComponent",
            {"SolutionComponent": removing(NOWHERE), "ComponentType": 1, "SolutionUniqueName": "Active"},
            "0x8004f035",
        ),
    ],
)
def test_an_action_on_solutions_that_means_nothing_is_refused(api, services, solution, action, parameters, code):
    before = dump(services.dataverse.database)
    assert api.error("POST", f"/{action}", parameters)[:2] == (400, code)
    assert dump(services.dataverse.database) == before


def test_components_of_the_platform_can_be_customized(api):
    view = api.json("/savedqueries?$top=1&$select=savedqueryid")["value"][0]["savedqueryid"]
    for kind, identifier in ((TABLE_KIND, table_id(BOOK)), (VIEW_KIND, view)):
        path = f"/IsComponentCustomizable(ComponentId={identifier},ComponentType={kind})"
        assert api.json(path)["IsComponentCustomizable"] is True
    path = f"/IsComponentCustomizable(ComponentId={NOWHERE},ComponentType=1)"
    assert api.error("GET", path)[:2] == (400, "0x8004f018")


def published(*names):
    inner = "".join(f"<entity>{name}</entity>" for name in names)
    return f"<importexportxml><entities>{inner}</entities><optionsets/></importexportxml>"


def test_publishing_takes_what_is_there(api, publisher):
    assert called(api, "PublishXml", ParameterXml=published("account", "cts_book")) is None
    assert called(api, "PublishAllXml") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (published("cts_none"), "0x80041102"),
        ("<importexportxml><optionsets><optionset>cts_none</optionset></optionsets></importexportxml>", "0x8004024a"),
        ("<importexportxml>", "0x80040201"),
        (f"<importexportxml>{'<a>' * 100_000}{'</a>' * 100_000}</importexportxml>", "0x80040201"),
        ("<other/>", "0x80040201"),
        ("", "0x80040201"),
    ],
    ids=["no such table", "no such choice", "torn", "deep", "something else", "empty"],
)
def test_publishing_refuses_what_is_not_there(api, text, code):
    assert api.error("POST", "/PublishXml", {"ParameterXml": text})[:2] == (400, code)


def test_rows_that_can_be_published_are_as_they_are(api):
    views = "/savedqueries/Microsoft.Dynamics.CRM.RetrieveUnpublishedMultiple()"
    found = api.json(f"{views}?$select=name&$filter=startswith(name,'Active')&$orderby=name")["value"]
    assert found[0]["name"] == "Active Accounts"
    one = f"/savedqueries({found[0]['savedqueryid']})/Microsoft.Dynamics.CRM.RetrieveUnpublished()"
    assert api.json(f"{one}?$select=name")["name"] == "Active Accounts"
    gone = f"/savedqueries({NOWHERE})/Microsoft.Dynamics.CRM.RetrieveUnpublished()"
    assert api("GET", gone).status == 404
