"""What stands around the rows of an answer: context, counts, next link, and the brackets."""

from __future__ import annotations

from dataclasses import dataclass

from odata_server.edm.naming import WEB_API_NAMESPACE
from odata_server.render.values import quoted

BOM = b"\xef\xbb\xbf"
PAGING_COOKIE = "fetchxmlpagingcookie"
MORE_RECORDS = "morerecords"


@dataclass(frozen=True, slots=True)
class FetchPage:
    """What a FetchXML answer says of the next page: its cookie, and whether it has rows; None where it says nothing."""

    cookie: str | None = None
    more_records: bool | None = None


NOTHING_OF_PAGES = FetchPage()


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of a collection: `count` where `$count=true` asked, `annotated` where annotations were asked for.

    `total` is the capped number of matching rows; `exceeded` says that there are more than the cap; `metadata_version`
    is the catalog's. `as_text` writes the Int64 of `@odata.count` as text (OData JSON 4.01 §3.2). `fetch` is
    there where a FetchXML query asked.
    """

    count: bool = False
    annotated: bool = False
    total: int | None = None
    exceeded: bool = False
    metadata_version: int = 0
    as_text: bool = False
    fetch: FetchPage = NOTHING_OF_PAGES


NO_TOTALS = Totals()


def collection(
    context: str,
    body: bytes,
    *,
    totals: Totals = NO_TOTALS,
    next_link: str | None = None,
    delta_link: str | None = None,
) -> bytes:
    """Return a collection answer (OData JSON 4.01 §4.5: context, count, then the values, then the next link).

    Args:
        context: the absolute context URL; empty where no metadata is wanted.
        body: the rows' JSON objects joined by commas.
        totals: what to say about the number of matching rows.
        next_link: the absolute URL of the following page.
        delta_link: the absolute URL of what will change; Dataverse writes it before the values.
    """
    counts = _counts(totals)
    if delta_link is not None:
        counts += b',"@odata.deltaLink":' + quoted(delta_link).encode()
    tail = b"]}" if next_link is None else b'],"@odata.nextLink":' + quoted(next_link).encode() + b"}"
    if not context:
        counts = counts.removeprefix(b",")
        return b"".join((b"{", counts, b"," if counts else b"", b'"value":[', body, tail))
    return b"".join((b'{"@odata.context":', quoted(context).encode(), counts, b',"value":[', body, tail))


def _counts(totals: Totals) -> bytes:
    """Return the count members; the annotations say -1 where nobody counted (Learn: "Count number of rows")."""
    parts = ""
    if totals.count and totals.total is not None:
        parts += f',"@odata.count":{_integer(totals, totals.total)}'
    if totals.annotated:
        known = -1 if totals.total is None else totals.total
        parts += f',"@Microsoft.Dynamics.CRM.totalrecordcount":{known}'
        exceeded = "true" if totals.exceeded else "false"
        parts += f',"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":{exceeded}'
        parts += f',"@Microsoft.Dynamics.CRM.globalmetadataversion":"{totals.metadata_version}"'
    if totals.fetch.cookie is not None:
        parts += f',"@{WEB_API_NAMESPACE}.{PAGING_COOKIE}":{quoted(totals.fetch.cookie)}'
    if totals.fetch.more_records is not None:
        parts += f',"@{WEB_API_NAMESPACE}.{MORE_RECORDS}":{"true" if totals.fetch.more_records else "false"}'
    return parts.encode()


def _integer(totals: Totals, number: int) -> str:
    return f'"{number}"' if totals.as_text else str(number)


def single(context: str, body: bytes) -> bytes:
    """Return a single-row answer: the row's object with the context as its first member.

    Args:
        context: the absolute context URL; empty where no metadata is wanted.
        body: one JSON object.
    """
    if not context:
        return body
    rest = b"}" if body == b"{}" else b"," + body[1:]
    return b"".join((b'{"@odata.context":', quoted(context).encode(), rest))


def count_text(total: int) -> bytes:
    """Return the body of `/$count`: digits after a byte-order mark, as Dataverse sends them."""
    return BOM + str(total).encode()
