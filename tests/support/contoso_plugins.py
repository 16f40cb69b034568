"""A package of plug-ins as a user writes one; the tests install it beside the server."""

from __future__ import annotations

import sys
from pathlib import Path

from entities.errors import DataverseError
from entities.plugins import (
    BindingType,
    CustomApiParameter,
    EntityReference,
    EntityValue,
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


def follow_up(context: PluginContext) -> None:
    """Make a task for the user who made the account, with that user's rights."""
    if str(context.target.get("name")).startswith("Follow"):
        context.user.create("task", {"subject": f"{context.shared_variables['described']} {context.depth}"})


def renumber(context: PluginContext) -> None:
    """Cause itself without end."""
    assert context.reference is not None
    context.system.update(context.reference, {"fax": f"{context.target['fax']}1"})


def misbehave(context: PluginContext) -> None:
    """Fail in one way or another."""
    match context.target.get("lastname"):
        case "Broken":
            context.trace("about to break")
            raise KeyError("nothing there")
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


def lie(context: PluginContext) -> None:
    """Answer with a value of another type."""
    context.output_parameters["Result"] = "two"


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
        PluginStep("Create", "account", Stage.POST_OPERATION, follow_up),
        PluginStep("Update", "account", Stage.POST_OPERATION, renumber, filtering=["fax"]),
        PluginStep("Create", "contact", Stage.POST_OPERATION, misbehave),
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
        PluginApi("new_Lie", lie, properties=[_RESULT]),
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
