"""The Microsoft Graph slice creates, lists and deletes app registrations for those who hold the permission."""

from uuid import UUID

import pytest

from security.authority.built_in import ADAPTER_CLIENT_ID, ADMIN_CLIENT_ID, PUBLIC_CLIENT_ID

ORIGIN = "https://localhost:8443"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
UNKNOWN = "00000000-0000-4000-8000-00000000dead"


def created(house, **body):
    response = house.graph("POST", "/applications", json={"displayName": "Export job"} | body)
    assert response.status_code == 201, response.json
    return response.json


def test_an_application_is_created_and_gets_tokens_with_its_new_secret(own_house):
    response = own_house.graph("POST", "/applications", json={"displayName": "Export job"})
    application = response.json
    assert response.status_code == 201
    assert response.headers["Location"] == f"{ORIGIN}/v1.0/applications/{application['id']}"
    assert application["@odata.context"] == f"{ORIGIN}/v1.0/$metadata#applications/$entity"
    assert (application["displayName"], application["signInAudience"]) == ("Export job", "AzureADMyOrg")
    assert application["passwordCredentials"] == []

    password = own_house.graph("POST", f"/applications(appId='{application['appId']}')/addPassword").json
    assert password["hint"] == password["secretText"][:3]
    assert password["endDateTime"] == "2029-01-14T19:38:24Z"
    token = own_house.access_token(client_id=application["appId"], client_secret=password["secretText"])

    principal = own_house.graph("POST", "/servicePrincipals", json={"appId": application["appId"]})
    assert principal.status_code == 201
    claims = own_house.authority.validator.validate(token, audiences=frozenset({ORIGIN}), now=own_house.clock.now)
    assert (claims.object_id, claims.app_id) == (UUID(principal.json["id"]), UUID(application["appId"]))
    assert len({application["id"], application["appId"], principal.json["id"]}) == 3


