"""Publishing: changes are seen at once here, so it checks what it is given and has nothing else to do.

Learn: "PublishXml Action", "Publish customizations", "RetrieveUnpublished Function".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from entities.errors import InvalidArgument
from entities.metadata.catalog import Catalog
from entities.pipeline import ExecutionContext, Handler, Stage, Step
from entities.query import QueryExpression
from entities.standard.customization.stored_xml import texts_in

_ROOT: Final = "importexportxml"


def publishing_steps() -> tuple[Step, ...]:
    """Return the handlers of these operations."""
    handlers: Mapping[str, Handler] = {
        "PublishXml": publish,
        "PublishAllXml": publish_all,
        "RetrieveUnpublished": retrieve_unpublished,
        "RetrieveUnpublishedMultiple": retrieve_all_unpublished,
    }
    return tuple(Step(name, None, Stage.MAIN, handler) for name, handler in handlers.items())


def publish(context: ExecutionContext) -> None:
    """Answer PublishXml.

    Raises:
        InvalidArgument: the text is no such XML (0x80040201), or names a table or choice that is not there.
    """
    found = texts_in(str(context.parameters["ParameterXml"]))
    if found is None or not found or found[0][0] != (_ROOT,):
        raise InvalidArgument(f"The parameter 'ParameterXml' must be XML of the element '{_ROOT}'.", code="0x80040201")
    for path, text in found:
        _check_named(context.system.catalog, path, text.strip())


def _check_named(catalog: Catalog, path: tuple[str, ...], name: str) -> None:
    match path:
        case (_, "entities", "entity") if name not in catalog.tables:
            raise InvalidArgument(
                f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
                code="0x80041102",
            )
        case (_, "optionsets", "optionset") if name not in catalog.choices:
            raise InvalidArgument(f"There is no global choice with the name '{name}'.", code="0x8004024a")
        case _:
            return


def publish_all(_: ExecutionContext) -> None:
    """Answer PublishAllXml."""


def retrieve_unpublished(context: ExecutionContext) -> None:
    """Answer RetrieveUnpublished with the row as it is: there is no other version of it."""
    context.result = {"value": context.reference}


def retrieve_all_unpublished(context: ExecutionContext) -> None:
    """Answer RetrieveUnpublishedMultiple with the rows of the table as they are."""
    context.result = {"value": QueryExpression(str(context.parameters["Table"]))}
