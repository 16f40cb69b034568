"""Metadata changes while the organization is at work: seen by all processes, and never half."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from things import GADGET, RELATIONSHIPS, SYSTEM, UNIT, Office, OpenOffice, gadget_catalog

from entities.errors import StepRejected
from entities.messages import Retrieve, RetrieveMultiple, Rows
from entities.metadata.catalog import CatalogChange
from entities.metadata.columns import Choice, Option
from entities.metadata.declare import choice, derived_id, integer, with_ids
from entities.metadata.global_choices import choice_of
from entities.metadata.labels import label
from entities.metadata.tables import Table
from entities.query import QueryExpression
from odata_server.engine.catalog_store import bump_stamp, load_catalog
from odata_server.engine.snapshots import StaleSnapshot
from odata_server.engine.transaction import Transaction


def without(*names: str) -> Table:
    keys = tuple(key for key in GADGET.keys if not set(key.columns) & set(names))
    return replace(GADGET, columns=tuple(c for c in GADGET.columns if c.logical_name not in names), keys=keys)


WIDER = with_ids(replace(GADGET, columns=(*GADGET.columns, integer("Weight"))))
OTHER_WIDER = with_ids(replace(GADGET, columns=(*GADGET.columns, integer("Height"))))
EVERYTHING = RetrieveMultiple(QueryExpression("gadget"))


def change(office: Office, wanted: CatalogChange, and_then: Callable[[Transaction], None] = lambda _: None) -> None:
    with office.service.changing() as transaction:
        transaction.change_catalog(wanted)
        and_then(transaction)


def only_row(office: Office) -> dict[str, object]:
    found = office.service.execute(EVERYTHING, SYSTEM)
    assert isinstance(found, Rows)
    return dict(found.records[0])


def test_definitions_are_read_back_as_they_were_stored(office: Office) -> None:
    stored, declared = load_catalog(office.service.database.reader()), gadget_catalog()
    assert stored.tables == declared.tables
    assert stored.relationships == declared.relationships


def test_a_change_in_one_process_is_seen_by_the_other(open_office: OpenOffice) -> None:
    here, there = open_office(), open_office()
    gadget = here.create("gadget", name="Lamp")
    assert "weight" not in only_row(there)
    version = there.service.catalog.version

    change(here, CatalogChange(put=(WIDER,)))

    assert there.service.catalog.version > version
    assert there.service.catalog.tables["gadget"] == WIDER
    heavy = there.create("gadget", name="Anvil", weight=90)
    assert (there.read(gadget)["weight"], here.service.catalog.tables["gadget"]) == (None, WIDER)
    assert here.read(heavy)["weight"] == 90


def test_a_table_may_come_and_go(office: Office) -> None:
    office.create("gadget", name="Lamp")
    before = {name for name in office.dump() if "gadget" in name}

    change(office, CatalogChange(remove=("gadget", "gadget_contact")))
    assert "gadget" not in office.service.catalog.tables
    assert not [r for r in office.service.catalog.relationships.values() if "gadget" in r.schema_name]
    assert not {name for name in office.dump() if "gadget" in name}

    declared = gadget_catalog()
    tables = tuple(declared.tables[name] for name in ("gadget", "gadget_contact"))
    relations = tuple(r for r in declared.relationships.values() if "gadget" in r.schema_name)
    change(office, CatalogChange(tables, relations))
    assert office.service.catalog.relationships == declared.relationships
    assert {name for name in office.dump() if "gadget" in name} == before
    assert office.read(office.create("gadget", name="New"))["name"] == "New"


def test_a_column_that_goes_takes_its_values_and_its_keys_with_it(office: Office) -> None:
    gadget = office.create("gadget", name="Lamp", code="L", size=1, shelf=2)
    change(office, CatalogChange(put=(without("code", "size"),)))
    assert office.service.catalog.tables["gadget"].keys == ()
    record = office.read(gadget)
    assert (record["name"], record["shelf"]) == ("Lamp", 2)
    change(office, CatalogChange(put=(GADGET,)))
    assert office.service.catalog.tables["gadget"] == GADGET
    assert office.read(gadget)["code"] is None


def test_a_request_with_old_metadata_is_asked_to_come_again(open_office: OpenOffice) -> None:
    here, there = open_office(), open_office()
    gadget = here.create("gadget", name="Lamp")
    change(here, CatalogChange(put=(without("shelf"),)))

    with pytest.raises(StaleSnapshot):
        there.service.execute(Retrieve(gadget), SYSTEM)

    assert "shelf" not in there.service.catalog.tables["gadget"].by_name
    assert there.read(gadget)["name"] == "Lamp"


def test_a_change_that_fails_leaves_neither_definitions_nor_plans(office: Office) -> None:
    office.create("gadget", name="Lamp")
    before = office.dump()

    def refuse(transaction: Transaction) -> None:
        assert "weight" in transaction.records(QueryExpression("gadget"))[0]
        raise StepRejected("No.")

    with pytest.raises(StepRejected):
        change(office, CatalogChange(put=(WIDER,)), refuse)
    assert office.dump() == before
    assert "weight" not in only_row(office)

    change(office, CatalogChange(put=(OTHER_WIDER,)))
    assert office.service.catalog.tables["gadget"] == OTHER_WIDER
    assert {"weight", "height"} & only_row(office).keys() == {"height"}


def test_a_change_of_who_may_do_what_is_seen_by_the_other_process(open_office: OpenOffice) -> None:
    here, there = open_office(), open_office()
    version = there.service.catalog.version
    here.create("account", SYSTEM, name="no right")
    assert there.service.catalog.version == version
    here.create("role", SYSTEM, name="Clerk", businessunitid=UNIT)
    assert there.service.catalog.version > version


COLORS = Choice("new_colors", (Option(1, label("Red")),), is_global=True, metadata_id=derived_id("new_colors"))
COLORED = with_ids(replace(GADGET, columns=(*GADGET.columns, choice("Color", COLORS))))
MORE_COLORS = replace(COLORS, options=(*COLORS.options, Option(2, label("Blue"))))
STEPS = (
    CatalogChange(put=(COLORED,)),
    CatalogChange(choices=(MORE_COLORS,)),
    CatalogChange(put=(WIDER,)),
    CatalogChange(drop_choices=("new_colors",)),
    CatalogChange(unrelate=(RELATIONSHIPS[0].schema_name,)),
    CatalogChange(remove=("gadget",)),
)


def test_what_has_changed_is_read_as_if_everything_were(office: Office) -> None:
    reader = office.service.database.reader()
    known = load_catalog(reader)
    for step in STEPS:
        change(office, step)
        known, fresh = load_catalog(reader, known), load_catalog(reader)
        assert known == fresh
        assert (known.choices, known.stamps) == (fresh.choices, fresh.stamps)


def test_a_change_of_rights_changes_no_definition(office: Office) -> None:
    reader = office.service.database.reader()
    known = load_catalog(reader)
    with office.service.database.writing() as connection:
        bump_stamp(connection)
    later = load_catalog(reader, known)
    assert later.version > known.version
    assert (later.tables is known.tables, later.definitions_version) == (True, known.definitions_version)


def test_a_global_choice_changes_in_every_column_that_uses_it(office: Office) -> None:
    change(office, CatalogChange(put=(COLORED,)))
    assert office.service.catalog.choices["new_colors"] == COLORS
    change(office, CatalogChange(choices=(MORE_COLORS,)))
    catalog = office.service.catalog
    assert choice_of(catalog.tables["gadget"].by_name["color"]) == MORE_COLORS
    assert catalog.stamps["choice:new_colors"] == catalog.stamps["table:gadget"] == catalog.version


def test_what_was_removed_is_known_by_kind_and_id(office: Office) -> None:
    change(office, CatalogChange(put=(WIDER,)))
    stamp = office.service.catalog.version
    weight = WIDER.by_name["weight"].metadata_id
    change(office, CatalogChange(put=(GADGET,)))
    with office.service.changing() as transaction:
        assert transaction.removed_since(stamp) == (("column", weight),)
        assert transaction.removed_since(stamp + 1) == ()
    change(office, CatalogChange(put=(WIDER,)))
    with office.service.changing() as transaction:
        assert transaction.removed_since(stamp) == ()
