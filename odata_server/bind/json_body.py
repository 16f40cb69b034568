"""A request body as JSON, read strictly: what two readers could understand differently is refused (RFC 8259 §4, §8).

Numbers with a fraction or exponent stay exact (`Decimal`); names must be unique, text must be Unicode, nesting is
bounded as Microsoft.OData bounds it (100 levels).
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn

from entities.errors import InvalidPayload

MAX_DEPTH: Final = 100
_TEXTS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b'{}[]"'))
_ONE_KIND: Final = bytes.maketrans(b"[]", b"{}")
_ESCAPES: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
"""What can bring a character into a text that no text may have."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _no_constant(text: str) -> NoReturn:
    raise InvalidPayload(f"Microsoft.OData.ODataException: '{text}' is no JSON number.")


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidPayload(
                    "Microsoft.OData.ODataException: Multiple properties with the name "
                    f"'{name}' were detected in a resource or resource set."
                )
            seen.add(name)
    return members


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique_members, parse_float=_decimal, parse_constant=_no_constant)


def read_object(body: bytes, what: str) -> dict[str, object]:
    """Return the JSON object in a body.

    Args:
        body: UTF-8 text, with or without byte-order mark.
        what: the entity set or operation, named in refusals.

    Raises:
        InvalidPayload: the body is empty, no JSON, no object, or ambiguous.
    """
    if not body or body.isspace():
        raise refusal(what, "Microsoft.OData.ODataException: The request has no body; a JSON object was expected.")
    _check_depth(body, what)
    try:
        text = body.removeprefix(BOM_UTF8).decode()
        found = _DECODER.decode(text)
        if "\\" in text and _ESCAPES.search(text) is not None:
            _check_text(found)
    except InvalidPayload as error:
        raise refusal(what, error.message) from error
    except (ValueError, RecursionError) as error:
        raise refusal(what, f"Microsoft.OData.ODataException: Invalid JSON. {_reason(error)}") from error
    if not isinstance(found, dict):
        raise refusal(what, "Microsoft.OData.ODataException: A JSON object was expected at the start of the body.")
    return found


def refusal(what: str, inner: str) -> InvalidPayload:
    """Return the error for a body that cannot be read, in Dataverse's frame (code 0x80048d19)."""
    return InvalidPayload(
        f"Error identified in Payload provided by the user for Entity :'{what}', For more information on this error "
        f"please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {inner}"
    )


def _reason(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at position {error.pos}."
        case UnicodeDecodeError():
            return f"The body is not UTF-8 at byte {error.start}."
        case RecursionError():
            return "The nesting is too deep."
        case _:
            return "A number is out of range."


def _check_depth(body: bytes, what: str) -> None:
    """Refuse deep nesting before any recursive reader sees it."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    brackets = _brackets(body)
    # Each turn takes the innermost ones away. Those of one kind that close the other are no JSON, whatever the depth.
    for _ in range(MAX_DEPTH):
        outer = brackets.replace(b"{}", b"")
        if len(outer) == len(brackets):
            return
        brackets = outer
    if brackets:
        raise refusal(what, f"Microsoft.OData.ODataException: The nesting exceeds {MAX_DEPTH} levels.")


def _brackets(body: bytes) -> bytes:
    """Return the brackets outside of texts, as if all were curly."""
    if b'\\"' not in body and b"\\\\" not in body:
        found = body.translate(_ONE_KIND, _NO_BRACKETS).replace(b'""', b"")
        if b'"' not in found:
            return found
    return _TEXTS.sub(b"", body).translate(_ONE_KIND, _NO_BRACKETS)


def _check_text(value: object) -> None:
    """Refuse text that no UTF-8 or no database can carry; only an escape can have brought it in."""
    match value:
        case str():
            if "\0" in value:
                raise InvalidPayload("System.ArgumentException: '.', hexadecimal value 0x00, is an invalid character.")
            if not value.isascii() and _SURROGATE.search(value):
                raise InvalidPayload("Microsoft.OData.ODataException: A string holds half of a surrogate pair.")
        case dict():
            for name, item in value.items():
                _check_text(name)
                _check_text(item)
        case list():
            for item in value:
                _check_text(item)
        case _:
            return
