"""Percent-decoding of the pieces of a URL, after it has been split (OData 4.01 Part 2 §2).

The order matters: the URL is split at `/`, `?`, `&` and `=` while still encoded, then each piece is decoded once.
"""

import re
from urllib.parse import quote, unquote

from odata_server.syntax.tokens import SyntaxRefused

_BAD_TRIPLET = re.compile(r"%(?![0-9A-Fa-f]{2})").search
# What RFC 3986 allows unencoded in a path segment and in a query value; "+" is a space there, "&" and "=" split.
_SAFE_IN_PATH = "!$&'()*+,;=:@-._~"
_SAFE_IN_QUERY = "!$'()*,;:@/?-._~"
# No text of XML or of PostgreSQL holds U+0000; the words are those of .NET's XML reader.
_NULL = "Hexadecimal value 0x00, is an invalid character"


def decode_segment(piece: str) -> str:
    """Decode a path segment; a plus sign is itself.

    Raises:
        SyntaxRefused: a percent sign without two hexadecimal digits, bytes that are not UTF-8, or U+0000.
    """
    return _decoded(piece, piece) if "%" in piece else piece


def decode_query(piece: str) -> str:
    """Decode the name or the value of a query option; a plus sign is a space (Part 2 §5, form encoding).

    Raises:
        SyntaxRefused: a percent sign without two hexadecimal digits, bytes that are not UTF-8, or U+0000.
    """
    text = piece.replace("+", " ") if "+" in piece else piece
    return _decoded(text, piece) if "%" in text else text


def _decoded(text: str, piece: str) -> str:
    bad = _BAD_TRIPLET(text)
    if bad is not None:
        raise SyntaxRefused("A percent sign needs two hexadecimal digits", piece, bad.start())
    if "%00" in text:
        raise SyntaxRefused(_NULL, piece, text.index("%00"))
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise SyntaxRefused("The percent-encoded bytes are not UTF-8", piece, text.index("%")) from None


def encode_segment(text: str) -> str:
    """Encode a decoded path segment.

    Raises:
        SyntaxRefused: the text holds half a surrogate pair, or U+0000.
    """
    return _encoded(text, _SAFE_IN_PATH)


def encode_query(text: str) -> str:
    """Encode the decoded name or value of a query option.

    Raises:
        SyntaxRefused: the text holds half a surrogate pair, or U+0000.
    """
    return _encoded(text, _SAFE_IN_QUERY)


def _encoded(text: str, safe: str) -> str:
    if "\0" in text:
        raise SyntaxRefused(_NULL, text, text.index("\0"))
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError as error:
        raise SyntaxRefused("Half a surrogate pair has no UTF-8 form", text, error.start) from None
