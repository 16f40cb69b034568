"""A unit of work: messages sent one after the other in one transaction that stays open between them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from things import CALLER, SYSTEM, UNIT, Office, OpenOffice

from entities.errors import DataverseError, InvalidPayload, RecordNotFound, StepRejected
from entities.messages import Associate, Create, Delete, Retrieve, RetrieveMultiple, Rows, Update, Upsert, Written
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.values import EntityReference, Guid
from odata_server.engine.organization import OrganizationService

MISSING = Guid("0c000000-0000-4000-8000-0000000000ff")


def made(service: OrganizationService, table: str, **record: str) -> EntityReference:
    done = service.execute(Create(table, record), CALLER)
    assert isinstance(done, Written)
    return done.reference


def names(service: OrganizationService) -> list[str]:
    found = service.execute(RetrieveMultiple(QueryExpression("account", ("name",))), SYSTEM)
    assert isinstance(found, Rows)
    return sorted(str(record["name"]) for record in found.records)


def test_a_unit_sees_its_own_work_which_others_see_when_it_is_done(office: Office) -> None:
    service = office.service
    with service.unit_of_work() as unit:
        account = made(unit, "account", name="A")
        unit.execute(Update(account, {"name": "B"}), CALLER)
        found = unit.execute(Retrieve(account, ("name",)), CALLER)
        assert isinstance(found, Rows)
        assert found.records[0]["name"] == "B"
        assert (names(unit), names(service)) == (["B"], [])
    assert names(service) == ["B"]


def test_an_exception_takes_everything_back(office: Office) -> None:
    standing = office.create("account", name="Standing")
    before = office.dump()

    def work() -> None:
        with office.service.unit_of_work() as unit:
            made(unit, "account", name="A")
            unit.execute(Update(standing, {"name": "Changed"}), CALLER)
            unit.execute(Delete(standing), CALLER)
            assert names(unit) == ["A"]
            unit.execute(Delete(EntityReference("account", MISSING)), CALLER)

    with pytest.raises(RecordNotFound):
        work()
    assert office.dump() == before
    assert names(office.service) == ["Standing"]


@pytest.mark.parametrize(
    "message",
    [
        Create("account", {"name": "x" * 500}),
        Update(EntityReference("account", MISSING), {"name": "x"}),
        Delete(EntityReference("account", MISSING)),
        Retrieve(EntityReference("account", MISSING)),
        Associate(EntityReference("account", MISSING), "primarycontactid", EntityReference("contact", MISSING)),
    ],
)
def test_a_refused_message_is_refused_as_it_is_alone(office: Office, message: Create) -> None:
    with pytest.raises(DataverseError) as alone:
        office.service.execute(message, CALLER)
    before = office.dump()

    def work() -> None:
        with office.service.unit_of_work() as unit:
            made(unit, "account", name="A")
            unit.execute(message, CALLER)

    with pytest.raises(type(alone.value)) as inside:
        work()
    assert (inside.value.code, inside.value.message) == (alone.value.code, alone.value.message)
    assert office.dump() == before


def test_all_of_it_happens_at_one_moment(office: Office) -> None:
    with office.service.unit_of_work() as unit:
        first, second = made(unit, "account", name="A"), made(unit, "account", name="B")
    assert office.read(first)["createdon"] == office.read(second)["createdon"]


def test_security_data_that_is_taken_back_leaves_no_trace_in_what_is_remembered(office: Office) -> None:
    service = office.service
    version, before = service.catalog.version, office.dump()

    def work() -> None:
        with service.unit_of_work() as unit:
            unit.execute(Create("role", {"name": "R", "businessunitid": UNIT}), SYSTEM)
            assert unit.catalog.version == version
            made(unit, "account", name="A")
            assert names(unit) == ["A"]
            raise StepRejected("No.")

    with pytest.raises(StepRejected):
        work()
    assert (service.catalog.version, office.dump()) == (version, before)


def test_steps_run_for_each_message_and_their_refusal_ends_the_unit(open_office: OpenOffice) -> None:
    seen: list[object] = []

    def step(context: ExecutionContext) -> None:
        seen.append(context.record["name"])
        if context.record["name"] == "No":
            raise StepRejected("Not this one.")

    office = open_office(Step("Create", "account", Stage.PRE_OPERATION, step))
    before = office.dump()

    def work() -> None:
        with office.service.unit_of_work() as unit:
            made(unit, "account", name="Yes")
            made(unit, "account", name="No")

    with pytest.raises(StepRejected):
        work()
    assert seen == ["Yes", "No"]
    assert office.dump() == before


def test_jobs_are_announced_when_the_unit_is_done_and_not_before(open_office: OpenOffice) -> None:
    def step(context: ExecutionContext) -> None:
        context.system.enqueue("work", {})

    office = open_office(Step("Create", "account", Stage.POST_OPERATION, step))
    announced: list[int] = []
    office.service.on_job = lambda: announced.append(1)
    with office.service.unit_of_work() as unit:
        made(unit, "account", name="A")
        made(unit, "account", name="B")
        assert announced == []
    assert announced == [1]


def test_an_empty_unit_changes_nothing(office: Office) -> None:
    before = office.dump()
    with office.service.unit_of_work():
        pass
    assert office.dump() == before


def test_another_process_that_changed_definitions_before_is_noticed(open_office: OpenOffice) -> None:
    office, other = open_office(), open_office()
    _ = office.service.catalog
    other.service.execute(Create("role", {"name": "R", "businessunitid": UNIT}), SYSTEM)
    with office.service.unit_of_work() as unit:
        assert unit.catalog.version == other.service.catalog.version
        found = unit.execute(RetrieveMultiple(QueryExpression("role", ("name",), filter=equals("name", "R"))), SYSTEM)
        assert isinstance(found, Rows)
        assert found.count == 1


def test_others_write_when_the_unit_is_done_and_not_between(open_office: OpenOffice) -> None:
    office, other = open_office(), open_office()
    waiting = threading.Thread(target=lambda: other.create("account", name="Other"))
    with office.service.unit_of_work() as unit:
        made(unit, "account", name="First")
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        made(unit, "account", name="Second")
        assert names(unit) == ["First", "Second"]
    waiting.join(10)
    assert names(office.service) == ["First", "Other", "Second"]


def test_an_upsert_finds_what_the_unit_made(office: Office) -> None:
    with office.service.unit_of_work() as unit:
        target = made(unit, "account", name="A")
        done = unit.execute(Upsert(target, {"name": "B"}), CALLER)
        assert isinstance(done, Written)
        assert done == replace(done, reference=target, created=False)
    assert names(office.service) == ["B"]


def test_a_message_list_is_part_of_the_unit(office: Office) -> None:
    before = office.dump()

    def work() -> None:
        with office.service.unit_of_work() as unit:
            unit.execute_transaction([Create("account", {"name": "A"}), Create("account", {"name": "B"})], CALLER)
            assert names(unit) == ["A", "B"]
            raise InvalidPayload("No.")

    with pytest.raises(InvalidPayload):
        work()
    assert office.dump() == before
