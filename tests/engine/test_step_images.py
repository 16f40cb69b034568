"""Steps that ask for less and for more: filtering columns, images of the record, the depth, shared variables."""

from collections.abc import Mapping

import pytest
from things import CALLER, OpenOffice

from entities.messages import Delete, Update
from entities.pipeline import ExecutionContext, Stage, Step
from entities.values import Record


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        ({"name": "New"}, True),
        ({"name": "New", "size": 2}, True),
        ({"size": 2}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("stage", [Stage.PRE_VALIDATION, Stage.PRE_OPERATION, Stage.POST_OPERATION])
def test_a_step_with_filtering_columns_runs_when_an_update_names_one(
    open_office: OpenOffice, change: Record, stage: Stage, *, runs: bool
) -> None:
    seen: list[Stage] = []
    step = Step("Update", "gadget", stage, lambda _: seen.append(stage), filtering=frozenset({"name", "price"}))
    office = open_office(step)
    office.service.execute(Update(office.create("gadget", name="Old"), change), CALLER)
    assert seen == ([stage] if runs else [])


def test_filtering_columns_mean_nothing_to_other_messages(open_office: OpenOffice) -> None:
    seen: list[str] = []
    step = Step("Create", "gadget", Stage.POST_OPERATION, lambda _: seen.append("ran"), filtering=frozenset({"name"}))
    open_office(step).create("gadget", size=1)
    assert seen == ["ran"]


def test_a_step_is_given_the_images_that_it_asked_for_and_no_other_step_is(open_office: OpenOffice) -> None:
    seen: list[tuple[Mapping[str, Record], Mapping[str, Record]]] = []

    def look(context: ExecutionContext) -> None:
        seen.append((context.pre_images, context.post_images))

    after = Stage.POST_OPERATION
    office = open_office(
        Step("Update", "gadget", after, look, 1, pre_image=("name",), post_image=("name", "size")),
        Step("Update", "gadget", after, look, 2),
        Step("Update", "gadget", after, look, 3, post_image=("name",)),
    )
    office.service.execute(Update(office.create("gadget", name="Old", size=1), {"name": "New"}), CALLER)
    assert seen == [
        ({"PreImage": {"name": "Old"}}, {"PostImage": {"name": "New", "size": 1}}),
        ({}, {}),
        ({}, {"PostImage": {"name": "New"}}),
    ]


def test_an_image_without_columns_has_all_of_them(open_office: OpenOffice) -> None:
    seen: list[Record] = []
    step = Step(
        "Delete", "gadget", Stage.PRE_OPERATION, lambda c: seen.append(dict(c.pre_images["PreImage"])), pre_image=()
    )
    office = open_office(step)
    gadget = office.create("gadget", name="Lamp", size=3)
    office.service.execute(Delete(gadget), CALLER)
    assert (seen[0]["name"], seen[0]["size"], seen[0]["gadgetid"]) == ("Lamp", 3, gadget.id)


@pytest.mark.parametrize(
    ("message", "stage"),
    [("Create", Stage.POST_OPERATION), ("Update", Stage.PRE_OPERATION), ("Delete", Stage.POST_OPERATION)],
)
def test_there_is_no_image_of_what_is_not(open_office: OpenOffice, message: str, stage: Stage) -> None:
    seen: list[tuple[bool, bool]] = []

    def look(context: ExecutionContext) -> None:
        seen.append(("PreImage" in context.pre_images, "PostImage" in context.post_images))

    office = open_office(Step(message, "gadget", stage, look, pre_image=(), post_image=()))
    gadget = office.create("gadget", name="Lamp")
    if message != "Create":
        office.service.execute(Update(gadget, {"size": 1}) if message == "Update" else Delete(gadget), CALLER)
    assert seen == [(message != "Create", message == "Create")]


def test_steps_of_a_message_share_variables_and_those_of_another_message_do_not(open_office: OpenOffice) -> None:
    seen: list[object] = []

    def tell(context: ExecutionContext) -> None:
        context.shared["told"] = context.record["name"]

    def hear(context: ExecutionContext) -> None:
        seen.append((context.shared.get("told"), context.system.depth))

    office = open_office(
        Step("Create", "gadget", Stage.PRE_VALIDATION, tell),
        Step("Create", "gadget", Stage.POST_OPERATION, hear),
        Step("Create", "account", Stage.POST_OPERATION, hear),
    )
    office.create("gadget", name="Lamp")
    office.create("account", name="Contoso")
    assert seen == [("Lamp", 1), (None, 1)]
