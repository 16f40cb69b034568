"""The first start of a data directory: fixture files, interrupted starts, data of other releases."""

from __future__ import annotations

import json
import shutil

import apsw
import pytest
from databases import on_sqlite_only
from driving import Caller, bearer, dump, first_start, refusal

from entities.errors import EngineFault
from odata_server.admin.data_directory import Secrets
from odata_server.admin.fixture_file import FixtureError, read_fixture
from odata_server.app import build, prepare
from odata_server.engine.authority_store import NewerAuthorityStoreError

READER = "11111111-1111-4111-8111-111111111111"
ACCOUNT = "22222222-2222-4222-8222-222222222222"
SECRET = "a-secret-of-tests"
EVERYTHING = {
    "applications": [{"clientId": READER, "clientSecret": SECRET, "displayName": "Reader"}],
    "businessUnits": [{"name": "Hamburg"}, {"name": "Altona", "parent": "Hamburg"}],
    "roles": [
        {"name": "Reader", "privileges": {"prvReadAccount": "Local", "prvReadsample_Project": "Global"}},
        {"name": "Empty", "businessUnit": "Altona"},
    ],
    "users": [
        {"applicationId": READER, "businessUnit": "Altona", "roles": ["Reader", "Empty"]},
        {"userPrincipalName": "kim@contoso.test", "firstName": "Kim", "roles": ["Basic User"]},
    ],
    "tables": [
        {
            "schemaName": "sample_Project",
            "primaryName": "sample_Name",
            "columns": [
                {"schemaName": "sample_Name", "maxLength": 20},
                {"schemaName": "sample_Account", "type": "Lookup", "targets": ["account"]},
                {"schemaName": "sample_Either", "type": "Lookup", "targets": ["account", "contact"]},
                {"schemaName": "sample_Budget", "type": "Money"},
                {"schemaName": "sample_Rate", "type": "Decimal", "precision": 4},
                {"schemaName": "sample_Share", "type": "Double"},
                {"schemaName": "sample_Text", "type": "Memo"},
                {"schemaName": "sample_Count", "type": "Integer"},
                {"schemaName": "sample_Open", "type": "Boolean"},
                {"schemaName": "sample_At", "type": "DateTime"},
                {"schemaName": "sample_On", "type": "DateOnly"},
                {"schemaName": "sample_Kind", "type": "Picklist", "options": {"Small": 1, "Large": 2}},
            ],
            "keys": [["sample_Name"]],
        },
        {
            "schemaName": "sample_Box",
            "primaryName": "sample_Name",
            "columns": [{"schemaName": "sample_Name"}],
            "displayName": "Box",
            "ownership": "OrganizationOwned",
        },
        {"schemaName": "sample_City", "primaryName": "sample_Name", "columns": [{"schemaName": "sample_Name"}]},
    ],
    "rows": {
        "accounts": [{"accountid": ACCOUNT, "name": "A", "contact_customer_accounts": [{"lastname": "Ann"}]}],
        "sample_projects": [
            {
                "sample_name": "P",
                "sample_budget": 12.5,
                "sample_rate": 1.2345,
                "sample_kind": 2,
                "sample_open": True,
                "sample_on": "2026-01-31",
                "sample_at": "2026-01-31T10:00:00Z",
                "sample_Account@odata.bind": f"/accounts({ACCOUNT})",
                "sample_Either_account@odata.bind": f"/accounts({ACCOUNT})",
            }
        ],
        "sample_boxes": [{"sample_name": "B"}],
        "sample_cities": [{"sample_name": "C"}],
    },
    "humanResourcesRows": {"LegalEntities": [{"LegalEntityId": "ZZZZ", "Name": "Zed"}]},
}


@pytest.fixture
def write(tmp_path):
    """Write a fixture file and return its path."""

    def written(content):
        path = tmp_path / "fixture.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return written


@pytest.fixture(params=("SQLite", "PostgreSQL"))
def where(request):
    """The settings that say where the data lies."""
    return {"database_url": None if request.param == "SQLite" else request.getfixturevalue("postgres_url")}


