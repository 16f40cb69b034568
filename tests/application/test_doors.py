"""The doors of a whole application: control, health, unknown addresses, older services, limits and faults."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from driving import CONTROL, Caller, dump, refusal, until
from flask import Flask
from pictures import opened, picture
from structlog.testing import capture_logs

from odata_server.admin.first_start import open_server_authority, system_sources
from odata_server.app import services
from odata_server.endpoints.routes import data_routes
from odata_server.engine.authority_store import open_authority_database
from odata_server.engine.places import storage_place
from odata_server.environments import open_environments

RESET = "/_talentverse/reset"


def test_health_is_told_to_anybody(anybody):
    answer = anybody.send("GET", "/health")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert answer.json["version"]
    assert anybody.send("HEAD", "/health").data == b""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "TalentverseControl wrong"},
        {"Authorization": "TalentverseControl"},
        {"Authorization": "Bearer the-control-key"},
        {"Authorization": "TalentverseControl kéy"},
    ],
)
def test_without_its_key_the_control_interface_does_nothing(anybody, headers):
    answer = anybody.send("POST", RESET, headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "Unauthorized")


def test_a_token_of_the_tenant_does_not_open_the_control_interface(administrator):
    assert administrator.send("POST", RESET).status_code == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("127.9.9.9", 200), ("::1", 200), ("192.0.2.7", 403), ("2001:db8::1", 403)],
)
def test_the_control_interface_answers_on_this_machine_only(anybody, address, status):
    answer = anybody.send("POST", RESET, headers=CONTROL, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_a_reset_is_no_get(anybody):
    assert refusal(anybody.send("GET", RESET, headers=CONTROL))[0] == 405


@pytest.mark.usefixtures("fresh")
def test_a_reset_brings_the_first_state_back_and_stamps_move_on(administrator, anybody, directory):
    def state(content):
        moving = ("$state", "sqlite_", "$job")
        kept = {name: rows for name, rows in content.items() if not name.partition(".")[2].startswith(moving)}
        # Where the histories of rows and of definitions begin moves on, as stamp and version do.
        return {name: [row for row in rows if row[0] not in {"$tracked_from", "*"}] for name, rows in kept.items()}

    def stamp(content):
        return [content[f"{name}.$state"][0] for name in ("dataverse", "human-resources")]

    before = dump(directory)
    account = administrator.create("accounts", {"name": "Passing"})
    unit = administrator.rows("businessunits?$filter=_parentbusinessunitid_value eq null")[0]["businessunitid"]
    administrator.create("roles", {"name": "Passing", "businessunitid@odata.bind": f"/businessunits({unit})"})
    query = "$filter=mserp_physicalname eq 'HcmLinkedInExportedCandidateEntity'"
    row = administrator.rows(f"mserp_financeandoperationsentities?{query}")[0]["mserp_financeandoperationsentityid"]
    administrator.patch(f"mserp_financeandoperationsentities({row})", {"mserp_hasbeengenerated": True})
    generated = "mshr_hcmlinkedinexportedcandidateentities"
    until(lambda: administrator.send("GET", generated).status_code == 200)
    assert state(dump(directory)) != state(before)

    assert anybody.post(RESET, headers=CONTROL).json == {"status": "reset"}

    after = dump(directory)
    assert state(after) == state(before)
    assert all(late > early for late, early in zip(stamp(after), stamp(before), strict=True))
    assert administrator.send("GET", f"accounts({account})").status_code == 404
    assert administrator.send("GET", generated).status_code == 404
    assert administrator.rows("roles?$filter=name eq 'Passing'") == []
    assert administrator.send("GET", "WhoAmI").status_code == 200


@pytest.mark.parametrize(
    "host", ["https://other.test:8443", "https://localhost.other.test", "https://[2001:db8::1]:8443"]
)
@pytest.mark.parametrize("path", ["WhoAmI", "/data/Workers"])
def test_other_hosts_are_not_found(administrator, host, path):
    status, _, text = refusal(administrator.send("GET", path, base_url=host))
    assert (status, "is not known here" in text) == (404, True)


@pytest.mark.parametrize("host", ["https://127.0.0.1:8443", "https://LOCALHOST:8443", "https://[::1]:8443"])
def test_every_name_of_the_server_is_answered_with_its_own_urls(administrator, host):
    answer = administrator.send("GET", "WhoAmI", base_url=host)
    assert answer.json["@odata.context"].lower().startswith(host.lower())


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/data/v9.2/nothing",
        "/api/data/v7.0/accounts",
        "/api/other",
        "/data/nothing",
        "/_talentverse/nothing",
        "/XRMServices/2011/Discovery.svc",
    ],
)
def test_unknown_paths_are_not_found_in_json(administrator, path):
    answer = administrator.send("GET", path)
    assert answer.content_type.startswith("application/json")
    status, code, _ = refusal(answer)
    assert (status, code == "") == (404, path.startswith("/data"))


def test_a_browser_that_asks_for_a_page_is_told_in_one(anybody):
    answer = anybody.send("GET", "/nothing", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "accounts"),
        ("PATCH", "accounts"),
        ("PUT", "accounts"),
        ("POST", "accounts(00000000-0000-0000-0000-000000000001)"),
        ("PUT", "accounts(00000000-0000-0000-0000-000000000001)"),
        ("POST", "accounts/$count"),
        ("PATCH", "accounts(00000000-0000-0000-0000-000000000001)/name"),
        ("PATCH", "accounts(00000000-0000-0000-0000-000000000001)/primarycontactid"),
        ("PATCH", "accounts(00000000-0000-0000-0000-000000000001)/primarycontactid/$ref"),
        ("DELETE", "/data/Workers"),
        ("POST", "/data/Workers(PersonnelNumber='000001')"),
        ("POST", "/data/Workers/$count"),
    ],
)
def test_verbs_that_a_resource_does_not_know_are_refused(administrator, method, path):
    answer = administrator.send(method, path, {})
    assert (answer.status_code, answer.content_type.partition(";")[0]) == (405, "application/json")


def test_a_row_tells_the_url_of_its_image(administrator, anybody):
    image = base64.b64encode(picture()).decode()
    made = administrator.send("POST", "contacts", {"lastname": "Image", "entityimage": image})
    row = made.headers["OData-EntityId"].partition("/api/data/v9.2/")[2]
    url = administrator.send("GET", f"{row}?$select=entityimage_url").json["entityimage_url"]
    answer = administrator.send("GET", url)
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert opened(answer.data).size == (144, 144)
    assert anybody.send("GET", url).status_code == 401


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/XRMServices/2011/Organization.svc", "SOAP"),
        ("/XRMServices/2011/Organization.svc/web", "SOAP"),
    ],
)
def test_what_is_not_there_yet_says_so(administrator, path, text):
    status, code, told = refusal(administrator.send("POST", path, "<x/>"))
    assert (status, text in told) == (501, True)
    assert code in {"0x80040315", ""}


@pytest.mark.parametrize("header", ["CallerObjectId", "MSCRMCallerID"])
def test_a_user_to_act_for_that_is_none_is_refused(administrator, header):
    assert refusal(administrator.send("GET", "WhoAmI", headers={header: "x"}))[0] == 400


@pytest.mark.parametrize("path", ["accounts?$top=1", "/data/Workers?$top=1", "$metadata", "/data/$metadata"])
def test_a_head_request_gets_the_headers_of_the_get(administrator, path):
    got, headed = administrator.send("GET", path), administrator.send("HEAD", path)
    assert (headed.status_code, headed.data) == (200, b"")
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]
    assert headed.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.data))


@pytest.mark.parametrize("path", ["accounts", "/data/Workers"])
@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic eDp5", "Bearer", "Bearer a.b.c"])
def test_without_a_good_token_nobody_comes_in(anybody, path, header):
    answer = anybody.send("GET", path, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_for_another_resource_does_not_come_in(anybody, application, prepared):
    made = prepared[1]
    form = {"client_id": made.admin_client_id, "client_secret": made.admin_client_secret}
    form |= {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
    answer = anybody.send("POST", f"/{made.tenant_id}/oauth2/v2.0/token", None, data=form)
    graph = Caller(application, {"Authorization": f"Bearer {answer.json['access_token']}"})
    assert graph.send("GET", "WhoAmI").status_code == 401
    assert graph.send("GET", "/data/Workers").status_code == 401
    assert graph.send("GET", "/v1.0/applications").status_code == 200


@pytest.fixture
def with_services(prepared):
    """Make an application of the doors alone, with some of their services replaced."""
    opened = []

    def make(**changes):
        settings = prepared[0]
        database = open_authority_database(storage_place(settings).authority())
        stores = database.stores
        authority = open_server_authority(settings, stores, system_sources())
        environments = open_environments(settings, storage_place(settings), authority)
        opened.extend((database, environments.dataverse.database, environments.human_resources.database))
        application = Flask("doors", static_folder=None)
        wired = services(settings, authority, environments)
        application.register_blueprint(data_routes(replace(wired, **changes)))
        return application

    yield make
    for database in opened:
        database.close()


@pytest.mark.parametrize("path", ["accounts", "/data/LegalEntities"])
def test_a_body_that_is_too_long_is_refused(with_services, administrator, path):
    caller = Caller(with_services(max_body=1000), administrator.headers)
    status, _, text = refusal(caller.send("POST", path, {"name": "x" * 1000}))
    assert (status, text) == (413, "The request body is too large.")


@pytest.mark.parametrize("path", ["accounts", "/data/Workers"])
def test_a_fault_of_the_product_is_answered_without_its_text(with_services, administrator, path):
    def broken():
        raise RuntimeError("the secret is 4711")

    caller = Caller(with_services(now=broken), administrator.headers)
    with capture_logs() as logs:
        answer = caller.send("GET", path)
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "0x80040216")
    assert b"4711" not in answer.data
    assert logs[0]["event"] == "request_failed"
