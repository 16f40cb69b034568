"""How a client finds the server: flags, then variables, then environment.json."""

import json

import pytest

from integration.authority import AuthorityNotFoundError
from integration.connection import Connection, ConnectionFlags, NoConnectionError, resolve_connection

ADAPTER = "3a225c96-d62a-44ce-b3ec-bd4e8e9befef"


def no_discovery(url, ca_bundle):
    raise AuthorityNotFoundError(f"{url} cannot be reached")


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "ca-bundle.pem"
    path.write_text("PEM")
    return str(path)


@pytest.fixture
def data(tmp_path, bundle):
    """A data directory with the documented environment.json."""
    content = {
        "url": "https://localhost:8443",
        "authority": "https://localhost:8443/t1",
        "tenant_id": "t1",
        "organization_id": "o1",
        "ca_bundle": bundle,
        "admin": {"client_id": "admin-id", "client_secret": "admin-secret"},
        "adapter": {"client_id": ADAPTER, "client_secret": "adapter-secret"},
        "control_key": "k",
    }
    (tmp_path / "environment.json").write_text(json.dumps(content))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("application", "client_id", "secret"),
    [("admin", "admin-id", "admin-secret"), ("adapter", ADAPTER, "adapter-secret")],
)
def test_environment_json_alone_is_enough(data, bundle, application, client_id, secret):
    found = resolve_connection(ConnectionFlags(data=data), application, {}, no_discovery)
    assert found == Connection("https://localhost:8443", "https://localhost:8443/t1", "t1", client_id, secret, bundle)


def test_the_data_directory_may_come_from_its_variable(data):
    found = resolve_connection(ConnectionFlags(), "adapter", {"TALENTVERSE_DATA": data}, no_discovery)
    assert found.client_id == ADAPTER


def variables(bundle):
    return {
        "TALENTVERSE_URL": "https://other.test:1/",
        "TALENTVERSE_AUTHORITY": "https://login.test/t2/",
        "TALENTVERSE_TENANT_ID": "t2",
        "TALENTVERSE_CLIENT_ID": "variable-id",
        "TALENTVERSE_CLIENT_SECRET": "variable-secret",
        "TALENTVERSE_CA_BUNDLE": bundle,
    }


def test_variables_stand_before_the_file(data, bundle):
    found = resolve_connection(ConnectionFlags(data=data), "adapter", variables(bundle), no_discovery)
    assert found == Connection(
        "https://other.test:1", "https://login.test/t2", "t2", "variable-id", "variable-secret", bundle
    )


def test_flags_stand_before_variables(data, bundle, tmp_path):
    mine = tmp_path / "mine.pem"
    mine.write_text("PEM")
    flags = ConnectionFlags("https://other.test:1", "flag-id", "flag-secret", str(mine), data)
    found = resolve_connection(flags, "adapter", variables(bundle), no_discovery)
    assert (found.client_id, found.client_secret, found.ca_bundle) == ("flag-id", "flag-secret", str(mine))


@pytest.mark.parametrize("url", ["https://127.0.0.1:8443", "https://[::1]:8443/", "HTTPS://LOCALHOST:8443"])
def test_the_file_speaks_for_its_server_under_every_name_of_this_machine(data, url):
    found = resolve_connection(ConnectionFlags(url=url, data=data), "adapter", {}, no_discovery)
    assert (found.client_id, found.client_secret) == (ADAPTER, "adapter-secret")


@pytest.mark.parametrize("url", ["https://localhost:8444", "http://localhost:8443", "https://localhost"])
def test_another_port_or_scheme_is_another_server(data, url):
    with pytest.raises(NoConnectionError, match="no application is known"):
        resolve_connection(ConnectionFlags(url=url, data=data), "adapter", {}, no_discovery)


def test_the_file_never_lends_its_secrets_to_another_server(data):
    with pytest.raises(NoConnectionError, match="no application is known"):
        resolve_connection(ConnectionFlags(url="https://elsewhere.test", data=data), "adapter", {}, no_discovery)


