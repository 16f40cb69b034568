"""Many records in one transaction: the same as one by one, in few statements, and all of them or none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from things import CALLER, MISSING, SYSTEM, Office, OpenOffice

from entities.errors import DataverseError, DuplicateRecord, InvalidArgument, RecordNotFound
from entities.messages import Create, RetrieveMultiple, Rows, Update, Upsert, Written
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression
from entities.values import EntityReference, Guid, KeyReference, Record, Value
from odata_server.engine.organization import OrganizationService

Change = Create | Update | Upsert


def gadget(number: int) -> EntityReference:
    return EntityReference("gadget", Guid(f"0c000000-0000-4000-8000-{number:012}"))


def new(number: int, **record: Value) -> Create:
    return Create("gadget", {"gadgetid": gadget(number).id, **record})


def change(number: int, **record: Value) -> Update:
    return Update(gadget(number), record)


def key(code: str) -> KeyReference:
    return KeyReference("gadget", (("code", code),))


def by_code(code: str, **record: Value) -> Upsert:
    return Upsert(key(code), record)


def gadgets(service: OrganizationService) -> list[Record]:
    """Return the gadgets in the order of their numbers, without what every run makes anew."""
    found = service.execute(RetrieveMultiple(QueryExpression("gadget")), SYSTEM)
    assert isinstance(found, Rows)
    known = {gadget(number).id for number in range(10)}
    hidden = {"createdon", "modifiedon", "versionnumber"}
    shown = [
        {name: value for name, value in row.items() if name not in hidden and (name != "gadgetid" or value in known)}
        for row in found.records
    ]
    return sorted(shown, key=lambda row: str(row["serial"]))


class Rehearsal(Exception):
    """Takes back what has been done, and tells what there was."""

    def __init__(self, rows: list[Record]) -> None:
        super().__init__()
        self.rows = rows


def rehearse(service: OrganizationService, changes: tuple[Change, ...]) -> None:
    """Make the changes one by one and take them back."""
    with service.unit_of_work() as unit:
        for one in changes:
            unit.execute(one, CALLER)
        raise Rehearsal(gadgets(unit))


SAME: Sequence[tuple[Change, ...]] = (
    (new(1, name="a"), new(2, name="b"), new(3, name="c", size=1, shelf=1)),
    (new(1, name="a", size=3), new(2), new(3, price=None, soldon=None), new(4, name="d", size=4)),
    (new(1, name="a"), new(2, whole=gadget(1)), new(3, whole=gadget(2))),
    (new(1, code="x"), change(1, name="changed"), new(2, name="b")),
    (new(1, name="a"), new(2, name="b"), change(1, name="c"), change(2, size=5)),
    (new(1), change(1, name="first"), change(1, name="second")),
    (new(1), change(1, statecode=1), change(1, statecode=0, statuscode=3)),
    (by_code("x", name="a"), by_code("y", name="b"), by_code("X", name="c"), by_code("y", size=4)),
    (new(1, code="x"), by_code("x", name="a"), Upsert(gadget(1), {"size": 1}), Upsert(gadget(2), {"size": 2})),
    (new(1, code="x"), change(1, code="y"), new(2, code="x")),
    (new(1, code="x"), new(2, code="y"), change(1, code="z"), change(2, code="x")),
    (new(1, code="k"), new(2, whole=key("K"))),
    (change(9, code="n"), new(1, code="o")),
    (change(9), change(9, price=None)),
    (),
)


@pytest.mark.parametrize("changes", SAME, ids=range(len(SAME)))
def test_the_records_are_those_of_changes_one_by_one(open_office: OpenOffice, changes: tuple[Change, ...]) -> None:
    office = open_office()
    office.create("gadget", gadgetid=gadget(9).id, name="old", code="o")
    before = office.dump()
    with pytest.raises(Rehearsal) as single:
        rehearse(office.service, changes)
    assert office.dump() == before

    written = office.service.execute_multiple(changes, CALLER)
    assert len(written) == len(changes)
    assert gadgets(office.service) == single.value.rows


REFUSED: Sequence[tuple[tuple[Change, ...], type[DataverseError], str]] = (
    ((new(1), new(2, name="x" * 21)), InvalidArgument, "exceeded the maximum allowed length"),
    ((new(1), new(1)), DuplicateRecord, "already exists"),
    ((new(1), new(9)), DuplicateRecord, "already exists"),
    ((new(1, code="a"), new(2, code="b"), new(3, code="A")), DuplicateRecord, "with the same value for A"),
    ((new(1, code="a"), new(2, code="o")), DuplicateRecord, "with the same value for o"),
    ((new(1), new(2), change(1, code="o")), DuplicateRecord, "with the same value for o"),
    ((new(1), new(2, whole=EntityReference("gadget", MISSING))), RecordNotFound, "Does Not Exist"),
    ((new(1, whole=gadget(2)), new(2)), RecordNotFound, "Does Not Exist"),
    ((change(9, name="x"), change(8, name="y")), RecordNotFound, "Does Not Exist"),
    ((by_code("a"), Upsert(KeyReference("gadget", (("name", "x"),)), {})), InvalidArgument, "not a defined key"),
)


@pytest.mark.parametrize(("changes", "family", "text"), REFUSED, ids=range(len(REFUSED)))
def test_one_refusal_takes_all_back(
    open_office: OpenOffice, changes: tuple[Change, ...], family: type[DataverseError], text: str
) -> None:
    office = open_office()
    office.create("gadget", gadgetid=gadget(9).id, name="old", code="o")
    before = office.dump()
    with pytest.raises(family, match=text):
        office.service.execute_multiple(changes, CALLER)
    assert office.dump() == before


def test_each_record_goes_through_its_stages(open_office: OpenOffice) -> None:
    seen: list[tuple[Stage, Value]] = []

    def note(stage: Stage) -> Step:
        return Step("Create", "gadget", stage, lambda context: seen.append((stage, context.record.get("name"))))

    def shout(context: ExecutionContext) -> None:
        context.record["name"] = str(context.record["name"]).upper()

    stages = (Stage.PRE_VALIDATION, Stage.PRE_OPERATION, Stage.POST_OPERATION)
    office = open_office(*map(note, stages), Step("Create", "gadget", Stage.PRE_OPERATION, shout, rank=2))
    office.service.execute_multiple((new(1, name="a"), new(2, name="b")), CALLER)
    assert sorted(seen) == sorted(
        [(stage, "A" if stage is Stage.POST_OPERATION else "a") for stage in stages]
        + [(stage, "B" if stage is Stage.POST_OPERATION else "b") for stage in stages]
    )
    assert [row["name"] for row in gadgets(office.service)] == ["A", "B"]


def test_more_rows_than_a_statement_takes_and_versions_in_their_order(open_office: OpenOffice) -> None:
    office = open_office()
    written = office.service.execute_multiple(tuple(Create("gadget", {"size": n % 100}) for n in range(700)), CALLER)
    versions = [one.version for one in written if isinstance(one, Written) and one.version is not None]
    assert versions == list(range(versions[0], versions[0] + 700))
    assert len({one.reference.id for one in written}) == 700
    changed = office.service.execute_multiple([Update(one.reference, {"name": "n"}) for one in written], CALLER)
    assert [one.reference for one in changed] == [one.reference for one in written]
    assert {row["name"] for row in gadgets(office.service)} == {"n"}


def test_records_that_decide_about_rights_are_written_one_by_one(office: Office) -> None:
    """A role's rules look at the other roles."""
    unit = office.create("businessunit", SYSTEM, name="More")
    roles = tuple(Create("role", {"name": f"Role {n}", "businessunitid": unit}) for n in range(3))
    assert len(office.service.execute_multiple(roles, SYSTEM)) == 3
