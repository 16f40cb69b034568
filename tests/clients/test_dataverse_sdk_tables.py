"""PowerPlatform-Dataverse-Client, unmodified, on tables of its own: from the first table to the last row and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError
from PowerPlatform.Dataverse.models.filters import col
from PowerPlatform.Dataverse.models.labels import Label, LocalizedLabel
from PowerPlatform.Dataverse.models.relationship import (
    LookupAttributeMetadata,
    ManyToManyRelationshipMetadata,
    OneToManyRelationshipMetadata,
)
from PowerPlatform.Dataverse.models.upsert import UpsertItem

TABLE = "new_Product"


class Status(IntEnum):
    ACTIVE = 1
    OUT_OF_STOCK = 2


COLUMNS = {
    "new_Title": "string",
    "new_Notes": "memo",
    "new_Count": "int",
    "new_Price": "decimal",
    "new_Weight": "float",
    "new_On": "datetime",
    "new_Live": "bool",
    "new_Status": Status,
    "new_Sheet": "file",
    "new_Stars": {"type": "int", "min_value": 1, "max_value": 5, "display_name": "Stars"},
}
ROW = {
    "new_ProductName": "Grinder",
    "new_Title": "G-1",
    "new_Notes": "two\nlines",
    "new_Count": 3,
    "new_Price": 149.95,
    "new_Weight": 1.25,
    "new_On": "2026-01-02T00:00:00Z",
    "new_Live": True,
    "new_Status": "Out_of_stock",
    "new_Stars": 5,
}


@pytest.fixture(scope="module")
def table(client: DataverseClient) -> Iterator[str]:
    """A table with a column of every kind, which is deleted at the end."""
    made = client.tables.create(TABLE, COLUMNS, primary_column="new_ProductName", display_name="Product")
    assert (made.logical_name, made.entity_set_name) == ("new_product", "new_products")
    assert (made.primary_id_attribute, made.primary_name_attribute) == ("new_productid", "new_productname")
    yield TABLE
    client.tables.delete(TABLE)
    assert client.tables.get(TABLE) is None
    with pytest.raises(HttpError, match="Resource not found for the segment 'new_products'"):
        client.records.list(TABLE)


@pytest.fixture
def grinder(client: DataverseClient, table: str) -> Iterator[str]:
    made = client.records.create(table, ROW)
    yield made
    client.records.delete(table, made)


def label(text: str) -> Label:
    return Label(localized_labels=[LocalizedLabel(label=text, language_code=1033)])


def test_a_table_is_listed_with_its_columns(client: DataverseClient, table: str):
    (listed,) = client.tables.list(filter="SchemaName eq 'new_Product'", select=["DisplayName", "OwnershipType"])
    assert listed["DisplayName"]["UserLocalizedLabel"]["Label"] == "Product"
    assert listed["OwnershipType"] == "UserOwned"
    columns = {column["SchemaName"]: column for column in client.tables.list_columns(table)}
    assert set(COLUMNS) < set(columns)
    assert (columns["new_Stars"]["MinValue"], columns["new_Stars"]["MaxValue"]) == (1, 5)
    typed = {column["LogicalName"]: column for column in client.tables.list_columns(table, typed=True)}
    assert (typed["new_title"]["MaxLength"], typed["new_stars"]["MaxValue"]) == (200, 5)
    with pytest.raises(MetadataError, match="already exists"):
        client.tables.create(table, {})


def test_a_row_has_the_values_that_were_given(client: DataverseClient, table: str, grinder: str):
    stored = client.records.retrieve(table, grinder)
    expected = {name.lower(): value for name, value in ROW.items()} | {"new_status": 2}
    assert {name: stored[name] for name in expected} == expected
    with pytest.raises(HttpError, match="'new_stars'"):
        client.records.update(table, grinder, {"new_Stars": 6})
    assert client.records.retrieve(table, grinder, select=["new_stars"])["new_stars"] == 5


def test_many_rows_are_made_queried_changed_and_deleted(client: DataverseClient, table: str):
    made = client.records.create(table, [{"new_ProductName": f"Cup {n:02}", "new_Count": n} for n in range(20)])
    client.records.update(table, made[:5], {"new_Status": "Active"})
    active = client.query.builder(table).select("new_productname").where(col("new_status") == 1).order_by("new_count")
    assert [row["new_productname"] for row in active.execute()] == [f"Cup {n:02}" for n in range(5)]
    assert [len(page) for page in client.records.list_pages(table, page_size=8)] == [8, 8, 4]
    (total,) = client.query.sql("SELECT COUNT(*) AS many, MAX(new_count) AS most FROM new_product")
    assert (total["many"], total["most"]) == (20, 19)
    client.records.delete(table, made, use_bulk_delete=False)
    assert not client.records.list(table, select=["new_count"])


def test_columns_are_added_changed_and_removed(client: DataverseClient, table: str):
    assert client.tables.add_columns(table, {"new_Extra": "string", "new_Amount": "money"}) == [
        "new_Extra",
        "new_Amount",
    ]
    client.tables.update_column(table, "new_Extra", {"max_length": 50, "display_name": "Something more"})
    changed = client.tables.get_column(table, "new_extra")
    assert (changed["MaxLength"], changed["DisplayName"]["UserLocalizedLabel"]["Label"]) == (50, "Something more")
    with pytest.raises(HttpError):
        client.records.create(table, {"new_ProductName": "x", "new_Extra": "x" * 51})
    assert client.tables.remove_columns(table, ["new_Extra", "new_Amount"]) == ["new_Extra", "new_Amount"]
    assert client.tables.get_column(table, "new_extra") is None


def test_lookups_bind_rows_of_other_tables(client: DataverseClient, table: str, grinder: str):
    simple = client.tables.create_lookup_field(table, "new_SupplierId", "account", display_name="Supplier")
    lookup = LookupAttributeMetadata(schema_name="new_ContactId", display_name=label("Contact"))
    relationship = OneToManyRelationshipMetadata(
        schema_name="new_contact_product",
        referenced_entity="contact",
        referencing_entity="new_product",
        referenced_attribute="contactid",
    )
    full = client.tables.create_one_to_many_relationship(lookup, relationship)
    supplier = client.records.create("account", {"name": "Supplier"})
    client.records.update(table, grinder, {"new_SupplierId@odata.bind": f"/accounts({supplier})"})
    stored = client.records.retrieve(table, grinder, expand=["new_SupplierId"])
    assert stored["new_SupplierId"]["name"] == "Supplier"
    assert client.tables.get_relationship("new_contact_product").relationship_id == full.relationship_id
    for each in (simple, full):
        client.tables.delete_relationship(each.relationship_id)
    assert client.tables.get_column(table, "new_supplierid") is None
    client.records.delete("account", supplier)


def test_many_to_many_relationships_come_and_go(client: DataverseClient, table: str):
    made = client.tables.create_many_to_many_relationship(
        ManyToManyRelationshipMetadata(
            schema_name="new_product_account", entity1_logical_name="new_product", entity2_logical_name="account"
        )
    )
    found = client.tables.get_relationship("new_product_account")
    assert (found.relationship_id, found.relationship_type) == (made.relationship_id, "many_to_many")
    client.tables.delete_relationship(made.relationship_id)
    assert client.tables.get_relationship("new_product_account") is None


def test_rows_are_upserted_by_a_key_that_was_just_made(client: DataverseClient, table: str):
    client.tables.create_alternate_key(table, "new_TitleKey", ["new_title"])
    deadline = time.monotonic() + 20
    while (key := client.tables.get_alternate_keys(table)[0]).status != "Active":
        assert time.monotonic() < deadline, key.status
        time.sleep(0.02)
    for name in ("Made", "Changed"):
        item = UpsertItem(alternate_key={"new_title": "K-1"}, record={"new_productname": name})
        client.records.upsert(table, [item])
    (row,) = client.records.list(table, filter="new_title eq 'K-1'", select=["new_productname"])
    assert row["new_productname"] == "Changed"
    client.records.delete(table, row["new_productid"])
    client.tables.delete_alternate_key(table, key.metadata_id)
    assert client.tables.get_alternate_keys(table) == []


def test_a_file_finds_its_column_or_makes_one(client: DataverseClient, table: str, grinder: str, tmp_path: Path):
    path = tmp_path / "sheet.txt"
    path.write_text("ground")
    for column in ("new_Sheet", "new_Manual"):
        client.files.upload(table, grinder, column, str(path))
        name = f"{column.lower()}_name"
        assert client.records.retrieve(table, grinder, select=[name])[name] == "sheet.txt"


def test_tables_are_made_in_a_batch(client: DataverseClient):
    batch = client.batch.new()
    batch.tables.create("new_Batched", {"new_Text": "string"})
    batch.tables.get("new_batched")
    answers = batch.execute()
    assert [item.status_code for item in answers.responses] == [204, 200]
    assert [found["EntitySetName"] for found in answers.responses[1].data["value"]] == ["new_batcheds"]
    made = client.records.create("new_Batched", {"new_Name": "First", "new_Text": "Text"})
    assert client.records.retrieve("new_Batched", made, select=["new_text"])["new_text"] == "Text"
    client.tables.delete("new_Batched")
    assert client.tables.get("new_Batched") is None


def test_a_name_without_the_prefix_of_a_publisher_makes_nothing(client: DataverseClient):
    with pytest.raises(HttpError) as refused:
        client.tables.create("nobody_Product", {"nobody_Text": "string"})
    assert (refused.value.status_code, refused.value.details["service_error_code"]) == (400, "0x80044366")
    assert client.tables.get("nobody_Product") is None