def test_the_service_principal_is_answered_again_however_often_it_is_asked_for(own_house):
    body = {"appId": created(own_house)["appId"]}
    first, second = (own_house.graph("POST", "/servicePrincipals", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json


def test_a_password_is_shown_once_and_may_have_its_own_end(own_house):
    application = created(own_house)
    path = f"/applications/{application['id']}"
    wanted = {"passwordCredential": {"displayName": "nightly", "endDateTime": "2030-01-01T00:00:00Z"}}
    password = own_house.graph("POST", f"{path}/addPassword", json=wanted).json
    assert (password["displayName"], password["endDateTime"]) == ("nightly", "2030-01-01T00:00:00Z")
    (listed,) = own_house.graph("GET", path).json["passwordCredentials"]
    assert listed["keyId"] == password["keyId"]
    assert listed["secretText"] is None
    assert own_house.token(client_id=application["appId"], client_secret=password["secretText"]).status_code == 200
    own_house.clock.now = 1_893_456_000.0
    refused = own_house.token(client_id=application["appId"], client_secret=password["secretText"])
    assert (refused.status_code, refused.json["error_codes"]) == (401, [7000222])


def test_several_secrets_work_side_by_side(own_house):
    application = created(own_house)
    path = f"/applications(appId='{application['appId']}')/addPassword"
    secrets = [own_house.graph("POST", path, json={}).json["secretText"] for _ in range(2)]
    for secret in secrets:
        assert own_house.token(client_id=application["appId"], client_secret=secret).status_code == 200


@pytest.mark.parametrize(
    ("body", "is_public", "redirect_uris"),
    [
        ({}, False, []),
        ({"web": {"redirectUris": ["https://app.contoso.test/cb"]}}, False, ["https://app.contoso.test/cb"]),
        ({"publicClient": {"redirectUris": ["http://localhost"]}}, True, ["http://localhost"]),
        ({"publicClient": {}}, True, []),
        ({"isFallbackPublicClient": True}, True, []),
        ({"web": {"redirectUris": []}, "publicClient": {"redirectUris": []}}, False, []),
        ({"web": None, "isFallbackPublicClient": None, "signInAudience": "AzureADMyOrg"}, False, []),
    ],
)
def test_an_application_is_confidential_or_public(own_house, body, is_public, redirect_uris):
    application = created(own_house, **body)
    stored = own_house.database.registrations.get(UUID(application["appId"]))
    assert (stored.is_public, list(stored.redirect_uris)) == (is_public, redirect_uris)
    shown = application["publicClient" if is_public else "web"]["redirectUris"]
    assert (application["isFallbackPublicClient"], shown) == (is_public, redirect_uris)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"displayName": ""}, "displayName"),
        ({"displayName": None}, "displayName"),
        ({"displayName": 7}, "displayName"),
        ({"displayName": "x" * 257}, "displayName"),
        ({"signInAudience": "AzureADMultipleOrgs"}, "signInAudience"),
        ({"web": []}, "'web'"),
        ({"web": {"redirectUris": "https://x.test"}}, "web.redirectUris"),
        ({"web": {"redirectUris": ["not absolute"]}}, "web.redirectUris"),
        ({"web": {"redirectUris": ["https://x.test/#part"]}}, "web.redirectUris"),
        ({"web": {"redirectUris": ["https://[bad"]}}, "web.redirectUris"),
        ({"web": {"redirectUris": [1]}}, "web.redirectUris"),
        ({"web": {"homePageUrl": "https://x.test"}}, "'homePageUrl'"),
        ({"web": {"redirectUris": ["https://x.test"]}, "isFallbackPublicClient": True}, "'web' and 'publicClient'"),
        ({"isFallbackPublicClient": "yes"}, "isFallbackPublicClient"),
        ({"requiredResourceAccess": []}, "'requiredResourceAccess'"),
    ],
)
def test_a_bad_application_is_refused_naming_the_property(house, body, named):
    before = len(house.database.registrations.list_all())
    response = house.graph("POST", "/applications", json={"displayName": "Export job"} | body)
    assert (response.status_code, response.json["error"]["code"]) == (400, "Request_BadRequest")
    assert named in response.json["error"]["message"]
    assert len(house.database.registrations.list_all()) == before


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        (b"{", "application/json", "Unable to read JSON"),
        (b"[]", "application/json", "must be a JSON object"),
        (b"", "application/json", "Unable to read JSON"),
        (b"{}", "text/plain", "application/json"),
        (b'{"displayName": "' + b"x" * 70_000 + b'"}', "application/json", "larger than"),
    ],
)
def test_an_unreadable_body_is_refused(house, data, content_type, text):
    response = house.graph("POST", "/applications", data=data, content_type=content_type)
    assert (response.status_code, response.json["error"]["code"]) == (400, "Request_BadRequest")
    assert text in response.json["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"passwordCredential": {"endDateTime": "2020-01-01T00:00:00Z"}},
        {"passwordCredential": {"endDateTime": "soon"}},
        {"passwordCredential": {"endDateTime": 7}},
        {"passwordCredential": {"displayName": 7}},
        {"passwordCredential": {"secretText": "chosen by myself"}},
        {"passwordCredential": []} | {"other": 1},
        {"passwordCredential": "x"},
    ],
)
def test_a_bad_password_request_is_refused(house, body):
    path = f"/applications(appId='{ADAPTER_CLIENT_ID}')/addPassword"
    response = house.graph("POST", path, json=body)
    assert (response.status_code, response.json["error"]["code"]) == (400, "Request_BadRequest")
    assert len(house.database.registrations.get(ADAPTER_CLIENT_ID).secrets) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {ADMIN_CLIENT_ID, ADAPTER_CLIENT_ID, PUBLIC_CLIENT_ID}),
        (f"?$filter=appId eq '{ADAPTER_CLIENT_ID}'", {ADAPTER_CLIENT_ID}),
        (f"?$filter=appId%20eq%20'{str(ADAPTER_CLIENT_ID).upper()}'", {ADAPTER_CLIENT_ID}),
        ("?$filter=displayName+eq+'dynamics 365 human resources linkedin adapter app'", {ADAPTER_CLIENT_ID}),
        ("?$filter=displayName eq 'O''Brien'", set()),
        (f"?$filter=appId eq '{UNKNOWN}'", set()),
    ],
)
@pytest.mark.parametrize("collection", ["applications", "servicePrincipals"])
def test_a_collection_is_listed_whole_or_filtered(house, collection, query, expected):
    response = house.graph("GET", f"/{collection}{query}")
    assert response.status_code == 200
    assert response.json["@odata.context"] == f"{ORIGIN}/v1.0/$metadata#{collection}"
    assert {UUID(item["appId"]) for item in response.json["value"]} == expected


def test_a_name_with_a_quote_is_found(own_house):
    created(own_house, displayName="O'Brien's job")
    found = own_house.graph("GET", "/applications?$filter=displayName eq 'O''Brien''s job'").json["value"]
    assert [item["displayName"] for item in found] == ["O'Brien's job"]


@pytest.mark.parametrize(
    "query", ["?$filter=startswith(displayName,'x')", "?$filter=appId eq x", "?$filter=", "?$top=1", "?$select=id"]
)
def test_a_query_beyond_equality_is_refused(house, query):
    response = house.graph("GET", f"/applications{query}")
    assert (response.status_code, response.json["error"]["code"]) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("by", ["id", "appId"])
