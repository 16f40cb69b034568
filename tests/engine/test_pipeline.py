"""Steps of the event pipeline: when they run, what they see, and how they refuse."""

import pytest
from things import CALLER, SYSTEM, USER, OpenOffice

from entities.errors import InvalidArgument, InvalidOperation, NotSupported, StepRejected
from entities.messages import (
    Associate,
    Create,
    Delete,
    Execute,
    Executed,
    Message,
    RetrieveMultiple,
    Rows,
    Update,
    Written,
)
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.values import EntityReference


def test_steps_run_by_stage_and_rank(open_office: OpenOffice) -> None:
    seen: list[str] = []

    def note(text: str, stage: Stage, rank: int = 1, table: str | None = "gadget") -> Step:
        return Step("Create", table, stage, lambda _: seen.append(text), rank)

    office = open_office(
        note("after", Stage.POST_OPERATION),
        note("before, late", Stage.PRE_OPERATION, 9),
        note("before, early", Stage.PRE_OPERATION, 1),
        note("first", Stage.PRE_VALIDATION),
        note("after, any table", Stage.POST_OPERATION, 1, None),
        note("another table", Stage.POST_OPERATION, 1, "account"),
    )
    office.create("gadget")
    assert seen == ["first", "before, early", "before, late", "after", "after, any table"]


def test_a_step_may_change_the_record_and_see_the_written_one(open_office: OpenOffice) -> None:
    written: list[object] = []

    def rename(context: ExecutionContext) -> None:
        context.record["name"] = f"{context.record['name']!s}!"

    def look(context: ExecutionContext) -> None:
        assert context.reference is not None
        query = QueryExpression("gadget", ("name",), filter=equals("gadgetid", context.reference.id))
        written.append(context.system.records(query)[0]["name"])

    office = open_office(
        Step("Create", "gadget", Stage.PRE_OPERATION, rename), Step("Create", "gadget", Stage.POST_OPERATION, look)
    )
    gadget = office.create("gadget", name="Lamp")
    assert written == ["Lamp!"]
    assert office.read(gadget)["name"] == "Lamp!"


@pytest.mark.parametrize("message", ["Update", "Delete"])
def test_a_step_sees_the_record_as_it_was(open_office: OpenOffice, message: str) -> None:
    images: list[object] = []

    def look(context: ExecutionContext) -> None:
        assert context.pre_image is not None
        images.append((context.pre_image["name"], context.caller.user_id))

    office = open_office(Step(message, "gadget", Stage.POST_OPERATION, look))
    gadget = office.create("gadget", name="Old")
    verb = Update(gadget, {"name": "New"}) if message == "Update" else Delete(gadget)
    office.service.execute(verb, CALLER)
    assert images == [("Old", USER.id)]


@pytest.mark.parametrize("stage", [Stage.PRE_VALIDATION, Stage.PRE_OPERATION, Stage.POST_OPERATION])
@pytest.mark.parametrize("message", ["Create", "Update", "Delete", "Associate"])
def test_a_step_that_refuses_leaves_everything_as_it_was(open_office: OpenOffice, message: str, stage: Stage) -> None:
    def refuse(context: ExecutionContext) -> None:
        context.system.execute(Create("account", {"name": "left behind?"}))
        context.system.next_number("left behind?")
        context.system.enqueue("left behind?", {})
        raise StepRejected("No.")

    quiet = open_office()
    gadget, whole = quiet.create("gadget"), quiet.create("gadget")
    office = open_office(Step(message, "gadget", stage, refuse))
    before = office.dump()

    messages: dict[str, Message] = {
        "Create": Create("gadget", {}),
        "Update": Update(gadget, {"name": "x"}),
        "Delete": Delete(gadget),
        "Associate": Associate(gadget, "whole", whole),
    }
    with pytest.raises(StepRejected, match=r"No\."):
        office.service.execute(messages[message], CALLER)

    assert office.dump() == before


def test_steps_that_cause_one_another_without_end_are_stopped(open_office: OpenOffice) -> None:
    def again(context: ExecutionContext) -> None:
        context.system.execute(Create("gadget", {}))

    office = open_office(Step("Create", "gadget", Stage.POST_OPERATION, again))
    before = office.dump()
    with pytest.raises(InvalidOperation) as refusal:
        office.create("gadget")
    assert refusal.value.code == "0x80044182"
    assert office.dump() == before


def test_what_a_step_causes_happens_in_the_callers_name_with_the_rights_of_the_system(open_office: OpenOffice) -> None:
    made: list[EntityReference] = []

    def follow(context: ExecutionContext) -> None:
        done = context.system.execute(Create("account", {"name": "follows"}))
        assert isinstance(done, Written)
        made.append(done.reference)

    office = open_office(Step("Create", "gadget", Stage.POST_OPERATION, follow))
    office.create("gadget")
    assert office.read(made[0])["createdby"] == EntityReference("systemuser", CALLER.caller.user_id)


def test_an_action_is_its_handler_in_the_main_operation(open_office: OpenOffice) -> None:
    def double(context: ExecutionContext) -> None:
        context.result = {"twice": 2 * int(str(context.parameters["number"]))}

    office = open_office(Step("new_Double", None, Stage.MAIN, double))
    assert office.service.execute(Execute("new_Double", {"number": 21}), SYSTEM) == Executed({"twice": 42})

    with pytest.raises(NotSupported):
        office.service.execute(Execute("new_Unknown"), SYSTEM)


def test_messages_of_one_transaction_stand_or_fall_together(open_office: OpenOffice) -> None:
    office = open_office()
    before = office.dump()
    with pytest.raises(InvalidArgument):
        office.service.execute_transaction(
            (Create("gadget", {"name": "One"}), Create("gadget", {"name": "x" * 21})), CALLER
        )
    assert office.dump() == before

    office.service.execute_transaction((Create("gadget", {"name": "One"}), Create("gadget", {"name": "Two"})), CALLER)
    found = office.service.execute(RetrieveMultiple(QueryExpression("gadget")), SYSTEM)
    assert isinstance(found, Rows)
    assert sorted(str(record["name"]) for record in found.records) == ["One", "Two"]