def test_variables_never_lend_their_authority_to_another_server(bundle):
    flags = ConnectionFlags("https://elsewhere.test", "id", "secret")
    with pytest.raises(NoConnectionError, match=r"elsewhere\.test cannot be reached"):
        resolve_connection(flags, "adapter", variables(bundle), no_discovery)


def test_the_application_that_env_exports_yields_to_the_application_of_the_command(data):
    """`talentverse env` exports the admin application for the whole shell; the adapter keeps its own."""
    exported = {
        "TALENTVERSE_URL": "https://localhost:8443",
        "TALENTVERSE_CLIENT_ID": "admin-id",
        "TALENTVERSE_CLIENT_SECRET": "admin-secret",
    }
    found = resolve_connection(ConnectionFlags(data=data), "adapter", exported, no_discovery)
    assert (found.client_id, found.client_secret) == (ADAPTER, "adapter-secret")
    found = resolve_connection(ConnectionFlags(data=data), "admin", exported, no_discovery)
    assert (found.client_id, found.client_secret) == ("admin-id", "admin-secret")


def test_a_flag_may_name_the_other_application_and_finds_its_secret_in_the_file(data):
    found = resolve_connection(ConnectionFlags(client_id="admin-id", data=data), "adapter", {}, no_discovery)
    assert found.client_secret == "admin-secret"


def test_a_client_id_without_a_secret_is_refused(data):
    with pytest.raises(NoConnectionError, match=r"no secret is known for application x: give --client-secret"):
        resolve_connection(ConnectionFlags(client_id="x", data=data), "adapter", {}, no_discovery)


def test_an_authority_that_nothing_names_is_asked_of_the_server(tmp_path):
    asked = []

    def discover(url, ca_bundle):
        asked.append((url, ca_bundle))
        return "https://login.test/t9"

    flags = ConnectionFlags("https://org.test/", "id", "secret", data=str(tmp_path))
    found = resolve_connection(flags, "adapter", {}, discover)
    assert found == Connection("https://org.test", "https://login.test/t9", "t9", "id", "secret", None)
    assert asked == [("https://org.test", None)]


@pytest.mark.parametrize(
    "url", ["localhost:8443", "ftp://x", "https://", "nonsense", "https://x:port", "https://[::1", "https://x:99999"]
)
def test_a_url_that_is_none_is_refused(url, tmp_path):
    with pytest.raises(NoConnectionError, match="is not the URL of a server"):
        resolve_connection(ConnectionFlags(url=url, data=str(tmp_path)), "adapter", {}, no_discovery)


def test_without_anything_the_error_says_what_to_do(tmp_path):
    with pytest.raises(NoConnectionError) as refused:
        resolve_connection(ConnectionFlags(data=str(tmp_path)), "adapter", {}, no_discovery)
    assert "talentverse serve" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"{", "not valid JSON"), (b"\xff", "not valid JSON"), (b"[]", "does not describe")]
)
def test_a_broken_environment_json_is_refused(tmp_path, content, complaint):
    (tmp_path / "environment.json").write_bytes(content)
    with pytest.raises(NoConnectionError, match=complaint):
        resolve_connection(ConnectionFlags(data=str(tmp_path)), "adapter", {}, no_discovery)


def test_a_certificate_bundle_that_is_not_there_is_refused(data):
    flags = ConnectionFlags(ca_bundle="nowhere.pem", data=data)
    with pytest.raises(NoConnectionError, match=r"nowhere\.pem is not there"):
        resolve_connection(flags, "adapter", {}, no_discovery)


def test_secrets_do_not_show_in_the_text_form(data):
    assert "adapter-secret" not in repr(resolve_connection(ConnectionFlags(data=data), "adapter", {}, no_discovery))


def test_an_impossible_url_in_the_file_lends_nothing(tmp_path):
    application = {"client_id": "a", "client_secret": "b"}
    (tmp_path / "environment.json").write_text(json.dumps({"url": "https://x:port", "adapter": application}))
    with pytest.raises(NoConnectionError, match="no application is known"):
        resolve_connection(ConnectionFlags("https://x", data=str(tmp_path)), "adapter", {}, no_discovery)
