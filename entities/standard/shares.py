"""The rows that say who has access to a record beside its owner, and how they are changed.

A row holds what was granted to the principal on the record itself and, apart from it, what it inherits from the records
that this one belongs to. A row without either goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from entities.messages import Create, Delete, Update
from entities.pipeline import Caller, Operations
from entities.query import ColumnRef, Condition, ConditionOperator, Filter, QueryExpression, both, equals
from entities.standard.lookups import first
from entities.standard.sharing import SHARED_ACCESS, SHARED_TABLES
from entities.values import EntityReference, Guid, Record

_PORTION = 500


@dataclass(frozen=True, slots=True)
class Share:
    """The row of one principal: its id (None: there is none yet), the mask granted and the one inherited."""

    row: Guid | None = None
    granted: int = 0
    inherited: int = 0


NO_SHARE = Share()
SharesByPrincipal = Mapping[EntityReference, Share]
NO_SHARES: SharesByPrincipal = MappingProxyType({})


def one_of(column: str, ids: Sequence[Guid]) -> Iterator[Filter]:
    """Yield the conditions, each of some ids only, that a column of the query's table is one of many.

    Args:
        column: the column.
        ids: the ids.
    """
    for start in range(0, len(ids), _PORTION):
        portion = tuple(ids[start : start + _PORTION])
        among = Condition(ColumnRef(column), ConditionOperator.IN, portion)
        yield equals(column, portion[0]) if len(portion) == 1 else among


def shares_of(system: Operations, records: Iterable[Guid]) -> Mapping[Guid, SharesByPrincipal]:
    """Return the shares of some records; one without any is absent.

    Args:
        system: the transaction's operations.
        records: the ids of the records.
    """
    found: dict[Guid, dict[EntityReference, Share]] = {}
    for among in one_of("objectid", tuple(records)):
        for row in system.records(QueryExpression(SHARED_ACCESS, filter=among)):
            found.setdefault(Guid(str(row["objectid"])), {})[_principal(row)] = _share(row)
    return found


def _principal(row: Record) -> EntityReference:
    return EntityReference(str(row["principaltypecode"]), Guid(str(row["principalid"])))


def _share(row: Record) -> Share:
    return Share(
        Guid(str(row["principalobjectaccessid"])),
        _mask(row.get("accessrightsmask")),
        _mask(row.get("inheritedaccessrightsmask")),
    )


def _mask(value: object) -> int:
    return value if isinstance(value, int) else 0


def keep(system: Operations, caller: Caller, record: EntityReference, principal: EntityReference, after: Share) -> None:
    """Write what a principal has from now on: its row is made, changed or deleted.

    Args:
        system: the transaction's operations.
        caller: in whose name.
        record: the record.
        principal: the user or team.
        after: the masks, and the row that there is.
    """
    masks: Record = {
        "accessrightsmask": after.granted,
        "inheritedaccessrightsmask": after.inherited,
        "changedon": system.now,
    }
    row = None if after.row is None else EntityReference(SHARED_ACCESS, after.row)
    if not after.granted | after.inherited:
        if row is not None:
            system.execute(Delete(row), caller)
    elif row is not None:
        system.execute(Update(row, masks), caller)
    else:
        ends: Record = {
            "objectid": record.id,
            "objecttypecode": record.table,
            "principalid": principal.id,
            "principaltypecode": principal.table,
        }
        system.execute(Create(SHARED_ACCESS, {**ends, **masks}), caller)


def note_table(system: Operations, caller: Caller, table: str, principal: EntityReference) -> None:
    """Note that records of a table are shared with a principal; who has none is asked for none.

    Args:
        system: the transaction's operations.
        caller: in whose name.
        table: the table.
        principal: the user or team.
    """
    known = both(equals("principalid", principal.id), equals("objecttypecode", table))
    if first(system, SHARED_TABLES, known, "principalentitymapid") is None:
        system.execute(Create(SHARED_TABLES, {"principalid": principal.id, "objecttypecode": table}), caller)
