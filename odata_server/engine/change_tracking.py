"""Change tracking: what was made, changed and deleted in a table between two row versions.

Writers take turns and each takes its row versions while it has the turn, so versions are in the order of the commits:
whoever reads version N sees every change up to N. New and changed records are found by their row version, with the
same query as any other rows; of a deleted one a row of `$deletion` stays (Learn: "Use change tracking to synchronize
data with external systems").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from entities.changes import ChangeAnchor, ChangeToken
from entities.errors import InvalidArgument
from entities.messages import Changes, RetrieveChanges, Rows
from entities.metadata.catalog import Catalog
from entities.metadata.tables import Table, TableKind
from entities.query import (
    ColumnRef,
    Condition,
    ConditionOperator,
    Filter,
    Order,
    Page,
    PageAnchor,
    QueryExpression,
    both,
)
from entities.values import Guid
from odata_server.edm.representation import RowShape
from odata_server.engine import reading
from odata_server.engine.catalog_store import next_row_version, read_row_version, read_tracked_from
from odata_server.engine.database import Connection, single
from odata_server.engine.sql.compiler import COUNT_LIMIT

DAYS_VALID: Final = 90
"""How old a token may be that tells changes only; the organization's `expirechangetrackingindays` says otherwise."""

DAYS_KEPT: Final = 365
"""How long deletions stay known: as long as the organization may want tokens to be valid."""

_VERSION: Final = ColumnRef("versionnumber")


def note_deletion(connection: Connection, table: Table, record_id: Guid, now: datetime) -> None:
    """Remember, in the transaction that deletes it, that a record of a tracked table is gone."""
    if not table.change_tracking:
        return
    known = (
        'INSERT INTO "$deletion" AS held (table_name, id, version, deleted) VALUES ($1, $2, $3, $4)'
        " ON CONFLICT (table_name, id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted"
    )
    connection.execute(known, (table.logical_name, record_id, next_row_version(connection), now.timestamp()))
    connection.execute('DELETE FROM "$deletion" WHERE deleted < $1', ((now - timedelta(DAYS_KEPT)).timestamp(),))


def note_creation(connection: Connection, table: Table, record_id: Guid) -> None:
    """Forget that a record was deleted whose id has come back: it is a new record now, and not a gone one."""
    if table.change_tracking:
        connection.execute('DELETE FROM "$deletion" WHERE table_name = $1 AND id = $2', (table.logical_name, record_id))


def retrieve_changes(
    connection: Connection,
    plans: reading.PlanCache,
    catalog: Catalog,
    message: RetrieveChanges,
    now: datetime,
    shape: RowShape | None = None,
) -> Changes:
    """Read one page of the changes of a table: new and changed records by row version, behind them deletions.

    Args:
        connection: a reading connection, or that of a transaction.
        plans: the statements compiled before.
        catalog: the catalog.
        message: what is wanted, authorized.
        now: the time; tokens age by it.
        shape: the wire form of the records; without one they come as records.

    Raises:
        InvalidArgument: the table is not tracked, the data have been put back since the token was given out, or it is
            none of this organization.
    """
    table = catalog.tables[message.query.table]
    check_tracked(table)
    present = ChangeToken(read_row_version(connection), now)
    until = message.until or present
    begin = message.since.version if message.since is not None else 0
    if not begin <= until.version <= present.version:
        raise InvalidArgument("The delta token does not belong to this organization.")
    if message.since is not None:
        message = _since(connection, plans, catalog, message, now)
        begin = message.since.version if message.since is not None else 0
    page = _Page(table, begin, until.version, message.after, _size(message.query))
    rows = _rows(connection, plans, catalog, page.query(message.query), shape) if page.has_rows else Rows(0, b"")
    if rows.next is not None:
        version, record_id = rows.next.values
        following = ChangeAnchor(rows.next.number, int(str(version)), Guid(str(record_id)))
        return Changes(rows, (), until, following, _total(connection, rows, page, message))
    gone = _deletions(connection, page, page.size - rows.count + 1) if message.since is not None else []
    total = _total(connection, rows, page, message)
    shown = gone[: page.size - rows.count]
    deleted = tuple(Guid(str(record_id)) for record_id, _ in shown)
    last = int(shown[-1][1]) if shown else page.gone_behind
    more = ChangeAnchor(page.number + 1, last) if len(gone) > len(shown) else None
    return Changes(rows, deleted, until, more, total)


