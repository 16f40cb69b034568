"""What may be mapped: columns that are there and of one kind. Maps of the system stay (Learn: "Map table columns")."""

from __future__ import annotations

from entities.errors import InvalidArgument, InvalidOperation
from entities.metadata.columns import Column, ColumnType, LookupType, UniqueIdentifierType
from entities.metadata.tables import Table
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.lookups import by_id
from entities.values import EntityReference

_TABLE = "attributemap"


def mapping_steps() -> tuple[Step, ...]:
    """Return the steps around the rows of attribute maps."""
    return (
        Step("Create", _TABLE, Stage.PRE_OPERATION, check_pair),
        Step("Update", _TABLE, Stage.PRE_VALIDATION, keep_system_map),
        Step("Update", _TABLE, Stage.PRE_OPERATION, check_pair),
        Step("Delete", _TABLE, Stage.PRE_VALIDATION, keep_system_map),
    )


def keep_system_map(context: ExecutionContext) -> None:
    """Refuse to change a map that came with a relationship.

    Raises:
        InvalidOperation: it is one (0x80046205).
    """
    if (context.pre_image or {}).get("issystem"):
        raise InvalidOperation("SystemAttributeMap Error Occurred", code="0x80046205")


def check_pair(context: ExecutionContext) -> None:
    """Check that both columns are there and that values of one fit the other.

    Raises:
        InvalidArgument: they do not (0x80046203).
        RecordNotFound: there is no such map of tables.
    """
    pair = {**(context.pre_image or {}), **context.record}
    entity_map = pair.get("entitymapid")
    if not isinstance(entity_map, EntityReference):
        return  # The lookup is required, which is checked behind this.
    tables = context.system.catalog.tables
    ends = by_id(context.system, entity_map, "sourceentityname", "targetentityname")
    source, target = (
        _column(tables[str(ends[f"{end}entityname"])], pair.get(f"{end}attributename")) for end in ("source", "target")
    )
    if source is None or target is None or not _fit(source.type, target.type):
        raise InvalidArgument("InvalidAttributeMap Error Occurred", code="0x80046203")


def _column(table: Table, name: object) -> Column | None:
    return table.by_name.get(name) if isinstance(name, str) else None


def _fit(source: ColumnType, target: ColumnType) -> bool:
    """Say whether values of one column go into the other; a record's id goes into a lookup to its table."""
    return type(source) is type(target) or (isinstance(source, UniqueIdentifierType) and isinstance(target, LookupType))
