"""Localized texts of rows such as views and forms (Learn: "SetLocLabels Action", "RetrieveLocLabels Function").

The organization has one language; a text in it is what the row shows.
"""

from __future__ import annotations

from typing import Final, cast

from entities.errors import InvalidArgument
from entities.messages import Update
from entities.metadata.columns import MemoType, StringType
from entities.metadata.labels import ENGLISH
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import ALL_ROWS
from entities.standard.customization.labels import localized_texts
from entities.standard.lookups import by_id, first, named_record
from entities.values import EntityReference, Guid

_MONIKER: Final = "EntityMoniker"


def localized_row_steps() -> tuple[Step, ...]:
    """Return the handlers of these operations."""
    return (
        Step("SetLocLabels", None, Stage.MAIN, set_labels),
        Step("RetrieveLocLabels", None, Stage.MAIN, retrieve_labels),
    )


def set_labels(context: ExecutionContext) -> None:
    """Answer SetLocLabels: the text of a row in the language of the organization is another one.

    Raises:
        RecordNotFound: there is no such row.
        InvalidArgument: its column has no localized texts (0x80044198), or the organization has no such language.
    """
    row, column = _place(context)
    language = _language(context)
    texts = dict(localized_texts(cast("list[object]", context.parameters.get("Labels") or []), "Labels"))
    other = next((lcid for lcid in texts if lcid != language), None)
    if other is not None:
        raise InvalidArgument(f"The language code {other} is not a valid language for this organization.")
    if language in texts:
        context.system.execute(Update(row, {column: texts[language]}))


def retrieve_labels(context: ExecutionContext) -> None:
    """Answer RetrieveLocLabels.

    Raises:
        RecordNotFound: there is no such row.
        InvalidArgument: its column has no localized texts (0x80044198).
    """
    row, column = _place(context)
    text = by_id(context.system, row, column).get(column)
    label = None
    if text is not None:
        language: dict[str, object] = {"Label": text, "LanguageCode": _language(context)}
        label = {**language, "IsManaged": False, "MetadataId": row.id, "HasChanged": None}
    context.result = {"Label": {"LocalizedLabels": [label] if label else [], "UserLocalizedLabel": label}}


def _language(context: ExecutionContext) -> int:
    found = first(context.system, "organization", ALL_ROWS, "languagecode") or {}
    code = found.get("languagecode")
    return code if isinstance(code, int) else ENGLISH


def _place(context: ExecutionContext) -> tuple[EntityReference, str]:
    """Return the row and the column that the parameters name."""
    row = named_record(context.system, context.parameters[_MONIKER], _MONIKER)
    table, name = context.system.catalog.tables[row.table], str(context.parameters["AttributeName"])
    column = table.by_name.get(name)
    if column is None:
        raise InvalidArgument(
            f"'{table.schema_name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
            code="0x80041103",
        )
    if "solutionid" not in table.by_name or not isinstance(column.type, StringType | MemoType):
        raise InvalidArgument("The specified attribute does not support localized labels.", code="0x80044198")
    return EntityReference(row.table, Guid(row.id)), name
