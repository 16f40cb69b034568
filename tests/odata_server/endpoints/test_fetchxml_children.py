"""The number of records below each row: FetchXML's `rowaggregate` (Learn: "Query hierarchical data")."""

from __future__ import annotations

from urllib.parse import quote

import pytest

ANNOTATED = {"prefer": 'odata.include-annotations="*"'}


@pytest.fixture(scope="module")
def firms(api):
    """A parent with two children and a grandchild, and an account of the same name as one child."""
    ids = {"root": api.created("accounts", name="Root")}
    for name, parent in (("Left", "root"), ("Right", "root"), ("Leaf", "Left")):
        bind = {"parentaccountid@odata.bind": f"/accounts({ids[parent]})"}
        ids[name] = api.created("accounts", name=name, numberofemployees=len(name), **bind)
    api.created("accounts", name="Left")
    api.created("contacts", lastname="Ann", **{"parentcustomerid_account@odata.bind": f"/accounts({ids['root']})"})
    return ids


BY_NAME = "<order attribute='name'/>"
NAME = "<attribute name='name'/>"


def fetch(inside=NAME + BY_NAME, **attributes):
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<fetch{given}><entity name='account'>{inside}</entity></fetch>"


def answered(api, text, **headers):
    return api.json(f"/accounts?fetchXml={quote(text)}", **headers)


CHILDREN = "<attribute name='accountid' rowaggregate='CountChildren' alias='below'/>"


def test_rows_show_how_many_records_are_directly_below_them(api, firms):
    rows = answered(api, fetch(NAME + CHILDREN), **ANNOTATED)["value"]
    found = sorted((row["name"], row["below"]) for row in rows)
    assert found == [("Leaf", 0), ("Left", 0), ("Left", 1), ("Right", 0), ("Root", 2)]
    assert {row["below@OData.Community.Display.V1.FormattedValue"] for row in rows} == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (fetch(CHILDREN.replace("CountChildren", "countchildren") + BY_NAME, top="1"), [{"below": 0}]),
        (
            fetch(f"{NAME}{CHILDREN}<filter><condition attribute='name' operator='eq' value='Root'/></filter>"),
            [{"name": "Root", "below": 2}],
        ),
        (
            fetch(f"{NAME}{CHILDREN}<order attribute='name' descending='1'/>", count="1", page="2"),
            [{"name": "Right", "below": 0}],
        ),
        (
            fetch(f"{NAME}{CHILDREN}{BY_NAME}", distinct="true"),
            [
                {"name": "Leaf", "below": 0},
                {"name": "Left", "below": 0},
                {"name": "Left", "below": 1},
                {"name": "Right", "below": 0},
                {"name": "Root", "below": 2},
            ],
        ),
        (
            fetch(
                f"{CHILDREN}<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'>"
                "<attribute name='lastname'/></link-entity>"
            ),
            [{"below": 2, "c_x002e_lastname": "Ann"}],
        ),
    ],
)
def test_the_number_below_stands_beside_other_columns(api, firms, text, expected):
    rows = answered(api, text)["value"]
    shown = [{k: v for k, v in row.items() if k not in {"@odata.etag", "accountid"}} for row in rows]
    assert shown == expected


def test_pages_with_the_number_below_follow_one_another(api, firms):
    whole = answered(api, fetch(NAME + CHILDREN + BY_NAME))["value"]
    joined = []
    for page in range(1, 4):
        joined += answered(api, fetch(NAME + CHILDREN + BY_NAME, count="2", page=page))["value"]
    assert joined == whole


@pytest.mark.parametrize(
    ("text", "entity_set", "code", "message"),
    [
        (
            fetch(CHILDREN.replace("accountid", "telephone1")),
            "accounts",
            "0x80040203",
            (
                "Entity: Account 'rowaggregate' is not supported on attribute, telephone1."
                " Hierarchy relationship accountid <- parentaccountid."
            ),
        ),
        (
            fetch("<attribute name='accountid' rowaggregate='CountChildren'/>"),
            "accounts",
            "0x80041109",
            "Invalid alias for aggregate operation.",
        ),
        (fetch(CHILDREN + CHILDREN), "accounts", "0x80041130", "FetchXML should have unique aliases."),
        (fetch(CHILDREN.replace("CountChildren", "Sum")), "accounts", "0x80040303", None),
        (fetch(CHILDREN, aggregate="true"), "accounts", "0x80041107", None),
        (
            fetch(CHILDREN.replace("accountid", "activityid")).replace("'account'", "'task'"),
            "tasks",
            "0x80047020",
            "This query uses a hierarchical operator, but the task entity doesn't have a hierarchical relationship.",
        ),
        (
            fetch(f"<link-entity name='account' from='parentaccountid' to='accountid'>{CHILDREN}</link-entity>"),
            "accounts",
            "0x80040216",
            "An unexpected error occurred.",
        ),
        (
            fetch("<filter><condition attribute='accountid' rowaggregate='CountChildren' operator='null'/></filter>"),
            "accounts",
            "0x80040303",
            None,
        ),
    ],
)
def test_the_number_below_is_refused_where_it_has_no_meaning(api, firms, text, entity_set, code, message):
    status, found, told = api.error("GET", f"/{entity_set}?fetchXml={quote(text)}")
    assert (status, found) == (400, code)
    assert message in {None, told}
