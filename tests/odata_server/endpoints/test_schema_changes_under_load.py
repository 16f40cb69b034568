"""Metadata that change while others read and write: nobody sees an error, and no answer is of two shapes."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import IntegerType, StringType
from entities.metadata.declare import column, integer, with_ids
from entities.metadata.tables import Table

COLUMNS, TABLES, ROWS = 15, 5, 5


def widened(table: Table, numbers: range) -> Table:
    """Return a table with added columns of these numbers, every third of another type than it was before."""
    own = tuple(c for c in table.columns if not c.logical_name.startswith("new_load"))
    types = (IntegerType(), IntegerType(), StringType())
    added = tuple(column(f"new_Load{n}", types[(n + numbers.start) % 3], is_custom=True) for n in numbers)
    return with_ids(replace(table, columns=(*own, *added)))


def small(number: int, like: Table) -> Table:
    """Return a new table with few columns."""
    name = f"new_small{number}"
    columns = (replace(like.by_name[like.primary_id], logical_name=f"{name}id", metadata_id=None), integer("new_Size"))
    return with_ids(
        replace(
            like,
            logical_name=name,
            schema_name=name,
            entity_set_name=f"{name}s",
            object_type_code=11_000 + number,
            primary_id=f"{name}id",
            primary_name=None,
            columns=columns,
            keys=(),
            metadata_id=None,
            indexed=(),
        )
    )


class Party(threading.Thread):
    """Somebody who does the same again and again until it is over, or until something goes wrong."""

    def __init__(self, turn, over: threading.Event) -> None:
        super().__init__()
        self.turn, self.over = turn, over
        self.turns = 0
        self.stayed = False

    def run(self) -> None:
        while not self.over.is_set():
            self.turn()
            self.turns += 1
        self.stayed = True


def reader(api, path: str):
    """Return one reading of a page: its rows have the same columns, and those that are added are of one moment."""

    def turn() -> None:
        answer = api("GET", path)
        assert answer.status == 200, answer.body[:200]
        shapes = {tuple(name for name in row if "load" in name) for row in json.loads(answer.body)["value"]}
        assert len(shapes) == 1, shapes
        numbers = [int(name.removeprefix("new_load")) for name in shapes.pop()]
        assert numbers == list(range(*(min(numbers), max(numbers) + 1) if numbers else (0, 0))), numbers

    return turn


def writer(api, path: str):
    """Return one change of a row, and the creation of another."""

    def turn() -> None:
        assert (changed := api("PATCH", path, {"name": "Changed", "numberofemployees": 1})).status == 204, changed.body
        deep = {"name": "A", "contact_customer_accounts": [{"lastname": "B"}]}
        made = api("POST", "/accounts", deep)
        assert made.status == 204, made.body
        gone = api("DELETE", f"/accounts{made_id(made)}")
        assert gone.status == 204, gone.body

    return turn


def made_id(answer) -> str:
    return dict(answer.headers)["OData-EntityId"].partition("/accounts")[2]


def test_columns_and_tables_come_and_go_under_readers_and_writers(moments):
    here, there = moments.api, moments.another()
    rows = [here.created("accounts", name=f"A{n}") for n in range(ROWS)]
    over = threading.Event()
    reads = (
        (here, "/accounts?$filter=startswith(name,'A') or name eq 'Changed'"),
        (there, f"/accounts?$filter=accountid eq {rows[0]}&$expand=contact_customer_accounts"),
        (there, "/accounts?$top=3&$orderby=name"),
        (here, f"/accounts?$filter=accountid eq {rows[1]}&$select=name,accountnumber,createdon"),
    )
    parties = [
        *(Party(reader(api, path), over) for api, path in reads),
        *(Party(writer(api, f"/accounts({row})"), over) for api, row in ((here, rows[0]), (there, rows[1]))),
    ]
    for party in parties:
        party.start()
    try:
        change_everything(there.services.dataverse)
    finally:
        over.set()
        for party in parties:
            party.join()
        there.services.dataverse.database.close()
    assert all(party.stayed for party in parties)
    assert min(party.turns for party in parties) > 0
    assert not any(name.startswith("new_small") for name in moments.service.catalog.tables)
    assert not any(name.startswith("new_load") for name in moments.service.catalog.tables["account"].by_name)


def change_everything(service) -> None:
    """Add columns and tables one after the other, and remove them likewise."""
    account = service.catalog.tables["account"]
    windows = (*(range(n + 1) for n in range(COLUMNS)), *(range(n + 1, COLUMNS) for n in range(COLUMNS)))
    for turn, numbers in enumerate(windows):
        with service.changing() as transaction:
            transaction.change_catalog(CatalogChange(put=(widened(account, numbers),)))
        number = turn % COLUMNS
        if number < TABLES:
            new = small(number, account)
            change = CatalogChange(put=(new,)) if turn < COLUMNS else CatalogChange(remove=(new.logical_name,))
            with service.changing() as transaction:
                transaction.change_catalog(change)
