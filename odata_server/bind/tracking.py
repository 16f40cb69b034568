"""Change tracking in URLs: the token of a delta link, and the cookie that pages through a history.

    $deltatoken = versionnumber "!" MM/DD/YYYY " " HH:MM:SS

    <cookie pagenumber="2" pagingcookie="ENCODED" istracking="True" />
    ENCODED, percent-encoded with lower-case digits, behind new and changed records or behind a deletion:
    <cookie page="1" token="TOKEN"><versionnumber last="919042" /><accountid last="{GUID}" /></cookie>
    <cookie page="1" token="TOKEN"><deleted last="919042" /></cookie>

The token in the cookie is that of the delta link on the last page: what happens while somebody pages belongs to the
next history. (Learn: "Use change tracking to synchronize data with external systems"; the form of the cookie is the
simulator's own, callers must not look into it.)
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

from entities.changes import ChangeAnchor, ChangeToken
from entities.errors import MalformedRequest
from entities.messages import RetrieveChanges
from entities.metadata.tables import Table
from entities.values import Guid
from odata_server.bind.query import BoundRows, bind_rows
from odata_server.bind.selection import Reading
from odata_server.syntax.request_trees import QueryOptions

DELTA_TOKEN: Final = "$deltatoken"  # noqa: S105 - the name of a query option
_OWN: Final = frozenset({DELTA_TOKEN, "$skiptoken"})
_REFUSED: Final = ("$filter", "$orderby", "$expand", "$top", "$apply")
_MOMENT: Final = "%m/%d/%Y %H:%M:%S"
_GUID: Final = r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
_TOKEN: Final = re.compile(r"([1-9]\d{0,17})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)\Z", re.ASCII)
_COOKIE: Final = re.compile(
    r'<cookie pagenumber="([1-9]\d{0,8})" pagingcookie="([^"<>]*)" istracking="True" />\Z', re.ASCII
)
_INNER: Final = re.compile(
    r'<cookie page="(?P<page>[1-9]\d{0,8})" token="(?P<token>[^"<>]*)">'
    r'(?:<versionnumber last="(?P<version>\d{1,18})" />'
    rf'<(?P<key>\w+) last="{{(?P<id>{_GUID})}}" />|<deleted last="(?P<deleted>\d{{1,18}})" />)</cookie>\Z',
    re.ASCII,
)


def is_tracking(options: QueryOptions) -> bool:
    """Say whether query options are those of a delta link or of a later page of a history."""
    return options.deltatoken is not None or _COOKIE.match(options.skiptoken or "") is not None


def bind_changes(table: Table, options: QueryOptions, reading: Reading) -> tuple[BoundRows, RetrieveChanges]:
    """Return how the records of a history look, and the message that reads a page of it.

    Raises:
        MalformedRequest: an option that does not go with change tracking, or a malformed token.
    """
    for name in (*options.names, *(custom.name for custom in options.custom)):
        if name in _REFUSED or name in {"fetchXml", "savedQuery", "userQuery", "sql"}:
            raise MalformedRequest(f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')
    own = replace(
        options, deltatoken=None, skiptoken=None, names=tuple(name for name in options.names if name not in _OWN)
    )
    bound = bind_rows(table, own, reading)
    since = None if options.deltatoken is None else read_token(options.deltatoken)
    message = RetrieveChanges(replace(bound.query, top=None), since)
    if options.skiptoken is not None:
        message = replace(message, until=_until(options.skiptoken), after=_after(options.skiptoken, table))
    return bound, message


def token_link(token: ChangeToken) -> str:
    """Return the percent-encoded value of `$deltatoken`."""
    return _encoded(_written(token))


def read_token(text: str) -> ChangeToken:
    """Return the point in time that a `$deltatoken` names.

    Raises:
        MalformedRequest: it has another form.
    """
    found = _TOKEN.match(text)
    if found is None:
        raise _malformed(text)
    try:
        taken = datetime.strptime(found[2], _MOMENT).replace(tzinfo=UTC)
    except ValueError as error:
        raise _malformed(text) from error
    return ChangeToken(int(found[1]), taken)


def cookie_link(table: Table, until: ChangeToken, after: ChangeAnchor) -> str:
    """Return the percent-encoded value of `$skiptoken` for the page of a history that `after` begins."""
    place = f'<deleted last="{after.version}" />'
    if after.id is not None:
        place = f'<versionnumber last="{after.version}" /><{table.primary_id} last="{{{after.id.upper()}}}" />'
    inner = _encoded(f'<cookie page="{after.number - 1}" token="{_written(until)}">{place}</cookie>')
    cookie = f'<cookie pagenumber="{after.number}" pagingcookie="{inner}" istracking="True" />'
    return quote(cookie, safe="=/-_.!*()")


def _until(cookie: str) -> ChangeToken:
    return read_token(_inner(cookie)["token"])


def _after(cookie: str, table: Table) -> ChangeAnchor:
    found = _inner(cookie)
    number = int(found["page"]) + 1
    if found["deleted"] is not None:
        return ChangeAnchor(number, int(found["deleted"]))
    if found["key"] != table.primary_id:
        raise _malformed_cookie()
    return ChangeAnchor(number, int(found["version"]), Guid(found["id"].lower()))


def _inner(cookie: str) -> re.Match[str]:
    outer = _COOKIE.match(cookie)
    inner = _INNER.match(unquote(outer[2])) if outer is not None else None
    if outer is None or inner is None or int(inner["page"]) + 1 != int(outer[1]):
        raise _malformed_cookie()
    return inner


def _written(token: ChangeToken) -> str:
    return f"{token.version}!{token.taken.astimezone(UTC).strftime(_MOMENT)}"


def _encoded(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), quote(text, safe="-_."))


def _malformed(token: str) -> MalformedRequest:
    return MalformedRequest(f"The delta token '{token[:100]}' is malformed.")


def _malformed_cookie() -> MalformedRequest:
    return MalformedRequest("Malformed XML in the Paging Cookie", code="0x80040203")
