"""How the columns beside a file or image column are called, and what a file's name tells of it."""

from __future__ import annotations

from mimetypes import MimeTypes


def name_column(column: str) -> str:
    """Return the column that shows the name of a file column's file."""
    return f"{column}_name"


def id_column(column: str) -> str:
    """Return the column that holds the id of an image column's image."""
    return f"{column}id"


def mime_type_of(name: str) -> str:
    """Return the type that a file's name tells, of those that every installation knows."""
    return MimeTypes(filenames=()).guess_type(name, strict=True)[0] or "application/octet-stream"
