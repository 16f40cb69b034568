"""Localized texts of views: read and set, in the language that the organization has."""

import json
from urllib.parse import quote

import pytest
from things import dump

CRM = "Microsoft.Dynamics.CRM"
NOWHERE = "00000000-0000-0000-0000-0000000000ff"


@pytest.fixture(scope="module")
def view(api):
    return api.created("savedqueries", name="Old", returnedtypecode="account", querytype=0, fetchxml="<fetch/>")


def moniker(identifier, table="savedquery"):
    return {"@odata.type": f"{CRM}.{table}", f"{table}id": identifier}


def labels(*pairs):
    return [{"@odata.type": f"{CRM}.LocalizedLabel", "Label": text, "LanguageCode": lcid} for text, lcid in pairs]


def read(identifier, column="name", entity_set="savedqueries"):
    record = quote(json.dumps({"@odata.id": f"{entity_set}({identifier})"}))
    return f"/RetrieveLocLabels(EntityMoniker=@p,AttributeName='{column}',IncludeUnpublished=true)?@p={record}"


def test_a_text_in_the_language_of_the_organization_is_what_the_row_shows(api, view):
    body = {"EntityMoniker": moniker(view), "AttributeName": "name", "Labels": labels(("New", 1033))}
    assert api("POST", "/SetLocLabels", body).status == 204
    assert api.json(f"/savedqueries({view})?$select=name")["name"] == "New"
    found = api.json(read(view))
    assert found["@odata.context"].endswith(f"#{CRM}.RetrieveLocLabelsResponse")
    (label,) = found["Label"]["LocalizedLabels"]
    assert (label["Label"], label["LanguageCode"]) == ("New", 1033)
    assert found["Label"]["UserLocalizedLabel"] == label


def test_a_column_without_text_has_no_labels(api, view):
    assert api.json(read(view, "description"))["Label"] == {"LocalizedLabels": [], "UserLocalizedLabel": None}


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"Labels": labels(("Nieuw", 1043))}, 400, "0x80040203"),
        ({"Labels": labels(("New", 1033), ("Newer", 1033))}, 400, "0x80040203"),
        ({"Labels": [{"Label": "New"}]}, 400, "0x80040203"),
        ({"Labels": labels(("x" * 300, 1033))}, 400, "0x80044331"),
        ({"AttributeName": "querytype"}, 400, "0x80044198"),
        ({"AttributeName": "none"}, 400, "0x80041103"),
        ({"EntityMoniker": moniker(NOWHERE)}, 404, "0x80040217"),
        ({"EntityMoniker": {"@odata.type": f"{CRM}.savedquery"}}, 400, "0x80040203"),
    ],
)
def test_a_text_that_cannot_be_set_changes_nothing(api, services, view, changed, status, code):
    before = dump(services.dataverse.database)
    body = {"EntityMoniker": moniker(view), "AttributeName": "name", "Labels": labels(("Other", 1033)), **changed}
    found = api.error("POST", "/SetLocLabels", body)
    assert found[:2] == (status, code), found
    assert dump(services.dataverse.database) == before


def test_rows_of_business_data_have_no_localized_texts(api):
    account = api.created("accounts", name="Contoso")
    assert api.error("GET", read(account, "name", "accounts"))[:2] == (400, "0x80044198")
    assert api.error("GET", read(NOWHERE))[:2] == (404, "0x80040217")
