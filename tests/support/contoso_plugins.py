"""A package of plug-ins as a user writes one; the tests install it beside the server."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from entities.errors import DataverseError
from entities.plugins import (
    BindingType,
    CustomApiParameter,
    EntityReference,
    EntityValue,
    Guid,
    InvalidPluginExecution,
    Mode,
    ParameterType,
    Plugin,
    PluginApi,
    PluginContext,
    PluginStep,
    QueryExpression,
    Stage,
)
from entities.values import EMPTY_GUID, KeyReference

LIMIT = 1_000_000


def check_limit(context: PluginContext) -> None:
    """Refuse a credit limit, naming the account as it was."""
    context.trace(f"limit of {context.pre_images['PreImage']['name']}")
    if context.target["creditlimit"] > LIMIT:
        raise InvalidPluginExecution(f"The limit of {context.pre_images['PreImage']['name']} needs the board.")


def describe(context: PluginContext) -> None:
    """Change the record that is about to be written, and tell the next step."""
    context.target["description"] = f"Account {context.target.get('name')}"
    context.shared_variables["described"] = context.stage.name


SPOILED = {
    "Unknown column": ("nosuch", 1),
    "Wrong type": ("creditlimit", "much"),
    "Too long": ("telephone1", "1" * 51),
    "No record": ("primarycontactid", EntityReference("contact", Guid("0a000000-0000-4000-8000-0000000000ff"))),
    "No table": ("primarycontactid", EntityReference("nosuch", Guid("0a000000-0000-4000-8000-0000000000ff"))),
    "By key": ("primarycontactid", KeyReference("contact", (("fullname", "x"),))),
    "An object": ("description", object()),
    "No text": ("description", "\ud800"),
}


def spoil(context: PluginContext) -> None:
    """Set a column to what it cannot be."""
    column, value = SPOILED.get(str(context.target.get("name")), ("name", context.target.get("name")))
    context.target[column] = value


def follow_up(context: PluginContext) -> None:
    """Make a task for the user who made the account, with that user's rights."""
    if str(context.target.get("name")).startswith("Follow"):
        context.user.create("task", {"subject": f"{context.shared_variables['described']} {context.depth}"})


def renumber(context: PluginContext) -> None:
    """Cause itself without end."""
    assert context.reference is not None
    context.system.update(context.reference, {"fax": f"{context.target['fax']}1"})


class Silent(Exception):
    """An error that cannot even tell what it is."""

    def __str__(self) -> str:
        raise ValueError("I will not say.")


def misbehave(context: PluginContext) -> None:
    """Fail in one way or another."""
    match context.target.get("lastname"):
        case "Broken":
            context.trace("about to break")
            raise KeyError("nothing there")
        case "Silent":
            raise Silent
        case "Odd text":
            raise InvalidPluginExecution("\udc00 and so on")
        case "Nonsense":
            context.user.create("nosuch", {"a": object()})
        case "Leaving":
            sys.exit(3)
        case "Swallow":
            try:
                context.system.create("contact", {"lastname": "Broken"})
            except DataverseError:
                return


def later(context: PluginContext) -> None:
    """Change the contact in the background, or fail there."""
    if context.target.get("lastname") == "Later":
        assert context.reference is not None
        image = context.post_images["PostImage"]
        context.user.update(context.reference, {"description": f"{image['lastname']} {image['birthdate']}"})
    if context.target.get("lastname") == "Late failure":
        raise InvalidPluginExecution("Not even later.")


def page(context: PluginContext) -> None:
    """Cause itself without end, in the background."""
    assert context.reference is not None
    context.system.update(context.reference, {"pager": f"{context.depth}"})


def note(context: PluginContext) -> None:
    """Tell the step behind the custom API what it was asked for."""
    context.shared_variables["asked"] = context.input_parameters["Number"]


def add(context: PluginContext) -> None:
    """Change the answer of a custom API."""
    if context.shared_variables["asked"] == 1000:
        context.output_parameters["Result"] = 1 + int(str(context.output_parameters["Result"]))


def double(context: PluginContext) -> None:
    """Answer twice a number; nothing when it is zero."""
    number = context.input_parameters["Number"]
    assert isinstance(number, int)
    if number:
        context.output_parameters["Result"] = number * 2
        context.output_parameters["Note"] = context.input_parameters.get("Note")


def close(context: PluginContext) -> None:
    """Change the account that the action is bound to, as the user."""
    assert context.reference is not None
    context.user.update(context.reference, {"description": str(context.input_parameters["Reason"])})


def names(context: PluginContext) -> None:
    """Answer with accounts that the user may read."""
    found = context.user.retrieve_multiple(QueryExpression("account", ("accountid", "name", "primarycontactid")))
    context.output_parameters["Accounts"] = [EntityValue("account", row) for row in found]


