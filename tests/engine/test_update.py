"""Changing a record: states, versions, owners, and refusals that leave everything as it was."""

import pytest
from things import CALLER, MISSING, SYSTEM, SYSTEM_USER, USER, Office

from entities.errors import DataverseError, DuplicateRecord, InvalidArgument, RecordNotFound, VersionMismatch
from entities.messages import Delete, Message, Update, Written
from entities.values import EntityReference, Guid, KeyReference, Value

CHOSEN = EntityReference("gadget", Guid("0b000000-0000-4000-8000-000000000001"))


def update(office: Office, target: EntityReference, /, **record: Value) -> Written:
    done = office.service.execute(Update(target, record), CALLER)
    assert isinstance(done, Written)
    return done


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ((0, 1), {"statecode": 1}, (1, 2)),
        ((0, 1), {"statuscode": 2}, (1, 2)),
        ((0, 1), {"statuscode": 3}, (0, 3)),
        ((0, 3), {"statecode": 0}, (0, 1)),
        ((1, 2), {"statecode": 0}, (0, 1)),
        ((1, 2), {"statecode": 0, "statuscode": 3}, (0, 3)),
        ((1, 2), {"statuscode": None}, (1, 2)),
        ((0, 3), {"name": "x"}, (0, 3)),
    ],
)
def test_state_and_reason_follow_one_another(
    office: Office, before: tuple[int, int], change: dict[str, Value], after: tuple[int, int]
) -> None:
    gadget = office.create("gadget", statecode=before[0], statuscode=before[1])
    update(office, gadget, **change)
    record = office.read(gadget)
    assert (record["statecode"], record["statuscode"]) == after


def test_a_change_notes_who_made_it_and_leaves_the_rest(office: Office) -> None:
    gadget = office.create("gadget", SYSTEM, name="Lamp", size=3)
    before = office.read(gadget)
    done = update(office, gadget, name="Torch")

    record = office.read(gadget)
    assert (record["createdby"], record["modifiedby"]) == (SYSTEM_USER, USER)
    assert record["versionnumber"] == done.version
    changed = {name for name in record if record[name] != before[name]}
    assert changed - {"modifiedon"} == {"name", "modifiedby", "versionnumber"}


def test_a_new_owner_brings_its_business_unit(office: Office) -> None:
    gadget = office.create("gadget")
    unit = office.create("businessunit", SYSTEM, name="Other")
    team = office.create("team", SYSTEM, name="Crew", businessunitid=unit, administratorid=USER)
    office.service.execute(Update(gadget, {"ownerid": team}), SYSTEM)

    record = office.read(gadget)
    expected = {"ownerid": team, "owningteam": team, "owninguser": None, "owningbusinessunit": unit}
    assert {name: record[name] for name in expected} == expected


def test_the_id_in_a_change_is_ignored(office: Office) -> None:
    gadget = office.create("gadget")
    update(office, gadget, gadgetid=MISSING, name="x")
    assert office.read(gadget)["name"] == "x"


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_write_for_a_version_happens_at_that_version_only(office: Office, verb: str) -> None:
    gadget = office.create("gadget")
    version = int(str(office.read(gadget)["versionnumber"]))

    def write(at: int) -> Message:
        return Update(gadget, {"name": "x"}, at) if verb == "update" else Delete(gadget, at)

    before = office.dump()
    with pytest.raises(VersionMismatch) as refusal:
        office.service.execute(write(version - 1), CALLER)
    assert refusal.value.code == "0x80060882"
    assert office.dump() == before
    office.service.execute(write(version), CALLER)
    assert office.dump() != before


@pytest.mark.parametrize(
    ("target", "record", "error", "code"),
    [
        (EntityReference("gadget", MISSING), {"name": "x"}, RecordNotFound, "0x80040217"),
        (KeyReference("gadget", (("code", "none"),)), {"name": "x"}, RecordNotFound, "0x80060891"),
        (CHOSEN, {"name": "x" * 21}, InvalidArgument, "0x80044331"),
        (CHOSEN, {"code": "TAKEN"}, DuplicateRecord, "0x80060892"),
        (CHOSEN, {"ownerid": None}, InvalidArgument, "0x80040203"),
        (CHOSEN, {"statecode": 2}, InvalidArgument, "0x8004431a"),
        (CHOSEN, {"statecode": 0, "statuscode": 2}, InvalidArgument, "0x80048408"),
        (CHOSEN, {"whole": EntityReference("gadget", MISSING)}, RecordNotFound, "0x80040217"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_nothing_changes(
    office: Office,
    target: EntityReference | KeyReference,
    record: dict[str, Value],
    error: type[DataverseError],
    code: str,
) -> None:
    office.create("gadget", code="taken")
    office.create("gadget", gadgetid=CHOSEN.id, code="free")
    before = office.dump()

    with pytest.raises(error) as refusal:
        office.service.execute(Update(target, record), CALLER)

    assert refusal.value.code == code
    assert office.dump() == before


def test_an_unknown_id_is_named(office: Office) -> None:
    with pytest.raises(RecordNotFound, match=f"Entity 'gadget' With Id = {MISSING} Does Not Exist"):
        update(office, EntityReference("gadget", MISSING), name="x")
