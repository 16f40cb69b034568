"""The `$skiptoken` of the Organization Data Service: the number of the page, then each order term with its values.

    token = number *( "," name "," last "," first )      name, last, first = quoted / null

    1,'accountid','{LAST}','{FIRST}'

Order terms stand before the id, as in the paging cookie of the Web API. Reading is strict: a token that another query
or a hand made is refused.
"""

from __future__ import annotations

import re
from typing import Final

from entities.errors import MalformedRequest
from entities.query import PageAnchor
from entities.values import Value
from odata_server.bind.paging import Key, order_value, printed

_QUOTED: Final = r"'(?:[^']|'')*+'"
_TOKEN: Final = re.compile(rf"([1-9][0-9]{{0,8}})((?:,{_QUOTED},(?:{_QUOTED}|null),(?:{_QUOTED}|null))+)", re.DOTALL)
_TERM: Final = re.compile(rf",({_QUOTED}),({_QUOTED}|null),(?:{_QUOTED}|null)", re.DOTALL)


def skiptoken(keys: tuple[Key, ...], anchor: PageAnchor, first: tuple[Value, ...]) -> str:
    """Return the value of `$skiptoken`, not encoded yet, for the page that `anchor` begins.

    Args:
        keys: the order terms, the id last.
        anchor: number of the next page, and the order values of this page's last row.
        first: the order values of this page's first row.
    """
    terms = zip(keys, anchor.values, first, strict=True)
    return f"{anchor.number - 1}" + "".join(f",{_quoted(k.name)},{_end(x, k)},{_end(f, k)}" for k, x, f in terms)


def _end(value: Value, key: Key) -> str:
    return "null" if value is None else _quoted(printed(value, key))


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def read_skiptoken(token: str, keys: tuple[Key, ...]) -> PageAnchor:
    """Return where the page of a token begins.

    Args:
        token: the option's value, decoded.
        keys: the order terms of the query that it comes with.

    Raises:
        MalformedRequest: the token is malformed or belongs to another query.
    """
    whole = _TOKEN.fullmatch(token)
    if whole is None:
        raise _malformed()
    terms = _TERM.findall(whole[2])
    if tuple(_bare(name) for name, _ in terms) != tuple(key.name for key in keys):
        raise MalformedRequest("The $skiptoken belongs to a query with another order.", code="0x80041129")
    values = tuple(
        None if last == "null" else order_value(_bare(last), key) for (_, last), key in zip(terms, keys, strict=True)
    )
    if any(key.is_id and value is None for key, value in zip(keys, values, strict=True)):
        raise _malformed()
    return PageAnchor(int(whole[1]) + 1, values)


def _bare(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'")


def _malformed() -> MalformedRequest:
    return MalformedRequest("The $skiptoken is malformed.", code="0x80040203")
