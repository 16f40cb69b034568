"""The rules of registration: what a webhook, a step and an image must be like to be registered.

Learn: "Register a webhook", "Register a plug-in" (stages, execution mode, filtering attributes), "Entity images"; codes
of Microsoft's error-code page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from entities.errors import InvalidArgument, NotSupported
from entities.messages import Create, Delete
from entities.metadata.custom_apis import AllowedSteps, CustomApi
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Operations, Stage, Step
from entities.query import equals
from entities.standard.lookups import by_id, first
from entities.standard.sdk_messages import BACKGROUND_COMPLETE, WITHOUT_STEPS, message_id, own_message_rows
from entities.standard.step_registration import ASYNCHRONOUS, OTHER_CONTRACTS, POST_IMAGE, PRE_IMAGE
from entities.standard.webhooks import check_auth
from entities.values import EntityReference, Record, Value

_STEP: Final = "sdkmessageprocessingstep"
_IMAGE: Final = "sdkmessageprocessingstepimage"
_STAGES: Final = frozenset({Stage.PRE_VALIDATION, Stage.PRE_OPERATION, Stage.POST_OPERATION})
_ACS: Final = 1

_PROPERTIES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Create": frozenset({"Id", "id"}),
        "Update": frozenset({"Target"}),
        "Delete": frozenset({"Target"}),
    }
)
"""The property of a message whose record an image shows (Learn: "Entity images", message property name)."""

_IMAGES: Final[Mapping[str, frozenset[int]]] = MappingProxyType(
    {
        "Create": frozenset({POST_IMAGE}),
        "Update": frozenset({PRE_IMAGE, POST_IMAGE, 2}),
        "Delete": frozenset({PRE_IMAGE}),
    }
)


def registration_steps() -> tuple[Step, ...]:
    """Return the rules of the tables serviceendpoint, sdkmessageprocessingstep and sdkmessageprocessingstepimage."""
    rules = {"serviceendpoint": check_endpoint, _STEP: check_step, _IMAGE: check_image}
    return (
        *(Step("Create", table, Stage.PRE_OPERATION, rule) for table, rule in rules.items()),
        *(Step("Update", table, Stage.PRE_OPERATION, rule) for table, rule in rules.items()),
        Step("Create", "customapi", Stage.POST_OPERATION, add_message),
        Step("Delete", "customapi", Stage.POST_OPERATION, remove_message),
    )


def add_message(context: ExecutionContext) -> None:
    """Give a new custom API the row of its message, so that steps can be registered for it."""
    for table, row in own_message_rows([str(context.record["uniquename"])]):
        context.system.execute(Create(table, row))


def remove_message(context: ExecutionContext) -> None:
    """Take the message of a custom API away with it, and the steps that are registered for it."""
    message = EntityReference("sdkmessage", message_id(str((context.pre_image or {})["uniquename"])))
    if first(context.system, "sdkmessage", equals("sdkmessageid", message.id), "name") is not None:
        context.system.execute(Delete(message))


def _merged(context: ExecutionContext) -> dict[str, Value]:
    """Return the record as it will be."""
    return {**(context.pre_image or {}), **context.record}


def check_endpoint(context: ExecutionContext) -> None:
    """See that a service endpoint is a webhook that can be called.

    Raises:
        NotSupported: it is for Azure.
        InvalidArgument: its URL or its authentication values cannot be used.
    """
    record = _merged(context)
    if record.get("contract") in OTHER_CONTRACTS:
        raise NotSupported("Service endpoints other than webhooks (contract 8) are not supported yet.")
    if record.get("authtype") == _ACS:
        raise InvalidArgument(
            "Service Endpoint with ACS authentication type is no longer supported. Please change your endpoint "
            "configuration to use a supported authentication type",
            code="0x80050209",
        )
    url = record.get("url")
    if not isinstance(url, str) or not _is_url(url):
        raise InvalidArgument("The url of a webhook must be an absolute http or https URL.")
    check_auth(record.get("authtype"), str(record.get("authvalue") or ""))
    context.record["isauthvalueset"] = True
    context.record.setdefault("messageformat", 2)


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not parts.fragment
    except ValueError:
        return False


def check_step(context: ExecutionContext) -> None:
    """See that a step can run where it is registered, and name it where nobody has.

    Raises:
        InvalidArgument: stage, mode, message, table, columns or handler do not go together.
    """
    record, system = _merged(context), context.system
    handler = record.get("eventhandler")
    if not isinstance(handler, EntityReference):
        raise InvalidArgument(
            "A step needs an event handler: bind eventhandler_serviceendpoint or eventhandler_plugintype."
        )
    message = _message(record, system)
    _check_place(record, message)
    _check_custom_api(record, system.catalog.custom_apis.get(message))
    table = _filtered(record, message, system)
    _check_columns(record.get("filteringattributes"), message, table)
    if not record.get("name"):
        of = str(by_id(system, handler, "name")["name"])
        of_table = f" of {table.logical_name}" if table else ""
        context.record["name"] = f"{of}: {message}{of_table}"[:256]


def _message(record: Record, system: Operations) -> str:
    found = record.get("sdkmessageid")
    if not isinstance(found, EntityReference):
        raise InvalidArgument("A step needs a message: bind sdkmessageid.")
    return str(by_id(system, found, "name")["name"])


def _check_place(record: Record, message: str) -> None:
    if record.get("stage") not in _STAGES:
        raise InvalidArgument(
            "Invalid plug-in registration stage. Steps can only be modified in stages "
            "BeforeMainOperationOutsideTransaction, BeforeMainOperationInsideTransaction, "
            "AfterMainOperationInsideTransaction and AfterMainOperationOutsideTransaction.",
            code="0x80044184",
        )
    is_async = record.get("mode") == ASYNCHRONOUS
    if is_async and record.get("stage") != Stage.POST_OPERATION:
        raise InvalidArgument("A step in asynchronous mode can only be registered in the post-operation stage.")
    if message == BACKGROUND_COMPLETE and not is_async:
        raise InvalidArgument(f"The message {message} takes steps in asynchronous mode only.")
    if record.get("asyncautodelete") and not is_async:
        raise InvalidArgument("AsyncAutoDelete can only be set on steps in asynchronous mode.")


def _check_custom_api(record: Record, api: CustomApi | None) -> None:
    """See that a custom API lets others register such a step (Learn: "CustomAPI tables", allowed step type)."""
    if api is None or api.allowed_steps is AllowedSteps.ALL:
        return
    if api.allowed_steps is AllowedSteps.NONE or record.get("mode") != ASYNCHRONOUS:
        raise _not_allowed()


def _filtered(record: Record, message: str, system: Operations) -> Table | None:
    """Return the table that a step is for, None where it is for any, or for a message about none."""
    reference = record.get("sdkmessagefilterid")
    if reference is None:
        if message in WITHOUT_STEPS:
            raise _not_allowed()
        return None
    assert isinstance(reference, EntityReference)
    row = by_id(system, reference, "sdkmessageid", "primaryobjecttypecode", "iscustomprocessingstepallowed")
    if row["sdkmessageid"] != record["sdkmessageid"]:
        raise InvalidArgument("The SdkMessageFilter of the step belongs to another SdkMessage.")
    if not row["iscustomprocessingstepallowed"]:
        raise _not_allowed()
    return system.catalog.tables[str(row["primaryobjecttypecode"])]


def _not_allowed() -> InvalidArgument:
    return InvalidArgument(
        "Custom SdkMessageProcessingStep is not allowed on the specified message and entity.", code="0x80044187"
    )


def _check_columns(names: Value, message: str, table: Table | None) -> None:
    if not names:
        return
    if message != "Update" or table is None:
        raise InvalidArgument("Filtering attributes are for steps on the Update message of one table.")
    known_columns(str(names), table)


def known_columns(names: str, table: Table) -> frozenset[str]:
    """Return the columns of a list with commas.

    Raises:
        InvalidArgument: the table has no such column.
    """
    found = frozenset(name.strip().lower() for name in names.split(",") if name.strip())
    for name in sorted(found - table.by_name.keys()):
        raise InvalidArgument(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{name}'.", code="0x80041103"
        )
    return found


def check_image(context: ExecutionContext) -> None:
    """See that an image can be made for its step.

    Raises:
        InvalidArgument: message or stage have no such image, or a column does not exist.
    """
    record, system = _merged(context), context.system
    reference = record.get("sdkmessageprocessingstepid")
    if not isinstance(reference, EntityReference):
        raise InvalidArgument("An image needs a step: bind sdkmessageprocessingstepid.")
    step = by_id(system, reference, "sdkmessageid", "sdkmessagefilterid", "stage")
    message = _message(step, system)
    if message not in _IMAGES:
        raise InvalidArgument(f"Message '{message}' does not support image registration.", code="0x80044189")
    kind = record.get("imagetype")
    if kind not in _IMAGES[message]:
        raise InvalidArgument(f"Message {message} does not support this image type.", code="0x8004416d")
    if kind != PRE_IMAGE and step["stage"] != Stage.POST_OPERATION:
        raise InvalidArgument("PreEvent step registration does not support Post Image.", code="0x8004416e")
    if record.get("messagepropertyname") not in _PROPERTIES[message]:
        raise InvalidArgument(f"The message property name of an image is not valid on message {message}.")
    table = _filtered(step, message, system)
    if record.get("attributes") and table is not None:
        known_columns(str(record["attributes"]), table)
    if not record.get("name"):
        context.record["name"] = record.get("entityalias")
