"""Entity tags: how a row version looks on the wire."""

from __future__ import annotations

from base64 import b64encode

_RECORD_NUMBER_DIGITS = 16


def web_api_etag(version: int) -> str:
    """Return the weak entity tag of a row version (Learn: "Perform conditional operations")."""
    return f'W/"{version}"'


def finance_etag(version: int, record_id: str) -> str:
    """Return the entity tag of finance-and-operations: base64 of `'version,record number'`.

    Args:
        version: the row version.
        record_id: the record's id, whose last 16 hexadecimal digits are the record number.
    """
    number = int(record_id.replace("-", "")[-_RECORD_NUMBER_DIGITS:], 16)
    return f'W/"{b64encode(f"{chr(39)}{version},{number}{chr(39)}".encode()).decode()}"'
