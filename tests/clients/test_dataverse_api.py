"""dataverse-api, unmodified: its five questions about a table, rows singly, in batches and with bulk messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pandas as pd
import pytest
import requests
from dataverse_api import DataverseClient
from dataverse_api.entity import DataverseEntity
from dataverse_api.errors import DataverseAPIError
from dataverse_api.metadata.attributes import (
    BigIntAttributeMetadata,
    BooleanAttributeMetadata,
    DateTimeAttributeMetadata,
    DecimalAttributeMetadata,
    IntegerAttributeMetadata,
    LookupAttributeMetadata,
    MemoAttributeMetadata,
    StringAttributeMetadata,
)
from dataverse_api.metadata.entity import define_entity
from dataverse_api.metadata.enums import OwnershipType
from dataverse_api.metadata.helpers import Publisher, Solution
from dataverse_api.metadata.relationships import OneToManyRelationshipMetadata, define_relationship
from dataverse_api.utils.batching import BatchCommand, RequestMethod
from live_servers import Server

COLUMNS = (
    DecimalAttributeMetadata(schema_name="new_Load", min_value=0, max_value=100),
    IntegerAttributeMetadata(schema_name="new_Seats", min_value=0, max_value=9),
    DateTimeAttributeMetadata(schema_name="new_Bought"),
    MemoAttributeMetadata(schema_name="new_Remark"),
    BooleanAttributeMetadata(schema_name="new_Sold"),
    BigIntAttributeMetadata(schema_name="new_Distance"),
)
NOBODY = "00000000-0000-4000-8000-0000000000aa"


@pytest.fixture(scope="module")
def client(server: Server, session: requests.Session) -> DataverseClient:
    return DataverseClient(session, server.url)


@pytest.fixture(scope="module")
def accounts(client: DataverseClient) -> DataverseEntity:
    return client.entity("account")


@pytest.fixture
def ids(accounts: DataverseEntity) -> Iterator[list[str]]:
    """Four accounts that are there while a test runs."""
    made = accounts.create([{"name": f"Van {n}", "telephone1": "1"} for n in range(4)], mode="multiple")
    numbers = made[0].json()["Ids"]
    yield numbers
    accounts.delete(filter="startswith(name,'Van ')", mode="batch")


def statuses(answers: list[requests.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def parts(answers: list[requests.Response]) -> list[str]:
    """Return the status lines of what batches answered."""
    lines = [line for answer in answers for line in answer.text.split("\r\n")]
    return [line.removeprefix("HTTP/1.1 ") for line in lines if line.startswith("HTTP/1.1 ")]


def phones(accounts: DataverseEntity) -> list[str | None]:
    found = accounts.read(select=["telephone1"], filter="startswith(name,'Van ')", order_by="name")
    return [row["telephone1"] for row in found]


def test_what_it_asks_about_a_table(accounts: DataverseEntity):
    assert (accounts.entity_set_name, accounts.primary_id_attr) == ("accounts", "accountid")
    assert accounts.primary_img_attr == "entityimage"
    assert accounts.alternate_keys == {}
    assert (accounts.supports_create_multiple, accounts.supports_update_multiple) == (True, True)
    assert "primarycontactid" in accounts.relationships.single_valued
    assert "contact_customer_accounts" in accounts.relationships.collection_valued


def test_what_is_no_table_is_said(client: DataverseClient):
    with pytest.raises(DataverseAPIError, match="The entity with a name = 'nothing_there'"):
        client.entity("nothing_there")


def test_rows_are_read_page_by_page(accounts: DataverseEntity):
    answers = accounts.read(select=["name"], order_by="name", page_size=20, return_responses=True)
    assert [len(answer.json()["value"]) for answer in answers[:2]] == [20, 20]
    assert len(accounts.read(select=["name"])) == sum(len(answer.json()["value"]) for answer in answers)
    (row,) = accounts.read(select=["statecode"], top=1, return_formatted_values=True)
    assert row["statecode@OData.Community.Display.V1.FormattedValue"] in {"Active", "Inactive"}
    (row,) = accounts.read(
        select=["name"], top=1, filter="primarycontactid ne null", expand="primarycontactid($select=fullname)"
    )
    assert row["primarycontactid"]["fullname"]


@pytest.mark.parametrize("threading", [False, True])
def test_rows_are_made_one_by_one(accounts: DataverseEntity, threading: bool):
    rows = [{"name": "Van one"}, {"name": "Van O'Brien"}]
    assert statuses(accounts.create(rows, threading=threading)) == [204, 204]
    made = accounts.create([{"name": "Van shown"}], return_created=True)
    assert [answer.json()["name"] for answer in made] == ["Van shown"]
    assert len(accounts.read(filter="startswith(name,'Van ')", select=["name"])) == 3
    assert statuses(accounts.delete(filter="startswith(name,'Van ')", threading=threading)) == [204] * 3


def test_rows_of_a_data_frame_are_made_in_batches(accounts: DataverseEntity):
    frame = pd.DataFrame({"name": ["Van é", "Van b", "Van c"], "telephone1": ["1", None, "3"]})
    answers = accounts.create(frame, mode="batch", batch_size=2)
    assert statuses(answers) == [200, 200]
    assert parts(answers) == ["204 No Content"] * 3
    assert {row["name"] for row in accounts.read(filter="startswith(name,'Van ')", select=["name"])} == {
        "Van é",
        "Van b",
        "Van c",
    }
    assert parts(accounts.delete(filter="startswith(name,'Van ')", mode="batch")) == ["204 No Content"] * 3


@pytest.mark.parametrize("mode", ["individual", "batch"])
def test_rows_are_changed_by_id(accounts: DataverseEntity, ids: list[str], mode: str):
    answers = accounts.upsert([{"accountid": each, "telephone1": "2"} for each in ids[:3]], mode=mode)
    assert statuses(answers) == ([204] * 3 if mode == "individual" else [200])
    assert phones(accounts) == ["2", "2", "2", "1"]


@pytest.mark.parametrize("mode", ["individual", "batch"])
def test_values_are_deleted(accounts: DataverseEntity, ids: list[str], mode: str):
    accounts.delete_columns(["telephone1"], ids=ids[:2], mode=mode)
    assert phones(accounts) == [None, None, "1", "1"]


@pytest.mark.parametrize("mode", ["individual", "batch"])
def test_rows_are_upserted_by_their_key(client: DataverseClient, mode: str):
    contracts = client.entity("con_contract")
    ((name, columns),) = contracts.alternate_keys.items()
    assert columns == ["con_number"]
    rows = [{"con_number": "A 12", "con_name": "One"}, {"con_number": "B", "con_name": "Two"}]
    contracts.upsert(rows[:1], altkey_name=name)
    contracts.upsert(rows, altkey_name=name, mode=mode)
    read = contracts.read(select=["con_number", "con_name"], order_by="con_name")
    assert [(row["con_number"], row["con_name"]) for row in read] == [("A 12", "One"), ("B", "Two")]
    assert contracts.read(filter="con_name eq 'Three'") == []
    contracts.delete(filter="all", mode=mode)


def test_a_batch_of_ones_own(client: DataverseClient, accounts: DataverseEntity, ids: list[str]):
    answers = client.submit_batch(
        [
            BatchCommand(f"accounts({ids[0]})", RequestMethod.PUT, data={"telephone1": "7"}),
            BatchCommand(f"accounts({ids[0]})?$select=telephone1", RequestMethod.GET),
        ]
    )
    assert parts(answers) == ["204 No Content", "200 OK"]
    assert '"telephone1":"7"' in answers[0].text
    assert phones(accounts)[0] == "7"


def test_a_refusal_is_logged_with_its_message(accounts: DataverseEntity, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        (answer,) = accounts.create([{"nothing": 1}])
    assert answer.status_code == 400
    assert "Invalid property 'nothing' was found in entity 'Microsoft.Dynamics.CRM.account'" in caplog.text


def test_definitions_are_read(client: DataverseClient):
    assert client.get_language_codes() == [1033]
    account = client.get_entity_definition("account")
    assert (account.schema_name, account.display_name.localized_labels[0].label) == ("Account", "Account")
    assert client.get_relationship_definition("contact_customer_accounts").schema_name == "contact_customer_accounts"
    with pytest.raises(DataverseAPIError):
        client.get_relationship_definition("nothing_there")


def test_a_table_is_made_changed_and_deleted(client: DataverseClient):
    name = StringAttributeMetadata(schema_name="new_Name", is_primary_name=True, max_length=80)
    van = define_entity("new_Van", [name], ownership_type=OwnershipType.USER_OWNED, display_name="Van")
    assert client.create_entity(van).status_code == 204
    vans = client.entity("new_van")
    for column in COLUMNS:
        assert vans.add_attribute(column).status_code == 204
    made = client.create_relationship(
        OneToManyRelationshipMetadata(
            schema_name="new_account_van",
            referenced_entity="account",
            referencing_entity="new_van",
            referenced_attribute="accountid",
            lookup=LookupAttributeMetadata(schema_name="new_AccountId"),
        )
    )
    assert made.status_code == 204

    definition = client.get_entity_definition("new_van")
    definition.display_name.localized_labels[0].label = "Lorry"
    client.update_entity(definition, preserve_localized_labels=True)
    assert client.get_entity_definition("new_van").display_name.localized_labels[0].label == "Lorry"
    client.update_relationship(client.get_relationship_definition("new_account_van"))

    vans.update_schema()
    (answer,) = vans.create([{"new_name": "A", "new_load": 2.5, "new_seats": 3, "new_sold": True}], return_created=True)
    assert (answer.json()["new_load"], answer.json()["new_sold"]) == (2.5, True)
    (refused,) = vans.create([{"new_name": "B", "new_seats": 10}])
    assert refused.status_code == 400

    vans.remove_attribute(logical_name="new_load")
    with pytest.raises(DataverseAPIError, match="new_load"):
        vans.read(select=["new_load"])
    client.delete_entity("new_van")
    with pytest.raises(DataverseAPIError):
        client.entity("new_van")


def test_a_publisher_is_made(client: DataverseClient, session: requests.Session, server: Server):
    made = client.create_publisher(Publisher("Contoso", "contoso_clients", "of the tests", "ctc", 23456))
    stored = session.get(made.headers["OData-EntityId"]).json()
    assert (stored["customizationprefix"], stored["customizationoptionvalueprefix"]) == ("ctc", 23456)


def test_what_the_client_gets_wrong_is_refused(client: DataverseClient):
    """The lookup of a solution is called publisherid; relationships have neither a logical name nor a description."""
    with pytest.raises(DataverseAPIError, match="publisher"):
        client.create_solution(Solution("Contoso", "contoso_clients", "of the tests", NOBODY))
    with pytest.raises(DataverseAPIError):
        client.delete_relationship("contact_customer_accounts")
    with pytest.raises(DataverseAPIError, match="The property 'Description' does not exist"):
        client.create_relationship(define_relationship("new_pairs", "contact", "account", "new_PairId"))
    assert client.get_relationship_definition("contact_customer_accounts")
