"""PowerPlatform-Dataverse-Client of Microsoft for Python, unmodified: rows, queries, batches, files, definitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import requests
from live_servers import Server
from pictures import picture
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.filters import FilterExpression, col, raw
from PowerPlatform.Dataverse.models.query_builder import ExpandOption
from PowerPlatform.Dataverse.models.upsert import UpsertItem

NOBODY = "00000000-0000-4000-8000-0000000000aa"
FETCH = """<fetch count="5"><entity name="account"><attribute name="name"/><order attribute="name"/>
<filter><condition attribute="accountnumber" operator="like" value="SDK-%"/></filter></entity></fetch>"""


@pytest.fixture
def account(client: DataverseClient) -> Iterator[str]:
    """An account that is there while a test runs."""
    made = client.records.create("account", {"name": "Fourth Coffee", "industrycode": "Accounting"})
    yield made
    client.records.delete("account", made)


@pytest.fixture(scope="module")
def dozen(client: DataverseClient) -> list[str]:
    """Twelve accounts, made in one request."""
    rows = [{"name": f"Coffee {n:02}", "accountnumber": f"SDK-{n:02}", "numberofemployees": n} for n in range(12)]
    return client.records.create("account", rows)


def names(records) -> list[str]:
    return [record["name"] for record in records]


def test_a_row_is_made_with_labels_of_choices(client: DataverseClient, account: str):
    record = client.records.retrieve("account", account, select=["name", "industrycode"], include_annotations="*")
    assert record["name"] == "Fourth Coffee"
    assert record["industrycode"] == 1
    assert record["industrycode@OData.Community.Display.V1.FormattedValue"] == "Accounting"


def test_a_row_that_is_not_there_is_none(client: DataverseClient):
    assert client.records.retrieve("account", NOBODY) is None


def test_a_row_is_changed_and_deleted(client: DataverseClient):
    made = client.records.create("account", {"name": "Before"})
    client.records.update("account", made, {"name": "After", "telephone1": None})
    assert client.records.retrieve("account", made, select=["name"])["name"] == "After"
    client.records.delete("account", made)
    assert client.records.retrieve("account", made) is None
    with pytest.raises(HttpError) as refused:
        client.records.update("account", made, {"name": "Too late"})
    assert refused.value.status_code == 404


def test_many_rows_are_changed_alike_or_each_in_its_way(client: DataverseClient, dozen: list[str]):
    client.records.update("account", dozen[:3], {"telephone1": "1"})
    client.records.update("account", dozen[:2], [{"telephone2": "a"}, {"telephone2": "b"}])
    found = client.records.list("account", filter="telephone1 eq '1'", select=["telephone2"], orderby=["accountnumber"])
    assert [record["telephone2"] for record in found] == ["a", "b", None]


def test_many_rows_are_deleted_at_once_or_one_by_one(client: DataverseClient):
    made = client.records.create("account", [{"name": "Gone"} for _ in range(4)])
    assert client.records.delete("account", made[:2], use_bulk_delete=False) is None
    job = client.records.delete("account", made[2:])
    assert client.records.retrieve("asyncoperation", job, select=["name"])["name"]


def test_lookups_are_bound_and_expanded(client: DataverseClient, account: str):
    bound = {"lastname": "Bound", "parentcustomerid_account@odata.bind": f"/accounts({account})"}
    person = client.records.create("contact", bound)
    (found,) = client.records.list(
        "contact", filter=f"contactid eq {person}", select=["fullname"], expand=["parentcustomerid_account"]
    )
    assert found["parentcustomerid_account"]["name"] == "Fourth Coffee"
    client.records.delete("contact", person)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (col("name") == "Coffee 03", ["03"]),
        (col("numberofemployees") > 9, ["10", "11"]),
        (col("numberofemployees").between(2, 4), ["02", "03", "04"]),
        (col("accountnumber").in_(["SDK-01", "SDK-05"]), ["01", "05"]),
        (col("name").startswith("Coffee 1"), ["10", "11"]),
        (col("name").endswith("e 07") | col("name").contains("08"), ["07", "08"]),
        (col("name").like("Coffee 0%") & ~(col("numberofemployees") < 8), ["08", "09"]),
        (col("accountnumber").not_in([f"SDK-{n:02}" for n in range(11)]), ["11"]),
        (raw("_primarycontactid_value ne null"), []),
        (col("telephone3").is_null() & (col("numberofemployees") == 6), ["06"]),
    ],
    ids=lambda value: value.to_odata() if isinstance(value, FilterExpression) else "",
)
def test_conditions_of_the_query_builder(client: DataverseClient, dozen: list[str], condition, expected):
    query = client.query.builder("account").select("name").where(condition & col("accountnumber").startswith("SDK-"))
    assert [name[-2:] for name in names(query.order_by("name").execute())] == expected


def test_the_query_builder_pages_counts_and_expands(client: DataverseClient, dozen: list[str]):
    query = client.query.builder("account").select("name").where(col("accountnumber").startswith("SDK-"))
    assert [len(page) for page in query.page_size(5).execute_pages()] == [5, 5, 2]
    assert len(client.query.builder("account").select("name").top(3).execute()) == 3
    with_contact = client.query.builder("account").where(raw("_primarycontactid_value ne null")).top(1)
    (found,) = with_contact.expand(ExpandOption("primarycontactid").select("fullname")).execute()
    assert found["primarycontactid"]["fullname"]


def test_rows_become_a_data_frame_and_back(client: DataverseClient):
    made = client.dataframe.create("account", pd.DataFrame([{"name": "Frame 1"}, {"name": "Frame 2"}]))
    client.dataframe.update("account", pd.DataFrame({"accountid": made, "name": ["Frame 3", "Frame 4"]}), "accountid")
    frame = client.dataframe.sql("SELECT name FROM account WHERE name LIKE 'Frame %' ORDER BY name")
    assert list(frame["name"]) == ["Frame 3", "Frame 4"]
    client.dataframe.delete("account", made, use_bulk_delete=False)
    assert client.dataframe.sql("SELECT name FROM account WHERE name LIKE 'Frame %'").empty


@pytest.mark.parametrize(
    ("top", "condition", "order", "expected"),
    [
        ("TOP 2", "statecode = 0", "name DESC", ["11", "10"]),
        ("", "numberofemployees IN (1, 2)", "name", ["01", "02"]),
        ("", "numberofemployees BETWEEN 4 AND 5", "numberofemployees DESC", ["05", "04"]),
        ("DISTINCT", "name LIKE 'Coffee 0%' AND numberofemployees >= 8", "name", ["08", "09"]),
    ],
)
def test_sql(client: DataverseClient, dozen: list[str], top: str, condition: str, order: str, expected: list[str]):
    sql = f"SELECT {top} name FROM account WHERE {condition} AND accountnumber LIKE 'SDK-%' ORDER BY {order}"
    assert [name[-2:] for name in names(client.query.sql(sql))] == expected


def test_sql_pages(client: DataverseClient, dozen: list[str]):
    sql = (
        "SELECT name FROM account WHERE accountnumber LIKE 'SDK-%' ORDER BY name OFFSET {} ROWS FETCH NEXT 5 ROWS ONLY"
    )
    pages = [names(client.query.sql(sql.format(skipped))) for skipped in (0, 5, 10, 15)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    assert pages[2] == ["Coffee 10", "Coffee 11"]


def test_sql_joins_many_tables(client: DataverseClient):
    joined = client.query.sql(
        "SELECT TOP 3 a.name, c.fullname, su.fullname AS owner, bu.name AS bu, t.name AS team, cr.fullname AS creator "
        "FROM account a "
        "JOIN contact c ON a.accountid = c.parentcustomerid "
        "JOIN systemuser su ON a.ownerid = su.systemuserid "
        "JOIN businessunit bu ON su.businessunitid = bu.businessunitid "
        "JOIN team t ON bu.businessunitid = t.businessunitid "
        "JOIN systemuser cr ON a.createdby = cr.systemuserid"
    )
    assert len(joined) == 3
    assert all(record["name"] and record["bu"] and record["team"] and record["creator"] for record in joined)


def test_sql_joins_and_groups(client: DataverseClient, dozen: list[str]):
    (grouped,) = client.query.sql(
        "SELECT statecode, COUNT(*) AS many, SUM(numberofemployees) AS staff FROM account "
        "WHERE accountnumber LIKE 'SDK-%' GROUP BY statecode"
    )
    assert (grouped["many"], grouped["staff"]) == (12, 66)
    joined = client.query.sql(
        "SELECT TOP 3 c.fullname, a.name FROM contact c JOIN account a ON c.parentcustomerid = a.accountid"
    )
    assert all(record["fullname"] and record["name"] for record in joined)


def test_fetch_xml_page_by_page(client: DataverseClient, dozen: list[str]):
    assert len(client.query.fetchxml(FETCH).execute()) == 12
    pages = [names(page) for page in client.query.fetchxml(FETCH).execute_pages()]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [name for page in pages for name in page] == [f"Coffee {n:02}" for n in range(12)]


def test_a_batch_with_a_change_set_and_queries(client: DataverseClient, account: str):
    batch = client.batch.new()
    batch.records.update("account", account, {"telephone1": "+31 20 555 0100"})
    batch.records.retrieve("account", account, select=["telephone1"])
    batch.records.list("account", filter="name eq 'Fourth Coffee'", select=["name"])
    batch.query.sql("SELECT TOP 1 name FROM account WHERE name = 'Fourth Coffee'")
    batch.tables.get("account")
    with batch.changeset() as changes:
        person = changes.records.create("contact", {"lastname": "Of a change set"})
        changes.records.create("account", {"name": "Of the same", "primarycontactid@odata.bind": person})
    answers = batch.execute()
    assert [item.status_code for item in answers.responses] == [204, 200, 200, 200, 200, 204, 204]
    assert answers.responses[1].data["telephone1"] == "+31 20 555 0100"
    assert [len(item.data["value"]) for item in answers.responses[2:5]] == [1, 1, 1]
    made, with_person = (item.entity_id for item in answers.responses[5:])
    stored = client.records.retrieve("account", with_person, expand=["primarycontactid"])
    assert stored["primarycontactid"]["contactid"] == made
    client.records.delete("account", with_person)
    client.records.delete("contact", made)


def test_a_batch_goes_on_behind_a_refusal_where_it_is_told_to(client: DataverseClient):
    for goes_on, statuses in ((True, [400, 204]), (False, [400])):
        batch = client.batch.new()
        batch.records.create("account", {"nothing": 1})
        batch.records.create("account", {"name": "Behind a refusal"})
        answers = batch.execute(continue_on_error=goes_on)
        assert [item.status_code for item in answers.responses] == statuses
        assert "'nothing'" in answers.failed[0].error_message
    found = client.records.list("account", filter="name eq 'Behind a refusal'", select=["name"])
    assert len(found) == 1
    client.records.delete("account", [record["accountid"] for record in found], use_bulk_delete=False)


def test_rows_are_upserted_by_their_key(client: DataverseClient):
    one = UpsertItem(alternate_key={"con_number": "O'B 12"}, record={"con_name": "First", "con_kind": "Lease"})
    client.records.upsert("con_contract", [one])
    two = UpsertItem(alternate_key={"con_number": "2"}, record={"con_name": "Second", "con_kind": "Purchase"})
    one_again = UpsertItem(alternate_key={"con_number": "O'B 12"}, record={"con_name": "First again"})
    client.records.upsert("con_contract", [one_again, two])
    rows = client.records.list("con_contract", select=["con_name", "con_kind"], orderby=["con_name"])
    assert [(row["con_name"], row["con_kind"]) for row in rows] == [("First again", 1), ("Second", 2)]
    client.records.delete("con_contract", [row["con_contractid"] for row in rows], use_bulk_delete=False)


def test_an_upsert_without_the_key_is_refused(client: DataverseClient):
    item = UpsertItem(alternate_key={"accountnumber": "SDK-99"}, record={"name": "No key"})
    with pytest.raises(HttpError) as refused:
        client.records.upsert("account", [item])
    assert refused.value.status_code == 400
    assert not client.records.list("account", filter="name eq 'No key'", select=["name"])


@pytest.mark.parametrize("mode", ["small", "chunk"])
def test_a_file_is_uploaded(
    client: DataverseClient, server: Server, session: requests.Session, tmp_path: Path, mode: str
):
    contract = client.records.create("con_contract", {"con_name": "Scanned"})
    path = tmp_path / "scan no 1.pdf"
    path.write_bytes(bytes(range(256)) * (20 if mode == "small" else 20_000))
    client.files.upload("con_contract", contract, "con_Scan", str(path), mode=mode)
    stored = client.records.retrieve("con_contract", contract, select=["con_scan_name"])
    assert stored["con_scan_name"] == path.name
    address = f"{server.url}/api/data/v9.2/con_contracts({contract})/con_scan/$value"
    assert session.get(address).content == path.read_bytes()
    client.records.delete("con_contract", contract)


def test_an_image_is_uploaded(client: DataverseClient, tmp_path: Path):
    person = client.records.create("contact", {"lastname": "Pictured"})
    path = tmp_path / "face.png"
    path.write_bytes(picture())
    client.files.upload("contact", person, "entityimage", str(path))
    assert client.records.retrieve("contact", person, select=["entityimage"])["entityimage"]
    client.records.delete("contact", person)


def test_definitions_of_tables(client: DataverseClient):
    info = client.tables.get("account")
    assert (info.schema_name, info.logical_name, info.entity_set_name) == ("Account", "account", "accounts")
    assert (info.primary_id_attribute, info.primary_name_attribute) == ("accountid", "name")
    assert client.tables.get("nothing_there") is None
    listed = client.tables.list(filter="SchemaName eq 'Account'", select=["LogicalName", "DisplayName"])
    assert [table["DisplayName"]["UserLocalizedLabel"]["Label"] for table in listed] == ["Account"]


def test_definitions_of_columns(client: DataverseClient):
    of_choice = client.tables.list_columns("account", select=["LogicalName"], filter="AttributeType eq 'Picklist'")
    assert "industrycode" in {column["LogicalName"] for column in of_choice}
    assert "name" not in {column["LogicalName"] for column in of_choice}
    name = client.tables.get_column("account", "name")
    assert (name["@odata.type"], name["AttributeType"]) == ("#Microsoft.Dynamics.CRM.StringAttributeMetadata", "String")
    assert client.tables.get_column("account", "nothing") is None
    shown = {column["name"]: column["type"] for column in client.query.sql_columns("account")}
    assert (shown["name"], shown["accountid"]) == ("String", "Uniqueidentifier")


def test_definitions_of_relationships_and_keys(client: DataverseClient):
    found = client.tables.get_relationship("contact_customer_accounts")
    assert (found.referenced_entity, found.referencing_entity) == ("account", "contact")
    assert client.tables.get_relationship("nothing_there") is None
    assert "contact_customer_accounts" in {
        each["SchemaName"] for each in client.tables.list_table_relationships("account")
    }
    (way,) = (each for each in client.query.odata_expands("contact") if each["target_table"] == "account")
    assert (way["nav_property"], way["target_entity_set"]) == ("parentcustomerid_account", "accounts")
    assert client.tables.get_alternate_keys("account") == []
    (key,) = client.tables.get_alternate_keys("con_contract")
    assert key.key_attributes == ["con_number"]


def test_refusals_carry_what_the_server_says(client: DataverseClient):
    with pytest.raises(HttpError) as refused:
        client.records.create("account", {"numberofemployees": -5})
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (400, "0x80044330")
    assert refused.value.details["service_request_id"]
    with pytest.raises(MetadataError, match="Unable to resolve entity set"):
        client.records.create("nothing_there", {"name": "x"})


def test_only_https_is_spoken(server: Server, client: DataverseClient):
    with pytest.raises(ValueError, match="base_url must use HTTPS"):
        DataverseClient(server.url.replace("https:", "http:"), client.auth.credential)
