"""The work of the job behind a new alternate key: its unique index, unless rows have the same values.

Repeating it changes nothing: a key whose index is active, or that is gone, is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from entities.metadata.catalog import CatalogChange
from entities.metadata.tables import KeyIndexStatus
from entities.standard.customization.key_changes import with_key_status
from odata_server.engine.jobs import JobFailed
from odata_server.engine.organization import OrganizationService


def make_key_index(dataverse: OrganizationService, payload: Mapping[str, object]) -> str | None:
    """Make the index of an alternate key, and say in its definition how that went.

    Args:
        dataverse: the environment.
        payload: `table` and `key`, the logical names.

    Returns:
        what there is to be said; None for a key that waits for nothing.

    Raises:
        JobFailed: rows have the same values.
    """
    table, key = str(payload["table"]), str(payload["key"])
    if not _advance(dataverse, table, key, KeyIndexStatus.IN_PROGRESS):
        return None
    try:
        _advance(dataverse, table, key, KeyIndexStatus.ACTIVE)
    except dataverse.database.dialect.constraint_errors as error:
        _advance(dataverse, table, key, KeyIndexStatus.FAILED)
        raise JobFailed(
            f"The index of the key '{key}' cannot be created: records of '{table}' have the same values.",
            code="0x80040237",
        ) from error
    return f"The index of the key '{key}' is active."


def _advance(dataverse: OrganizationService, name: str, key: str, status: KeyIndexStatus) -> bool:
    """Put the index of a key into the next state, which makes it when that is active; say whether there was one to be.

    A job that was interrupted finds the state that it has set itself.
    """
    with dataverse.changing() as transaction:
        table = transaction.catalog.tables.get(name)
        waiting = {KeyIndexStatus.PENDING, KeyIndexStatus.IN_PROGRESS}
        if table is None or all(k.logical_name != key or k.index_status not in waiting for k in table.keys):
            return False
        transaction.change_catalog(CatalogChange((with_key_status(table, key, status),)))
        return True
