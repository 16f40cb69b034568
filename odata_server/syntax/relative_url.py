"""A URL relative to the service root: path, question mark, query, and the one rule that concerns both."""

from odata_server.syntax.options import parse_query
from odata_server.syntax.paths import parse_path
from odata_server.syntax.request_trees import QueryOptions, ResourcePath, SystemName, SystemSegment
from odata_server.syntax.tokens import Dialect, SyntaxRefused


def parse_relative_url(text: str, *, dialect: Dialect = Dialect.DATAVERSE) -> tuple[ResourcePath, QueryOptions]:
    """Read a percent-encoded URL relative to the service root, as in a batch part or an `@odata.id`.

    Raises:
        SyntaxRefused: path or query is not well-formed, or `$entity` comes without `$id` or with options that need
            the entity's type to be named first (OData 4.01 Part 2 §4.12).
    """
    path_text, mark, query_text = text.partition("?")
    path = parse_path(path_text, dialect=dialect)
    options = parse_query(query_text, dialect=dialect)
    first = path.segments[0] if path.segments else None
    if isinstance(first, SystemSegment) and first.name is SystemName.ENTITY:
        is_shaped = options.select is not None or options.expand is not None
        if options.id is None or (is_shaped and len(path.segments) == 1):
            raise SyntaxRefused("Syntax error", text, len(path_text) + len(mark))
    return path, options
