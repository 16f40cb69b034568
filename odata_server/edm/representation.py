"""How a row looks on the wire: an ordered list of JSON members, bound before the query runs.

One value drives both ways of making the JSON: the SQL compiler turns it into `json_object(...)`, `render.rows` walks
it over records. Both must give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from entities.display import ENGLISH, Display
from entities.metadata.columns import ColumnType
from entities.query import ColumnRef


class Facet(Enum):
    """What of a column a member shows."""

    VALUE = "value"
    """The value in the Web API's form; a lookup shows its GUID."""
    FORMATTED = "formatted"
    """OData.Community.Display.V1.FormattedValue; the member is left out where the value is null."""
    LOOKUP_LOGICAL_NAME = "lookup logical name"
    """Microsoft.Dynamics.CRM.lookuplogicalname; left out where the value is null."""
    NAVIGATION = "associated navigation property"
    """Microsoft.Dynamics.CRM.associatednavigationproperty; left out where the value is null."""
    ETAG = "etag"
    """`W/"<versionnumber>"`; the column is versionnumber."""
    ENTITY_ID = "entity id"
    """The absolute URL of a record: the member's `base` with the id in place of `{id}`."""
    TYPE = "type"
    """The text in `base`: the OData type of a row or of a value (`#Guid`); left out where the column is null."""
    VALUE_AS_TEXT = "value as text"
    """An Int64 or Decimal value as a JSON string (IEEE754Compatible)."""
    AGGREGATE = "aggregate"
    """An aggregated exact number; the type is that of the result."""
    AGGREGATE_AS_TEXT = "aggregate as text"
    """An aggregated exact number as a JSON string (IEEE754Compatible)."""
    AGGREGATE_FORMATTED = "formatted aggregate"
    """The display text of an aggregated exact number; the type is that of the aggregated column."""
    FINANCE_ETAG = "finance-and-operations etag"
    """`W/"<base64 of 'version,record id'>"`."""
    FINANCE_VALUE = "finance-and-operations value"
    """The value in the `/data` dialect: choices by external name, no nulls for text, dates and numbers."""


@dataclass(frozen=True, slots=True)
class Member:
    """One JSON member of a row.

    `names` maps option values to texts (FORMATTED and FINANCE_VALUE of choices, 0 and 1 for booleans) or target
    tables to navigation properties (NAVIGATION). `lookup_name` is (table, primary id, primary name) per target, for
    FORMATTED of a lookup. `omits_null` leaves the member out where there is no value, as rows of groups do.
    `display` says how display texts are written for the caller.
    """

    name: str
    facet: Facet
    column: ColumnRef
    type: ColumnType
    names: tuple[tuple[int | str, str], ...] = ()
    lookup_names: tuple[tuple[str, str, str], ...] = ()
    base: str = ""
    omits_null: bool = False
    display: Display = ENGLISH


@dataclass(frozen=True, slots=True)
class PageCookie:
    """What a next link says behind its options where a full page of `size` records was shown.

    The texts stand before the id (in the column `key`) of the page's last record, between it and that of the first
    one, and behind that.
    """

    key: str
    size: int
    before: str
    between: str
    after: str


@dataclass(frozen=True, slots=True)
class NextLink:
    """The URL of an expanded collection: `before`, the row's id (in the column `key`), `after`.

    Without a `cookie` the link is always there and leads to the same records; with one it leads to those behind a
    full page and is there behind a full page only (Learn: "Join tables", single and nested $expand).
    """

    key: str
    before: str
    after: str
    cookie: PageCookie | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """An expanded navigation property: the records of one of the query's expansions under the property's name.

    A property over a lookup with several targets (`ownerid`) takes one expansion per target and shows the one that has
    a record; `shapes` are those of the records, in the order of the query's expansions.
    """

    name: str
    shapes: tuple[RowShape, ...]
    is_collection: bool = False
    link: NextLink | None = None


@dataclass(frozen=True, slots=True)
class RowShape:
    """The members of each row of a table in wire order, expanded records behind them.

    It is hashed once, because plans are kept by it.
    """

    table: str
    members: tuple[Member, ...]
    expanded: tuple[Expanded, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.table, self.members, self.expanded)))

    def __hash__(self) -> int:
        return self._hash
