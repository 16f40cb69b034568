"""The best that PostgreSQL can do for the measured reads: statements written by hand, prepared, made JSON by orjson.

A column whose name ends with `:json` is JSON already. Every row of a result is a row of the answer; a count stands in
front of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg

from benchmarks.workloads import ALL_COLUMNS, LARGE_PAGE_ROWS, PAGE_ROWS, Read, boolean_columns, lookup_columns
from entities.standard.environment import standard_catalog
from odata_server.edm.naming import columns_of_rows

_JSON: Final = ":json"
_COUNT: Final = "@odata.count"
_ETAG: Final = """'W/"' || {}versionnumber || '"' AS "@odata.etag\""""


def _contacts(columns: str, rest: str, rows: int = PAGE_ROWS, more: str = "") -> str:
    return f"SELECT {more}{_ETAG.format('')}, {columns}, contactid FROM contact {rest} LIMIT {rows}"  # noqa: S608 - no input


def _expanded_lookup() -> str:
    account = "(SELECT row_to_json(x)::text FROM (SELECT a.name, a.accountnumber, a.accountid) AS x)"
    return (
        f"SELECT {_ETAG.format('c.')}, c.fullname, c.contactid, CASE WHEN a.accountid IS NOT NULL THEN {account} END"  # noqa: S608 - no input
        ' AS "parentcustomerid_account:json" FROM contact AS c LEFT JOIN account AS a'
        f" ON a.accountid = c.parentcustomerid ORDER BY c.contactid LIMIT {PAGE_ROWS}"
    )


def _expanded_collection() -> str:
    contact = (
        f'SELECT {_ETAG.format("")}, fullname, emailaddress1, parentcustomerid AS "_parentcustomerid_value", contactid'  # noqa: S608 - no input
        " FROM contact WHERE parentcustomerid = a.accountid ORDER BY contactid"
    )
    contacts = f"(SELECT '[' || coalesce(string_agg(row_to_json(x)::text, ','), '') || ']' FROM ({contact}) AS x)"  # noqa: S608 - no input
    link = "/contact_customer_accounts?$select=fullname,emailaddress1"
    return (
        f'SELECT {_ETAG.format("")}, name, accountid, {contacts} AS "contact_customer_accounts:json",'  # noqa: S608 - no input
        f" $1 || '/accounts(' || accountid || '){link}' AS \"contact_customer_accounts@odata.nextLink\""
        f" FROM account AS a ORDER BY accountid LIMIT {PAGE_ROWS}"
    )


def _counted_page() -> str:
    where = "WHERE \"jobtitle$fold\" = 'buyer' AND statecode = 0"
    count = f"(SELECT least(count(*), 5000) FROM (SELECT 1 FROM contact {where} LIMIT 5001) AS c)"  # noqa: S608 - no input
    return _contacts("fullname, jobtitle", f"{where} ORDER BY contactid", more=f'{count} AS "{_COUNT}", ')


def _all_columns() -> str:
    booleans, lookups = boolean_columns(), lookup_columns()
    names = [column.logical_name for column in columns_of_rows(standard_catalog(1).tables["contact"])]
    shown = ", ".join(
        f"{name} = 1 AS {name}" if name in booleans else f'{name} AS "_{name}_value"' if name in lookups else name
        for name in names
    )
    return f"SELECT {_ETAG.format('')}, {shown} FROM contact ORDER BY contactid LIMIT {PAGE_ROWS}"  # noqa: S608 - no input


def statements() -> Mapping[str, str]:
    """Return the statements by the name of the read; `$1` is the contact's id or the URL of the service."""
    point = "fullname, jobtitle, telephone1, emailaddress1, address1_city, createdon, address1_composite"
    begins = "statecode = 0 AND \"fullname$fold\" >= 'maria 1' AND \"fullname$fold\" < 'maria 2'"
    large = "fullname, jobtitle, telephone1, emailaddress1, lastname, createdon"
    return {
        "Q1": _contacts(point, "WHERE contactid = $1", 1),
        "Q2": _contacts("fullname, emailaddress1", "ORDER BY contactid"),
        "Q3": _contacts(
            "fullname, emailaddress1, createdon", f"WHERE {begins} ORDER BY createdon DESC NULLS LAST, contactid"
        ),
        "Q4": _contacts(large, "ORDER BY contactid", LARGE_PAGE_ROWS),
        "Q5": _expanded_lookup(),
        "Q6": _expanded_collection(),
        "Q7": _counted_page(),
        "Q8": (
            "SELECT min(address1_city) AS address1_city, count(*) AS count FROM contact WHERE numberofchildren < 2"
            ' GROUP BY "address1_city$fold" ORDER BY "address1_city$fold"'
        ),
        ALL_COLUMNS: _all_columns(),
    }


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """A connection to the rows, and the URL of the service whose answers are made."""

    connection: psycopg.Connection[Any]
    root: str

    def body(self, read: Read, contact_id: str) -> bytes:
        """Return the body of the answer to a read."""
        return self.call(read)(contact_id)

    def call(self, read: Read) -> Callable[[str], bytes]:
        """Return what makes the body of the answers to a read, given the id of a contact."""
        head = f'{{"@odata.context":"{self.root}/$metadata#{read.context}'.encode()
        tail = read.tail.encode()
        sql = statements()[read.name]
        is_single = not read.tail
        known = (self.root,) if ":root" in read.sql else ()

        def made(contact_id: str) -> bytes:
            cursor = self.connection.execute(sql, known or (contact_id,) if "$1" in sql else None)
            body = orjson.dumps(_objects(cursor))[1:-1]
            return head + (body[1:] if is_single else body) + tail

        def counted(_: str) -> bytes:
            objects = _objects(self.connection.execute(sql))
            counts = [found.pop(_COUNT) for found in objects]
            return head + b'%d,"value":[' % counts[0] + orjson.dumps(objects)[1:-1] + tail

        return counted if _COUNT in sql else made


def _objects(cursor: psycopg.Cursor[Any]) -> list[dict[str, object]]:
    assert cursor.description is not None
    names = [column.name for column in cursor.description]
    if not any(name.endswith(_JSON) for name in names):
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    shown = [name.removesuffix(_JSON) for name in names]
    places = [place for place, name in enumerate(names) if name.endswith(_JSON)]
    made = []
    for row in cursor.fetchall():
        found = dict(zip(shown, row, strict=True))
        for place in places:
            found[shown[place]] = None if row[place] is None else orjson.Fragment(row[place])
        made.append(found)
    return made
