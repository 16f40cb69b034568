"""A new record: what the server fills in, and what it refuses."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from things import CALLER, GADGET, MISSING, UNIT, USER, Office

from entities.errors import DataverseError, DuplicateRecord, EngineFault, InvalidArgument, RecordNotFound
from entities.messages import Create, Upsert, Written
from entities.values import EntityReference, Guid, KeyReference, Value
from odata_server.engine import rows

CHOSEN = Guid("0b000000-0000-4000-8000-000000000001")


def test_the_server_fills_in_owner_state_defaults_and_who_and_when(office: Office) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    record = office.read(office.create("gadget", name="Lamp"))

    expected = {
        "ownerid": USER,
        "owninguser": USER,
        "owningteam": None,
        "owningbusinessunit": UNIT,
        "createdby": USER,
        "modifiedby": USER,
        "statecode": 0,
        "statuscode": 1,
        "isnew": True,
        "color": 6,
        "price": None,
    }
    assert {name: record[name] for name in expected} == expected
    made = record["createdon"]
    assert isinstance(made, datetime)
    assert before <= made <= datetime.now(UTC)
    assert record["modifiedon"] == made


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"isnew": False, "color": 5}, {"isnew": False, "color": 5}),
        ({"statuscode": 3}, {"statecode": 0, "statuscode": 3}),
        ({"statuscode": 2}, {"statecode": 1, "statuscode": 2}),
        ({"statecode": 1}, {"statecode": 1, "statuscode": 2}),
        ({"price": Decimal("-12.3456")}, {"price": Decimal("-12.3456")}),
        ({"price": Decimal("0.00005")}, {"price": Decimal("0.0001")}),
        ({"price": 7}, {"price": Decimal(7)}),
        ({"ratio": Decimal("922337203.6854775806")}, {"ratio": Decimal("922337203.6854775806")}),
        ({"soldon": date(1753, 1, 1)}, {"soldon": date(1753, 1, 1)}),
        ({"serial": "my own"}, {"serial": "my own"}),
        ({"gadgetid": CHOSEN}, {"gadgetid": CHOSEN}),
        ({"size": 0}, {"size": 0}),
        ({"size": 100}, {"size": 100}),
        ({"name": "x" * 20}, {"name": "x" * 20}),
    ],
)
def test_what_the_caller_gives_is_stored(office: Office, given: dict[str, Value], stored: dict[str, Value]) -> None:
    record = office.read(office.create("gadget", **given))
    assert {name: record[name] for name in stored} == stored


def test_automatic_numbers_count_on(office: Office) -> None:
    serials = [office.read(office.create("gadget"))["serial"] for _ in range(3)]
    assert serials == ["G-00001", "G-00002", "G-00003"]


def test_every_write_takes_a_greater_row_version(office: Office) -> None:
    versions = [office.read(office.create(table))["versionnumber"] for table in ("gadget", "account", "gadget")]
    assert versions == sorted({int(str(version)) for version in versions})


def test_ids_of_records_made_one_after_another_ascend(office: Office) -> None:
    made = [office.create("gadget").id for _ in range(50)]
    assert len(set(made)) == 50
    assert [record_id[:13] for record_id in made] == sorted(record_id[:13] for record_id in made)


@pytest.mark.parametrize(
    ("record", "error", "code"),
    [
        ({"name": "x" * 21}, InvalidArgument, "0x80044331"),
        ({"size": -1}, InvalidArgument, "0x80044330"),
        ({"size": 101}, InvalidArgument, "0x80044330"),
        ({"ratio": Decimal("922337203.6854775850")}, InvalidArgument, "0x80044330"),
        ({"price": Decimal(922337203685478)}, InvalidArgument, "0x80044330"),
        ({"color": 7}, InvalidArgument, "0x8004431a"),
        ({"statuscode": 9}, InvalidArgument, "0x8004431a"),
        ({"statecode": 1, "statuscode": 1}, InvalidArgument, "0x80048408"),
        ({"soldon": date(1752, 12, 31)}, InvalidArgument, "0x80040239"),
        ({"maker": EntityReference("account", MISSING)}, RecordNotFound, "0x80040217"),
        ({"ownerid": EntityReference("systemuser", MISSING)}, RecordNotFound, "0x80040217"),
        ({"ownerid": None}, InvalidArgument, "0x80040200"),
        ({"gadgetid": CHOSEN}, DuplicateRecord, "0x80040237"),
        ({"code": "TAKEN"}, DuplicateRecord, "0x80060892"),
        ({"code": "Täken"}, DuplicateRecord, "0x80060892"),
        ({"size": 1, "shelf": 2}, DuplicateRecord, "0x80060892"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_and_nothing_changes(
    office: Office, record: dict[str, Value], error: type[DataverseError], code: str
) -> None:
    office.create("gadget", gadgetid=CHOSEN, code="taken", size=1, shelf=2)
    before = office.dump()

    with pytest.raises(error) as refusal:
        office.create("gadget", **record)

    assert refusal.value.code == code
    assert office.dump() == before


def test_a_violated_key_is_named_with_its_values(office: Office) -> None:
    office.create("gadget", size=1, shelf=2)
    with pytest.raises(DuplicateRecord) as refusal:
        office.create("gadget", size=1, shelf=2)
    assert refusal.value.message == (
        "Entity Key Place key violated. A record with the same value for 1, 2 already exists. A duplicate record"
        " cannot be created. Select one or more unique values and try again."
    )


def test_only_a_taken_value_is_called_a_duplicate(office: Office) -> None:
    before = office.dump()
    with (
        pytest.raises(EngineFault, match="The database refused a row of 'gadget'"),
        office.service.database.writing() as connection,
    ):
        rows.insert(connection, GADGET, {"gadgetid": None, "name": "x"})
    assert office.dump() == before


def test_keys_without_a_value_are_no_duplicates(office: Office) -> None:
    office.create("gadget", code=None, size=1)
    office.create("gadget", code=None, size=1)


@pytest.mark.parametrize(
    "target",
    [EntityReference("gadget", CHOSEN), KeyReference("gadget", (("code", "new"),))],
    ids=["by id", "by key"],
)
def test_an_upsert_makes_a_record_once_and_then_changes_it(
    office: Office, target: EntityReference | KeyReference
) -> None:
    first, second = (office.service.execute(Upsert(target, {"name": name}), CALLER) for name in ("One", "Two"))

    assert isinstance(first, Written)
    assert isinstance(second, Written)
    assert (first.created, second.created) == (True, False)
    assert first.reference == second.reference
    record = office.read(first.reference)
    assert record["name"] == "Two"
    assert record["code"] == ("new" if isinstance(target, KeyReference) else None)


@pytest.mark.parametrize("columns", [("size",), ("name",), ("code", "size")])
def test_columns_that_are_no_key_name_no_record(office: Office, columns: tuple[str, ...]) -> None:
    target = KeyReference("gadget", tuple((column, 1) for column in columns))
    with pytest.raises(InvalidArgument) as refusal:
        office.service.execute(Upsert(target, {"name": "x"}), CALLER)
    assert refusal.value.code == "0x80060890"


def test_a_lookup_may_name_its_record_by_key(office: Office) -> None:
    whole = office.create("gadget", code="W")
    part = office.create("gadget", whole=KeyReference("gadget", (("code", "w"),)))
    assert office.read(part)["whole"] == whole

    with pytest.raises(RecordNotFound) as refusal:
        office.service.execute(Create("gadget", {"whole": KeyReference("gadget", (("code", "?"),))}), CALLER)
    assert refusal.value.code == "0x80060891"
