"""What stands around the data: formats, versions, request ids, compression, and pages of other origins."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from flask import Flask

from odata_server.endpoints.metadata import WebApiMetadata
from odata_server.endpoints.routes import data_routes

BASE = "https://org.test:8443"
ROOT = f"{BASE}/api/data/v9.2"
GOOD = {"Authorization": "Bearer good"}
ACCOUNTS = "/api/data/v9.2/accounts"
PREFLIGHT = {"Origin": "https://spa.test", "Access-Control-Request-Method": "PATCH"}


def header(answer, name):
    return dict(answer.headers).get(name)


@pytest.fixture(scope="module")
def account(api):
    return api.created("accounts", name="Fabrikam", revenue=1234.5, telephone1="555")


@pytest.fixture
def client(services):
    app = Flask("test")
    app.register_blueprint(data_routes(services))
    return app.test_client()


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/*;q=0.5",
        "text/html, */*;q=0.8",
        "application/json;odata.metadata=minimal;odata.streaming=true",
        'application/json; odata.metadata="minimal"; charset=utf-8',
        "application/json; metadata=minimal",
    ],
)
def test_the_usual_accept_headers_get_minimal_metadata(api, account, accept):
    answer = api("GET", f"/accounts({account})?$select=name", accept=accept)
    assert (answer.status, header(answer, "Content-Type")) == (200, "application/json; odata.metadata=minimal")
    members = list(json.loads(answer.body))
    assert members == ["@odata.context", "@odata.etag", "name", "accountid"]


def test_the_heaviest_range_decides(api, account):
    answer = api("GET", f"/accounts({account})?$select=name", accept="*/*;q=0.1, application/json;odata.metadata=none")
    assert header(answer, "Content-Type") == "application/json; odata.metadata=none"


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/html",
        "application/json;q=0",
        "application/json;odata.metadata=verbose",
        "application/json;version=2",
    ],
)
def test_a_read_that_accepts_no_json_of_ours_is_refused(api, accept):
    status, code, message = api.error("GET", "/accounts", accept=accept)
    assert (status, code) == (415, "0x80060888")
    assert accept in message


@pytest.mark.parametrize(("path", "accept"), [("/accounts/$count", "text/plain"), ("/$metadata", "application/xml")])
def test_what_is_no_json_is_not_asked_for_as_json(api, path, accept):
    assert api("GET", path, accept=accept).status == 200


@pytest.mark.parametrize("level", ["none", "full"])
def test_definitions_say_that_they_come_with_minimal_metadata(services, api, level):
    handler = WebApiMetadata()
    client = type(api)(replace(services, metadata=handler), api.door, api.root)
    for path in ("/", "/EntityDefinitions(LogicalName='account')?$select=LogicalName"):
        answer = client("GET", path, accept=f"application/json;odata.metadata={level}")
        assert header(answer, "Content-Type") == "application/json; odata.metadata=minimal"
        assert "@odata.context" in json.loads(answer.body)


def test_a_write_without_content_is_done_whatever_is_accepted(api):
    assert api("POST", "/accounts", {"name": "x"}, accept="application/xml").status == 204


def test_no_metadata_leaves_count_and_next_link_only(api, account):
    accept = "application/json;odata.metadata=none"
    api.created("accounts", name="Another")
    page = api.json("/accounts?$select=name&$count=true", accept=accept, prefer="odata.maxpagesize=1")
    assert list(page) == ["@odata.count", "value", "@odata.nextLink"]
    assert list(page["value"][0]) == ["name", "accountid"]
    assert list(api.json("/accounts?$select=name&$top=1", accept=accept)) == ["value"]
    assert list(api.json(f"/accounts({account})?$select=name", accept=accept)) == ["name", "accountid"]


def test_annotations_that_are_preferred_stay_without_metadata(api, account):
    row = api.json(
        f"/accounts({account})?$select=revenue",
        accept="application/json;odata.metadata=none",
        prefer='odata.include-annotations="OData.Community.Display.V1.FormattedValue"',
    )
    assert row["revenue@OData.Community.Display.V1.FormattedValue"] == "$1,234.50"
    assert not [name for name in row if "@odata." in name]


def test_full_metadata_names_types_and_links(api, account):
    accept = "application/json;odata.metadata=full"
    row = api.json(f"/accounts({account})?$select=name,revenue,createdon,statecode", accept=accept)
    assert list(row)[:5] == ["@odata.context", "@odata.type", "@odata.id", "@odata.etag", "@odata.editLink"]
    assert row["@odata.type"] == "#Microsoft.Dynamics.CRM.account"
    assert row["@odata.id"] == f"{ROOT}/accounts({account})"
    assert row["@odata.editLink"] == f"accounts({account})"
    types = {name.partition("@")[0]: row[name] for name in row if name.endswith("@odata.type") and name[0] != "@"}
    expected = {"revenue": "#Decimal", "createdon": "#DateTimeOffset"}
    assert types == expected | dict.fromkeys(("_transactioncurrencyid_value", "accountid"), "#Guid")
    assert not [name for name in row if name.endswith("Link") and name[0] != "@"]


def test_full_metadata_links_every_navigation_property_of_a_whole_row(api, services, account):
    row = api.json(f"/accounts({account})", accept="application/json;odata.metadata=full")
    links = [name.partition("@")[0] for name in row if name.endswith("@odata.navigationLink")]
    assert links == list(services.dataverse.catalog.navigations["account"])
    assert row["primarycontactid@odata.navigationLink"] == f"{ROOT}/accounts({account})/primarycontactid"
    assert row["primarycontactid@odata.associationLink"] == f"{ROOT}/accounts({account})/primarycontactid/$ref"
    assert "_primarycontactid_value@odata.type" not in row  # null has no type
    assert row["_ownerid_value@odata.type"] == "#Guid"
    etag = api.json(f"/accounts({account})", accept="application/json")
    assert {name: value for name, value in row.items() if name in etag} == etag


def test_full_metadata_uses_the_root_of_each_request(api, account):
    accept = "application/json;odata.metadata=full"
    first = api.json("/accounts?$select=name&$top=1", accept=accept)["value"][0]
    other = type(api)(api.services, api.door, "/api/data/v9.1").json("/accounts?$select=name&$top=1", accept=accept)
    assert first["@odata.id"] == other["value"][0]["@odata.id"].replace("v9.1", "v9.2")


def test_exact_numbers_are_text_where_that_is_asked_for(api, account):
    accept = "application/json;IEEE754Compatible=true"
    answer = api("GET", f"/accounts({account})?$select=revenue,versionnumber,statecode", accept=accept)
    assert header(answer, "Content-Type") == "application/json; odata.metadata=minimal; IEEE754Compatible=true"
    row = json.loads(answer.body)
    assert row["revenue"] == "1234.5000"
    assert row["versionnumber"] == row["@odata.etag"][3:-1]
    assert row["statecode"] == 0
    assert api.json(f"/accounts({account})/revenue", accept=accept)["value"] == "1234.5000"
    assert isinstance(api.json("/accounts?$count=true&$top=1", accept=accept)["@odata.count"], str)


def test_exact_numbers_are_numbers_otherwise(api, account):
    row = api.json(f"/accounts({account})?$select=revenue", accept="application/json;IEEE754Compatible=false")
    assert row["revenue"] == 1234.5
    assert api.json(f"/accounts({account})/revenue")["value"] == 1234.5
    assert isinstance(api.json("/accounts?$count=true&$top=1")["@odata.count"], int)


@pytest.mark.parametrize(
    "versions", [{"odata_version": "4.0", "odata_maxversion": "4.0"}, {"odata_maxversion": "4.01"}]
)
def test_the_versions_that_clients_send_are_taken(api, versions):
    assert api("GET", "/WhoAmI", **versions).status == 200


@pytest.mark.parametrize(
    "versions",
    [{"odata_version": "3.0"}, {"odata_version": "4.01"}, {"odata_maxversion": "3.0"}, {"odata_maxversion": "x"}],
)
def test_another_version_of_odata_is_refused(api, versions):
    status, _, message = api.error("GET", "/WhoAmI", **versions)
    assert status == 400
    assert next(iter(versions.values())) in message


def test_a_format_is_chosen_by_header_not_by_option(api):
    status, _, message = api.error("GET", "/accounts?$format=json")
    assert status == 400
    assert "$format" in message


def test_a_long_answer_is_compressed_for_those_who_accept_it(client, api):
    for number in range(30):
        api.created("accounts", name=f"Long name of a company {number}")
    plain = client.get(f"{ACCOUNTS}?$select=name", base_url=BASE, headers=GOOD)
    packed = client.get(f"{ACCOUNTS}?$select=name", base_url=BASE, headers=GOOD | {"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Length"] == str(len(packed.data))
    assert len(packed.data) < len(plain.data)
    assert gzip.decompress(packed.data) == plain.data
    assert [h.headers.getlist("Vary") for h in (plain, packed)] == [["Accept-Encoding"]] * 2


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        (f"{ACCOUNTS}?$top=1&$select=name", "gzip"),
        (ACCOUNTS, "identity"),
        (ACCOUNTS, "gzip;q=0"),
        (ACCOUNTS, "gzip;q=0, *"),
        (ACCOUNTS, ""),
    ],
)
def test_short_answers_and_those_nobody_accepts_in_gzip_go_out_as_they_are(client, path, accepted):
    answer = client.get(path, base_url=BASE, headers=GOOD | {"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert answer.json["value"]


def test_an_answer_without_content_is_never_compressed(client, api, account):
    etag = api.json(f"/accounts({account})?$select=name")["@odata.etag"]
    headers = GOOD | {"Accept-Encoding": "gzip"}
    unchanged = client.get(f"{ACCOUNTS}({account})", base_url=BASE, headers=headers | {"If-None-Match": etag})
    changed = client.patch(f"{ACCOUNTS}({account})", base_url=BASE, headers=headers, json={"name": "y"})
    assert (unchanged.status_code, changed.status_code) == (304, 204)
    for answer in (unchanged, changed):
        assert "Content-Encoding" not in answer.headers


def test_head_has_the_headers_of_get_and_no_body(client, account):
    got = client.get(f"{ACCOUNTS}({account})", base_url=BASE, headers=GOOD)
    head = client.head(f"{ACCOUNTS}({account})", base_url=BASE, headers=GOOD)
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Content-Type", "Content-Length", "ETag", "OData-Version"):
        assert head.headers[name] == got.headers[name]


def test_a_page_of_another_origin_may_ask_and_read(client):
    asked = PREFLIGHT | {"Access-Control-Request-Headers": "authorization,odata-version"}
    answer = client.options(ACCOUNTS, base_url=BASE, headers=asked)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.test"
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,odata-version"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers.getlist("Vary")

    read = client.get(f"{ACCOUNTS}?$top=1", base_url=BASE, headers=GOOD | {"Origin": "https://spa.test"})
    assert read.headers["Access-Control-Allow-Origin"] == "https://spa.test"
    assert "OData-EntityId" in read.headers["Access-Control-Expose-Headers"].split(",")


def test_a_refusal_can_be_read_by_a_page_of_another_origin(client):
    answer = client.get(ACCOUNTS, base_url=BASE, headers={"Origin": "https://spa.test"})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "https://spa.test"


def test_options_without_a_preflight_names_the_methods_only(client):
    answer = client.options(ACCOUNTS, base_url=BASE)
    assert answer.status_code == 200
    assert answer.headers["Allow"] == "OPTIONS,GET,HEAD,POST"
    assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118 - Headers


def test_a_request_of_the_same_origin_gets_no_permission(client):
    answer = client.get(f"{ACCOUNTS}?$top=1", base_url=BASE, headers=GOOD)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_human_resources_is_not_for_pages_of_other_origins(client):
    answer = client.get("/data/LegalEntities", base_url=BASE, headers=GOOD | {"Origin": "https://spa.test"})
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.options("/data/LegalEntities", base_url=BASE, headers=PREFLIGHT).status_code == 401
