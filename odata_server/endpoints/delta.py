"""Change tracking over HTTP: delta links, and what has changed since one was given.

Learn: "Use change tracking to synchronize data with external systems"; OData JSON 4.01 §15.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from entities.messages import Changes, RetrieveChanges
from entities.metadata.tables import Table
from entities.query import Page
from entities.values import Guid
from odata_server.bind.tracking import DELTA_TOKEN, bind_changes, cookie_link, is_tracking, token_link
from odata_server.edm.preferences import INCLUDE_ANNOTATIONS, MAX_PAGE_SIZE, TRACK_CHANGES, preference_applied
from odata_server.edm.representation import RowShape
from odata_server.endpoints.call import Call
from odata_server.endpoints.exchange import ODataResponse
from odata_server.endpoints.reads import linked, row_bytes
from odata_server.endpoints.responses import json_response, text_response
from odata_server.render import envelope

_PAGE: Final = frozenset({"$skiptoken", "$count"})
_HISTORY: Final = frozenset({"$skiptoken", "$count", DELTA_TOKEN})


def asks_for_changes(call: Call) -> bool:
    """Say whether a request for a collection wants its changes tracked, or what has changed."""
    if call.preferences.track_changes:
        return True
    query = call.request.query
    # Nearly every request ends here: the options are parsed only where they may be about changes.
    if "deltatoken" not in query and ("istracking" not in query or "True" not in query):
        return False
    return is_tracking(call.options())


def read_changes(call: Call, table: Table) -> ODataResponse:
    """Answer `GET set` with `Prefer: odata.track-changes`, and `GET set?$deltatoken=…`.

    The first answer holds all records, later ones what was made, changed and deleted; the last page has a delta link.
    """
    bound, message = bind_changes(table, call.options(), call.reading())
    found = _found(call, message, bound.shape)
    body = b",".join(filter(None, (row_bytes(found.rows, bound.shape), *_deleted(call, table, found.deleted))))
    total, version = found.total, call.catalog.version
    totals = envelope.Totals(
        bound.counts, bound.annotates_totals, total, found.rows.total_exceeded, version, call.form.exact_text
    )
    fragment = bound.fragment if message.since is None else f"{bound.fragment}/$delta"
    next_link = delta_link = None
    if found.next is not None:
        next_link = linked(call, f"$skiptoken={cookie_link(table, found.until, found.next)}", _PAGE)
    else:
        delta_link = linked(call, f"{DELTA_TOKEN}={token_link(found.until)}", _HISTORY)
    answer = envelope.collection(
        call.context(fragment), body, totals=totals, next_link=next_link, delta_link=delta_link
    )
    applied = preference_applied(call.preferences, TRACK_CHANGES, MAX_PAGE_SIZE, INCLUDE_ANNOTATIONS)
    return json_response(call.services, answer, *applied)


def read_change_count(call: Call, table: Table) -> ODataResponse:
    """Answer `GET set/$count?$deltatoken=…`: the number of changes, 5,000 at most."""
    bound, message = bind_changes(table, call.options(), call.reading())
    counting = replace(bound.query, columns=(table.primary_id,), page=Page(1), count=True)
    found = _found(call, replace(message, query=counting), None)
    return text_response(call.services, envelope.count_text(found.total or 0))


def _found(call: Call, message: RetrieveChanges, shape: RowShape | None) -> Changes:
    found = call.execute(message, shape)
    assert isinstance(found, Changes)
    return found


def _deleted(call: Call, table: Table, gone: tuple[Guid, ...]) -> list[bytes]:
    """Return a deleted record as its id and the reason, with a context of its own where the caller wants metadata."""
    context = call.context(f"{table.entity_set_name}/$deletedEntity")
    around = {"@odata.context": context} if context else {}
    return [orjson.dumps({**around, "id": record_id, "reason": "deleted"}) for record_id in gone]
