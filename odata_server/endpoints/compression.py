"""Answers in fewer bytes: gzip for those who accept it (RFC 9110 §8.4, §12.5.3)."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Final

from odata_server.endpoints.exchange import ODataResponse

SMALLEST: Final = 1_400
"""Bytes that travel in one packet anyway: compressing them costs time and saves none."""

_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31
_TEXTS: Final = ("application/json", "application/xml", "application/atom", "text/")
_VARY: Final = ("Vary", "Accept-Encoding")


def compressed(answer: ODataResponse, accepted: str) -> ODataResponse:
    """Return an answer in gzip where the request accepts it, the body is long enough, and it is text.

    Args:
        answer: the whole answer.
        accepted: the request's header Accept-Encoding.
    """
    if len(answer.body) < SMALLEST or not accepts_gzip(accepted):
        return answer
    given = dict(answer.headers)
    if not given.get("Content-Type", "").startswith(_TEXTS) or "Content-Encoding" in given:
        return answer
    writer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    body = writer.compress(answer.body) + writer.flush()
    vary = () if _VARY in answer.headers else (_VARY,)
    return ODataResponse(answer.status, (*answer.headers, ("Content-Encoding", "gzip"), *vary), body)


@lru_cache(maxsize=256)
def accepts_gzip(header: str) -> bool:
    """Say whether an Accept-Encoding header takes gzip; the name counts before the star."""
    weights: dict[str, float] = {}
    for piece in header.lower().split(","):
        name, *parameters = (part.strip() for part in piece.split(";"))
        weights[name] = _weight(parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