def test_a_deleted_application_is_gone_and_gets_no_tokens(own_house, by):
    application = created(own_house)
    path = f"/applications/{application['id']}" if by == "id" else f"/applications(appId='{application['appId']}')"
    secret = own_house.graph("POST", f"{path}/addPassword").json["secretText"]
    assert own_house.token(client_id=application["appId"], client_secret=secret).status_code == 200
    response = own_house.graph("DELETE", path)
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert own_house.graph("GET", path).status_code == 404
    assert own_house.graph("DELETE", path).status_code == 404
    refused = own_house.token(client_id=application["appId"], client_secret=secret)
    assert (refused.status_code, refused.json["error_codes"]) == (400, [700016])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/applications/{UNKNOWN}", None, 404, "Request_ResourceNotFound"),
        ("GET", f"/applications(appId='{UNKNOWN}')", None, 404, "Request_ResourceNotFound"),
        ("DELETE", f"/applications(appId='{UNKNOWN}')", None, 404, "Request_ResourceNotFound"),
        ("POST", f"/applications(appId='{UNKNOWN}')/addPassword", {}, 404, "Request_ResourceNotFound"),
        ("GET", "/applications/no-guid", None, 400, "Request_BadRequest"),
        ("POST", "/servicePrincipals", {"appId": UNKNOWN}, 400, "Request_BadRequest"),
        ("POST", "/servicePrincipals", {"appId": "x"}, 400, "Request_BadRequest"),
        ("POST", "/servicePrincipals", {}, 400, "Request_BadRequest"),
        ("POST", "/servicePrincipals", {"appId": UNKNOWN, "tags": []}, 400, "Request_BadRequest"),
    ],
)
def test_what_is_not_there_is_refused(house, method, path, body, status, code):
    response = house.graph(method, path, **({} if body is None else {"json": body}))
    assert (response.status_code, response.json["error"]["code"]) == (status, code)


EVERYTHING = [
    ("GET", "/applications"),
    ("POST", "/applications"),
    ("GET", f"/applications(appId='{ADAPTER_CLIENT_ID}')"),
    ("DELETE", f"/applications(appId='{ADAPTER_CLIENT_ID}')"),
    ("POST", f"/applications(appId='{ADAPTER_CLIENT_ID}')/addPassword"),
    ("GET", "/servicePrincipals"),
    ("POST", "/servicePrincipals"),
]


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_without_the_permission_nothing_is_open(house, method, path):
    token = house.access_token(
        client_id=str(ADAPTER_CLIENT_ID), client_secret=house.secrets[ADAPTER_CLIENT_ID], scope=GRAPH_SCOPE
    )
    response = house.graph(method, path, token=token)
    error = response.json["error"]
    assert (response.status_code, error["code"]) == (403, "Authorization_RequestDenied")
    assert error["message"] == "Insufficient privileges to complete the operation."
    assert error["innerError"].keys() == {"date", "request-id", "client-request-id"}
    assert house.database.registrations.get(ADAPTER_CLIENT_ID) is not None


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_without_a_token_nothing_is_open(house, method, path):
    response = house.graph(method, path, token="")
    assert (response.status_code, response.json["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert response.json["error"]["message"] == "Access token is empty."
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("scope", "age", "message"),
    [
        (f"{ORIGIN}/.default", 0, "Access token validation failure. Invalid audience."),
        (GRAPH_SCOPE, 4000, "Lifetime validation failed, the token is expired."),
    ],
)
def test_a_token_for_another_resource_or_time_is_refused(own_house, scope, age, message):
    token = own_house.access_token(scope=scope)
    own_house.clock.now += age
    response = own_house.graph("GET", "/applications", token=token)
    assert (response.status_code, response.json["error"]["message"]) == (401, message)


def test_a_token_that_is_none_is_refused(house):
    response = house.graph("GET", "/applications", token="abc")
    assert (response.status_code, response.json["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/applications", "GET, POST, HEAD"),
        ("PUT", f"/applications/{UNKNOWN}", "GET, PATCH, DELETE, HEAD"),
        ("GET", f"/applications/{UNKNOWN}/addPassword", "POST"),
        ("DELETE", "/servicePrincipals", "GET, POST, HEAD"),
    ],
)
def test_another_method_is_refused_in_graphs_shape(house, method, path, allow):
    response = house.graph(method, path)
    assert (response.status_code, response.headers["Allow"]) == (405, allow)
    assert response.json["error"]["code"] == "Request_BadRequest"