def find(context: PluginContext) -> None:
    """Answer with one account."""
    target = context.input_parameters["Target"]
    assert isinstance(target, EntityReference)
    context.output_parameters["Account"] = EntityValue("account", context.system.retrieve(target, "name"), target)


def echo(context: PluginContext) -> None:
    """Answer with what is given."""
    context.output_parameters.update(context.input_parameters)


LIES: dict[str, tuple[str, object]] = {
    "text for a number": ("Integer", "two"),
    "a number that is too large": ("Integer", 2**31),
    "no finite number": ("Float", float("nan")),
    "a whole number without end": ("Decimal", 10**400),
    "a text that is none": ("String", "\ud800"),
    "a moment without zone": ("Date_Time", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is what is wrong with it
    "no GUID": ("Guid", "one"),
    "an object": ("Entity", object()),
    "a record of objects": ("Entity", {"name": object()}),
    "a collection of texts": ("Entity_Collection", ["one"]),
    "a reference to no table": ("Entity_Reference", EntityReference("nosuch", EMPTY_GUID)),
    "numbers for texts": ("String_Array", [1]),
}


def lie(context: PluginContext) -> None:
    """Answer with a value of another type."""
    name, value = LIES[str(context.input_parameters["Lie"])]
    context.output_parameters[name] = value


def free(context: PluginContext) -> None:
    """Be there for the rows of custom APIs."""
    context.output_parameters["Answer"] = f"{context.message_name} of {context.user_id}"


def _every_type(*, optional: bool) -> list[CustomApiParameter]:
    tables = {ParameterType.ENTITY, ParameterType.ENTITY_COLLECTION, ParameterType.ENTITY_REFERENCE}
    return [
        CustomApiParameter(f"{kind.name.title()}", kind, "account" if kind in tables else None, optional)
        for kind in ParameterType
    ]


_NUMBER = CustomApiParameter("Number", ParameterType.INTEGER)
_RESULT = CustomApiParameter("Result", ParameterType.INTEGER)
_NOTE = CustomApiParameter("Note", ParameterType.STRING, is_optional=True)
_TARGET = CustomApiParameter("Target", ParameterType.ENTITY_REFERENCE, "account")
_REASON = CustomApiParameter("Reason", ParameterType.STRING)
_ACCOUNTS = CustomApiParameter("Accounts", ParameterType.ENTITY_COLLECTION, "account")
_ACCOUNT = CustomApiParameter("Account", ParameterType.ENTITY, "account")

plugin = Plugin(
    steps=[
        PluginStep(
            "Update", "account", Stage.PRE_OPERATION, check_limit, filtering=["creditlimit"], pre_image=["name"]
        ),
        PluginStep("Create", "account", Stage.PRE_OPERATION, describe),
        PluginStep("Create", "account", Stage.PRE_OPERATION, spoil),
        PluginStep("Create", "account", Stage.POST_OPERATION, follow_up),
        PluginStep("Update", "account", Stage.POST_OPERATION, renumber, filtering=["fax"]),
        PluginStep("Create", "contact", Stage.POST_OPERATION, misbehave),
        PluginStep("Update", "contact", Stage.POST_OPERATION, page, mode=Mode.ASYNCHRONOUS, filtering=["pager"]),
        PluginStep("new_Double", None, Stage.PRE_OPERATION, note),
        PluginStep("new_Double", None, Stage.POST_OPERATION, add),
        PluginStep("Create", "contact", Stage.POST_OPERATION, later, mode=Mode.ASYNCHRONOUS, post_image=[]),
    ],
    custom_apis=[
        PluginApi("new_Double", double, [_NUMBER, _NOTE], [_RESULT, _NOTE], is_function=True, display_name="Double it"),
        PluginApi("new_Close", close, [_REASON], binding=BindingType.ENTITY, table="account"),
        PluginApi(
            "new_Names",
            names,
            properties=[_ACCOUNTS],
            binding=BindingType.ENTITY_COLLECTION,
            table="account",
            is_function=True,
        ),
        PluginApi("new_Find", find, [_TARGET], [_ACCOUNT], is_function=True),
        PluginApi("new_Echo", echo, _every_type(optional=True), _every_type(optional=False)),
        PluginApi("new_Lie", lie, [CustomApiParameter("Lie", ParameterType.STRING)], _every_type(optional=False)),
        PluginApi("new_Secret", double, [_NUMBER], [_RESULT], is_private=True),
        PluginApi("new_Guarded", double, [_NUMBER], [_RESULT], execute_privilege="prvWriteAccount"),
    ],
    types=[free],
)


def install(
    place: Path, entry: str = "contoso_plugins:plugin", name: str = "contoso-plugins", version: str = "1.2.0"
) -> None:
    """Write what an installer leaves behind for a distribution with an entry point; `place` must be on `sys.path`."""
    information = place / f"{name.replace('-', '_')}-{version}.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (information / "entry_points.txt").write_text(f"[talentverse.plugins]\n{name} = {entry}\n")
