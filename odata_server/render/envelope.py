"""What stands around the rows of an answer: context, counts, next link, and the brackets."""

from __future__ import annotations

from dataclasses import dataclass

from odata_server.render.values import quoted

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Totals:
    """The counts of a collection: `count` where `$count=true` asked, `annotated` where annotations were asked for.

    `total` is the capped number of matching rows; `exceeded` says that there are more than the cap; `metadata_version`
    is the catalog's.
    """

    count: bool = False
    annotated: bool = False
    total: int | None = None
    exceeded: bool = False
    metadata_version: int = 0


NO_TOTALS = Totals()


def collection(context: str, body: bytes, *, totals: Totals = NO_TOTALS, next_link: str | None = None) -> bytes:
    """Return a collection answer (OData JSON 4.01 §4.5: context, count, then the values, then the next link).

    Args:
        context: the absolute context URL.
        body: the rows' JSON objects joined by commas.
        totals: what to say about the number of matching rows.
        next_link: the absolute URL of the following page.
    """
    tail = b"]}" if next_link is None else b'],"@odata.nextLink":' + quoted(next_link).encode() + b"}"
    return b"".join((b'{"@odata.context":', quoted(context).encode(), _counts(totals), b',"value":[', body, tail))


def _counts(totals: Totals) -> bytes:
    """Return the count members; the annotations say -1 where nobody counted (Learn: "Count number of rows")."""
    parts = ""
    if totals.count and totals.total is not None:
        parts += f',"@odata.count":{totals.total}'
    if totals.annotated:
        known = totals.total if totals.count and totals.total is not None else -1
        parts += f',"@Microsoft.Dynamics.CRM.totalrecordcount":{known}'
        exceeded = "true" if totals.count and totals.exceeded else "false"
        parts += f',"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":{exceeded}'
        parts += f',"@Microsoft.Dynamics.CRM.globalmetadataversion":"{totals.metadata_version}"'
    return parts.encode()


def single(context: str, body: bytes) -> bytes:
    """Return a single-row answer: the row's object with the context as its first member.

    Args:
        context: the absolute context URL.
        body: one JSON object.
    """
    rest = b"}" if body == b"{}" else b"," + body[1:]
    return b"".join((b'{"@odata.context":', quoted(context).encode(), rest))


def count_text(total: int) -> bytes:
    """Return the body of `/$count`: digits after a byte-order mark, as Dataverse sends them."""
    return BOM + str(total).encode()