class _Page:
    """The part of a history that is asked for."""

    __slots__ = ("_after", "begin", "number", "size", "table", "until")

    def __init__(self, table: Table, begin: int, until: int, after: ChangeAnchor | None, size: int) -> None:
        self.table = table
        self.begin = begin
        self.until = until
        self.size = size
        self.number = after.number if after is not None else 1
        self._after = after

    @property
    def has_rows(self) -> bool:
        """Whether the page may still hold new and changed records."""
        return self._after is None or self._after.id is not None

    @property
    def gone_behind(self) -> int:
        """The row version behind which the page's deletions begin."""
        return self._after.version if self._after is not None and self._after.id is None else self.begin

    def query(self, asked: QueryExpression) -> QueryExpression:
        """Return the query for the page's new and changed records."""
        anchor, begin = None, self.begin
        if self._after is not None and self._after.id is not None:
            anchor = PageAnchor(self._after.number, (self._after.version, self._after.id))
            # Whatever counts rows counts all of them; else the database need not look at those of the pages before.
            begin = begin if asked.count else self._after.version - 1
        window = _window(begin, self.until)
        filter_ = both(asked.filter, window)
        return replace(asked, filter=filter_, orders=(Order(_VERSION),), page=Page(self.size, anchor))


def _window(begin: int, until: int) -> Filter:
    newer = Condition(_VERSION, ConditionOperator.GREATER_THAN, (begin,))
    return both(newer, Condition(_VERSION, ConditionOperator.LESS_EQUAL, (until,)))


def _size(query: QueryExpression) -> int:
    assert query.page is not None
    return query.page.size


def _rows(
    connection: Connection, plans: reading.PlanCache, catalog: Catalog, query: QueryExpression, shape: RowShape | None
) -> Rows:
    if shape is None:
        return reading.read_records(connection, plans, catalog, query)
    return reading.read_page(connection, plans, catalog, query, shape)


def _deletions(connection: Connection, page: _Page, most: int) -> list[tuple[str, int]]:
    found = (
        'SELECT id, version FROM "$deletion" WHERE table_name = $1 AND version > $2 AND version <= $3'
        " ORDER BY version LIMIT $4"
    )
    parameters = (page.table.logical_name, page.gone_behind, page.until, most)
    return [(str(gone), int(version)) for gone, version in connection.execute(found, parameters).fetchall()]


def _total(connection: Connection, rows: Rows, page: _Page, message: RetrieveChanges) -> int | None:
    """Return how many changes there are, where the query counts; rows of a page of deletions are not counted again."""
    if rows.total is None or message.since is None:
        return rows.total
    counting = 'SELECT count(*) FROM "$deletion" WHERE table_name = $1 AND version > $2 AND version <= $3'
    gone = int(single(connection, counting, (page.table.logical_name, page.begin, page.until)))
    return min(rows.total + gone, COUNT_LIMIT)


def check_tracked(table: Table) -> None:
    """Refuse a table whose changes nobody tracks.

    Raises:
        InvalidArgument: it is one.
    """
    if table.kind is TableKind.INTERSECT and not table.change_tracking:
        raise InvalidArgument(
            f"Changes cannot be retrieved for intersect entity {table.logical_name} since both related entities are not"
            " enabled for change tracking.",
            code="0x80072492",
        )
    if not table.change_tracking or not table.has_version:
        raise InvalidArgument(f"Entity {table.logical_name} isn't enabled for change tracking.", code="0x80072491")


def _since(
    connection: Connection, plans: reading.PlanCache, catalog: Catalog, message: RetrieveChanges, now: datetime
) -> RetrieveChanges:
    """Return the message, about all records where its token is older than the organization wants to tell changes.

    Raises:
        InvalidArgument: the data have been put back since the token was given out.
    """
    assert message.since is not None
    if message.since.version < read_tracked_from(connection):
        raise InvalidArgument(
            "Version stamp associated with the client has expired. Please perform a full sync.", code="0x80044352"
        )
    is_old = message.since.taken < now - timedelta(_days_valid(connection, plans, catalog))
    return replace(message, since=None) if is_old else message


def _days_valid(connection: Connection, plans: reading.PlanCache, catalog: Catalog) -> int:
    column = "expirechangetrackingindays"
    organization = catalog.tables.get("organization")
    if organization is None or column not in organization.by_name:
        return DAYS_VALID
    found = reading.read_records(connection, plans, catalog, QueryExpression("organization", (column,))).records
    days = found[0].get(column) if found else None
    return days if isinstance(days, int) else DAYS_VALID