def test_a_fixture_declares_a_whole_world(tmp_path, write, where):
    settings, made = first_start(tmp_path, fixture=write(EVERYTHING), sample_data="none", **where)
    application = build(settings)
    administrator = Caller(
        application, bearer(application, made.tenant_id, made.admin_client_id, made.admin_client_secret)
    )
    reader = Caller(application, bearer(application, made.tenant_id, READER, SECRET))
    project = administrator.get("sample_projects(sample_name='P')")
    expected = {
        "sample_budget": 12.5,
        "sample_rate": 1.2345,
        "sample_kind": 2,
        "sample_open": True,
        "sample_on": "2026-01-31",
        "sample_at": "2026-01-31T10:00:00Z",
        "_sample_account_value": ACCOUNT,
        "_sample_either_value": ACCOUNT,
        "sample_count": None,
    }
    assert {name: project[name] for name in expected} == expected
    assert [row["sample_name"] for row in reader.rows("sample_projects")] == ["P"]
    assert refusal(reader.send("GET", "sample_boxes"))[0] == 403
    assert reader.rows("accounts") == []
    assert [row["_parentcustomerid_value"] for row in administrator.rows("contacts")] == [ACCOUNT]
    assert [row["sample_name"] for row in administrator.rows("sample_boxes")] == ["B"]
    assert [row["sample_name"] for row in administrator.rows("sample_cities")] == ["C"]
    units = {row["name"]: row["_parentbusinessunitid_value"] for row in administrator.rows("businessunits")}
    assert set(units) == {"Contoso", "Hamburg", "Altona"}
    assert len(administrator.rows("systemusers?$filter=domainname eq 'kim@contoso.test' and lastname eq 'kim'")) == 1
    assert administrator.rows("/data/LegalEntities?$filter=LegalEntityId eq 'ZZZZ'")[0]["Name"] == "Zed"


def with_table(**changes):
    return {"tables": [{"schemaName": "a1_T", "primaryName": "a1_N", "columns": [{"schemaName": "a1_N"}]} | changes]}


def with_column(**changes):
    return with_table(columns=[{"schemaName": "a1_N"}, {"schemaName": "a1_M"} | changes])


UNREADABLE = {
    "{": "Expecting property name",
    "[]": "Invalid input type",
    '{"nothing": 1}': "nothing: Unknown field",
    '{"applications": [{"clientId": "x"}]}': "applications[0].clientId: Not a valid UUID",
    '{"applications": [{}]}': "applications[0].clientId: Missing data",
    '{"businessUnits": [{"name": "A"}, {"name": ""}]}': "businessUnits[1].name: Shorter than minimum length",
    '{"roles": [{"name": "A", "privileges": {"prvReadAccount": "Everywhere"}}]}': "roles[0].privileges.prvReadAccount",
    '{"users": [{"firstName": "Kim"}]}': "users[0]: One of userPrincipalName and applicationId is required",
    '{"users": [{"userPrincipalName": "kim"}]}': "users[0].userPrincipalName: Not a valid email address",
    json.dumps(with_table(schemaName="Nothing")): "tables[0].schemaName: String does not match",
    json.dumps(with_table(columns=[])): "tables[0].columns: Shorter than minimum length",
    json.dumps(with_table(ownership="Nobody")): "tables[0].ownership: Must be one of",
    json.dumps(with_table(keys=[[]])): "tables[0].keys[0]: Shorter than minimum length",
    json.dumps(with_column(type="Blob")): "tables[0].columns[1].type: Must be one of",
    json.dumps(with_column(maxLength=0)): "tables[0].columns[1].maxLength: Must be greater",
    json.dumps(with_column(precision=1.5)): "tables[0].columns[1].precision: Not a valid integer",
    json.dumps(with_column(type="Picklist", options={"A": "1"})): "tables[0].columns[1].options.A: Not a valid integer",
    '{"rows": {"accounts": [1]}}': "rows.accounts[0]: Not a valid mapping type",
    '{"rows": []}': "rows: Not a valid mapping type",
}


@pytest.mark.parametrize("content", UNREADABLE)
def test_each_defect_of_a_fixture_file_gives_one_line_that_names_its_place(write, content):
    path = write(content)
    with pytest.raises(FixtureError) as refused:
        read_fixture(path)
    text = str(refused.value)
    assert text.startswith(f"{path}: {UNREADABLE[content]}")
    assert "\n" not in text


def test_a_fixture_file_that_is_not_there_or_no_text_is_named(tmp_path):
    path = tmp_path / "fixture.json"
    with pytest.raises(FixtureError, match="No such file"):
        read_fixture(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FixtureError, match="decode"):
        read_fixture(path)


