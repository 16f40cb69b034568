"""Columns and tables that come and go over HTTP while clients read and write: no error, and no answer of two shapes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from xml.etree import ElementTree as ET

import requests

COLUMNS, TABLES, ROWS = 50, 10, 5
CSDL = "{http://docs.oasis-open.org/odata/ns/edm}"
API = "/api/data/v9.2"
CRM = "Microsoft.Dynamics.CRM"


def text(words: str) -> dict:
    return {"LocalizedLabels": [{"Label": words, "LanguageCode": 1033}]}


def column(number: int) -> dict:
    """Return a column to add: a number, a text or a choice."""
    kinds = (
        {"@odata.type": f"{CRM}.IntegerAttributeMetadata"},
        {"@odata.type": f"{CRM}.StringAttributeMetadata", "MaxLength": 50},
        {"@odata.type": f"{CRM}.BooleanAttributeMetadata", "OptionSet": YES_OR_NO},
    )
    return {"SchemaName": f"new_Load{number}", "DisplayName": text(f"Load {number}"), **kinds[number % 3]}


YES_OR_NO = {
    "@odata.type": f"{CRM}.BooleanOptionSetMetadata",
    "TrueOption": {"Value": 1, "Label": text("Yes")},
    "FalseOption": {"Value": 0, "Label": text("No")},
}


def table(number: int) -> dict:
    """Return a table to add, with the column of its name."""
    name = {
        "@odata.type": f"{CRM}.StringAttributeMetadata",
        "SchemaName": "new_Name",
        "DisplayName": text("Name"),
        "MaxLength": 100,
        "IsPrimaryName": True,
    }
    labels = {"DisplayName": text(f"Small {number}"), "DisplayCollectionName": text(f"Smalls {number}")}
    own = {"OwnershipType": "UserOwned", "HasActivities": False, "HasNotes": False, "IsActivity": False}
    return {"SchemaName": f"new_Small{number}", **labels, **own, "Attributes": [name]}


class Party(threading.Thread):
    """A client that does the same again and again until it is over, or until something goes wrong."""

    def __init__(self, client, turn: Callable[[requests.Session], None], over: threading.Event) -> None:
        super().__init__()
        self.client, self.turn, self.over = client, turn, over
        self.turns = 0
        self.stayed = False

    def run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.client.server.environment["ca_bundle"]
            session.headers["Authorization"] = f"Bearer {self.client.token}"
            while not self.over.is_set():
                self.turn(session)
                self.turns += 1
        self.stayed = True


def in_order(names: list[str]) -> None:
    """Check that columns that are added one after the other, and removed likewise, are those of one moment."""
    numbers = sorted(
        int(name.lower().removeprefix("new_load")) for name in names if name.lower().startswith("new_load")
    )
    assert numbers == list(range(*(numbers[0], numbers[-1] + 1) if numbers else (0, 0))), numbers


def reading_rows(url: str) -> Callable[[requests.Session], None]:
    def turn(session: requests.Session) -> None:
        answer = session.get(url, timeout=30)
        assert answer.status_code == 200, answer.text[:300]
        shapes = {tuple(row) for row in answer.json()["value"]}
        assert len(shapes) == 1
        in_order([name for name in shapes.pop() if "@" not in name])

    return turn


def reading_columns(url: str) -> Callable[[requests.Session], None]:
    def turn(session: requests.Session) -> None:
        answer = session.get(
            f"{url}/EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName", timeout=30
        )
        assert answer.status_code == 200, answer.text[:300]
        in_order([item["LogicalName"] for item in answer.json()["value"]])

    return turn


def reading_metadata(url: str) -> Callable[[requests.Session], None]:
    def turn(session: requests.Session) -> None:
        answer = session.get(f"{url}/$metadata", timeout=30)
        assert answer.status_code == 200, answer.text[:300]
        (schema,) = ET.fromstring(answer.content).iter(f"{CSDL}Schema")
        (account,) = (found for found in schema.iter(f"{CSDL}EntityType") if found.get("Name") == "account")
        in_order([str(found.get("Name")) for found in account.iter(f"{CSDL}Property")])
        types = {found.get("Name") for found in schema.iter(f"{CSDL}EntityType")}
        sets = {str(found.get("EntityType")).rpartition(".")[2] for found in schema.iter(f"{CSDL}EntitySet")}
        assert sets <= types

    return turn


def writing(url: str, row: str) -> Callable[[requests.Session], None]:
    def turn(session: requests.Session) -> None:
        changed = session.patch(row, json={"name": "Changed", "numberofemployees": 1}, timeout=30)
        assert changed.status_code == 204, changed.text[:300]
        deep = {"name": "A", "contact_customer_accounts": [{"lastname": "B"}]}
        made = session.post(f"{url}/accounts", json=deep, timeout=30)
        assert made.status_code == 204, made.text[:300]
        gone = session.delete(made.headers["OData-EntityId"], timeout=30)
        assert gone.status_code == 204, gone.text[:300]

    return turn


def change_everything(admin) -> None:
    """Add columns and tables one after the other, use them, and remove them likewise."""
    for number in range(COLUMNS):
        added = admin.send("POST", "EntityDefinitions(LogicalName='account')/Attributes", column(number))
        assert added.status_code == 204, added.text[:300]
        if number < TABLES:
            made = admin.send("POST", "EntityDefinitions", table(number))
            assert made.status_code == 204, made.text[:300]
            row = admin.send("POST", f"new_small{number}s", {"new_name": "A", "ownerid@odata.bind": owner(admin)})
            assert row.status_code == 204, row.text[:300]
    for number in range(COLUMNS):
        path = f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='new_load{number}')"
        gone = admin.send("DELETE", path)
        assert gone.status_code == 204, gone.text[:300]
        if number < TABLES:
            gone = admin.send("DELETE", f"EntityDefinitions(LogicalName='new_small{number}')")
            assert gone.status_code == 204, gone.text[:300]


def owner(admin) -> str:
    return f"/systemusers({admin.get('WhoAmI')['UserId']})"


def test_no_client_notices_that_columns_and_tables_come_and_go(start_server, tmp_path):
    server = start_server(tmp_path / "data", "--workers", "2", "--sample-data", "none")
    admin = server.client("admin")
    url = f"{server.environment['url']}{API}"
    rows = [admin.send("POST", "accounts", {"name": f"A{n}"}).headers["OData-EntityId"] for n in range(ROWS)]
    over = threading.Event()
    turns = (
        reading_rows(f"{url}/accounts?$filter=startswith(name,'A') or name eq 'Changed'"),
        reading_rows(f"{url}/accounts?$top=3&$orderby=name&$expand=contact_customer_accounts"),
        reading_columns(url),
        reading_metadata(url),
        writing(url, rows[0]),
        writing(url, rows[1]),
    )
    parties = [Party(admin, turn, over) for turn in turns]
    for party in parties:
        party.start()
    try:
        change_everything(admin)
    finally:
        over.set()
        for party in parties:
            party.join()
    assert all(party.stayed for party in parties)
    assert min(party.turns for party in parties) > 0
    left = admin.get("EntityDefinitions(LogicalName='account')/Attributes?$select=LogicalName")["value"]
    assert not any(item["LogicalName"].startswith("new_load") for item in left)