NOBODYS = "99999999-9999-4999-8999-999999999999"
REFUSED = {
    "applications": (
        {"applications": [{"clientId": NOBODYS, "clientSecret": "x", "displayName": "x"}] * 2},
        f"application {NOBODYS}: there is one with this client id already",
    ),
    "parents": ({"businessUnits": [{"name": "A", "parent": "B"}]}, "business unit A: There is no businessunit 'B'"),
    "privileges": ({"roles": [{"name": "A", "privileges": {"prvFly": "Global"}}]}, "role A: "),
    "depths": ({"roles": [{"name": "A", "privileges": {"prvReadEntity": "Basic"}}]}, "role A: "),
    "units of roles": ({"roles": [{"name": "A", "businessUnit": "B"}]}, "role A: There is no businessunit 'B'"),
    "unknown applications": ({"users": [{"applicationId": NOBODYS}]}, f"user {NOBODYS}: "),
    "roles of users": (
        {"users": [{"userPrincipalName": "a@x.test", "roles": ["B"]}]},
        "user a@x.test: There is no role 'B'",
    ),
    "primary names": (with_table(primaryName="a1_Z"), "table a1_T: primaryName 'a1_Z' is none of its text columns"),
    "targets": (
        with_column(type="Lookup", targets=["nothing"]),
        "table a1_T: column a1_M: there is no table 'nothing'",
    ),
    "no targets": (with_column(type="Lookup"), "table a1_T: column a1_M: a Lookup has targets"),
    "keys": (with_table(keys=[["a1_Z"]]), "table a1_T: the key column 'a1_Z' is none"),
    "columns twice": (with_table(columns=[{"schemaName": "a1_N"}] * 2), "table a1_T: two of its columns"),
    "tables twice": ({"tables": with_table()["tables"] * 2}, "table a1_T: "),
    "options": (with_column(type="Picklist", options={"A": 1, "B": 1}), "table a1_T: column a1_M: two of its options"),
    "entity sets": ({"rows": {"nothing": []}}, "rows: there is no entity set 'nothing'"),
    "columns of rows": ({"rows": {"accounts": [{"name": "A"}, {"nothing": 1}]}}, "rows.accounts[1]: "),
    "values of rows": ({"rows": {"accounts": [{"name": 7}]}}, "rows.accounts[0]: "),
    "rows twice": ({"rows": {"accounts": [{"accountid": ACCOUNT, "name": "A"}] * 2}}, "rows: "),
    "rules": ({"humanResourcesRows": {"LegalEntities": [{"Name": "A"}]}}, "rows"),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A data directory without sample data, to copy."""
    directory = tmp_path_factory.mktemp("begun")
    first_start(directory, sample_data="none")
    return directory


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_rules_refuse_is_named_and_nothing_is_left(tmp_path, write, what):
    content, expected = REFUSED[what]
    with pytest.raises(FixtureError) as refused:
        first_start(tmp_path, fixture=write(content), sample_data="none")
    assert str(refused.value).startswith(expected)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "dataverse.sqlite").exists()


def test_a_start_after_a_refused_fixture_is_like_the_first_one(tmp_path, write, where):
    application = {"clientId": READER, "clientSecret": SECRET, "displayName": "Reader"}
    broken = {"applications": [application], "rows": {"accounts": [{"nothing": 1}]}}
    with pytest.raises(FixtureError):
        first_start(tmp_path, fixture=write(broken), sample_data="none", **where)
    settings, made = first_start(
        tmp_path,
        fixture=write({"applications": [application], "users": [{"applicationId": READER}]}),
        sample_data="none",
        **where,
    )
    application = build(settings)
    assert bearer(application, made.tenant_id, READER, SECRET)


@on_sqlite_only
def test_what_an_interrupted_first_start_left_behind_is_replaced(tmp_path, begun):
    leftover = tmp_path / "first-start"
    leftover.mkdir()
    shutil.copy(begun / "dataverse.sqlite", leftover)
    (leftover / "human-resources.sqlite").write_bytes(b"half of a database")
    (leftover / "human-resources.sqlite-wal").write_bytes(b"half of a log")
    first_start(tmp_path, sample_data="none")
    assert not leftover.exists()
    tables = {name: len(rows) for name, rows in dump(tmp_path).items()}
    assert tables == {name: len(rows) for name, rows in dump(begun).items()}


@on_sqlite_only
def test_a_first_start_interrupted_between_the_databases_is_made_again(tmp_path, begun):
    shutil.copy(begun / "dataverse.sqlite", tmp_path)
    shutil.copy(begun / "dataverse.baseline.sqlite", tmp_path)
    settings, made = first_start(tmp_path, sample_data="none")
    application = build(settings)
    administrator = Caller(
        application, bearer(application, made.tenant_id, made.admin_client_id, made.admin_client_secret)
    )
    assert administrator.rows("/data/SystemUsers")
    assert administrator.get("WhoAmI")


@on_sqlite_only
def test_a_later_start_keeps_secrets_and_rows(tmp_path, begun):
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    before = dump(tmp_path)
    settings, made = first_start(tmp_path, sample_data="demo")
    assert dump(tmp_path) == before
    again = prepare(settings, Secrets("", made.admin_client_secret, made.adapter_client_secret))
    assert again == made


def set_version(path, statement):
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()


@on_sqlite_only
@pytest.mark.parametrize("name", ["dataverse", "human-resources"])
def test_data_of_a_newer_release_is_refused_by_name(tmp_path, begun, name):
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    set_version(tmp_path / f"{name}.sqlite", 'UPDATE "$state" SET schema_version = 999')
    with pytest.raises(EngineFault, match=rf"{name}\.sqlite was written by a newer release \(schema 999"):
        first_start(tmp_path)


@on_sqlite_only
def test_an_authority_of_a_newer_release_is_refused(tmp_path, begun):
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    set_version(tmp_path / "authority.sqlite", "UPDATE schema_version SET version = 999")
    with pytest.raises(NewerAuthorityStoreError):
        first_start(tmp_path)
