"""The workloads: what each request asks for, the statement written by hand that answers it, and the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from entities.metadata.columns import BooleanType, Column, LookupType
from entities.standard.environment import standard_catalog
from odata_server.edm.naming import columns_of_rows

ROW: Final = "Q1"
PAGE: Final = "Q2"
CREATE: Final = "create"
UPDATE: Final = "update"
UPDATED: Final = ("telephone1", "numberofemployees")
"""The columns that an update changes; no index holds them."""
ALL_COLUMNS: Final = "all columns"
PAGE_ROWS: Final = 50
_WRITE_GOAL: Final = 0.40
LARGE_PAGE_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Read:
    """A read and the best that the database can do for it.

    Attributes:
        name: how the report and the option `--only` call it.
        title: what it is, in words.
        path: entity set, with `{id}` in the place of a contact's id.
        query: the query options, unencoded.
        context: what follows `$metadata#` in the answer, then everything up to the rows.
        sql: gives the rest of the body, as bytes; its parameters are `:id` and `:root`, the URL of the service.
        tail: what ends the body.
        goal: the part of the limit to reach; None for a read that is only shown.
    """

    name: str
    title: str
    path: str
    query: str
    context: str
    sql: str
    tail: str
    goal: float | None

    @property
    def target(self) -> str:
        """The path and query as they are sent, with `{id}` in the place of an id."""
        return f"{self.path}?{quote(self.query, safe='$=&,();/*')}"

    @property
    def shape(self) -> str:
        """The request for the report."""
        return f"`GET {self.path.replace('{id}', '<random id>')}?{self.query}`"


def _etag(alias: str = "") -> str:
    return f"""'@odata.etag', 'W/"' || {alias}versionnumber || '"'"""


def _members(columns: str, alias: str = "") -> str:
    """Return the arguments of `json_object` for columns that are stored as they are shown."""
    return ", ".join(f"'{name}', {alias}{name}" for name in columns.split(","))


def _page(row: str, source: str) -> str:
    """Return the statement that makes the rows of a page."""
    return f"SELECT CAST(group_concat(j, ',') AS BLOB) FROM (SELECT {row} AS j {source})"  # noqa: S608 - no input


def _contacts(columns: str, source: str, rows: int = PAGE_ROWS) -> str:
    row = f"json_object({_etag()}, {_members(columns)}, 'contactid', contactid)"
    return _page(row, f"FROM contact {source} LIMIT {rows}")


def _point_read() -> Read:
    columns = "fullname,jobtitle,telephone1,emailaddress1,address1_city,createdon,address1_composite"
    row = f"json_object({_etag()}, {_members(columns)}, 'contactid', contactid)"
    return Read(
        ROW,
        "point read",
        "contacts({id})",
        f"$select={columns}",
        f'contacts({columns})/$entity",',
        f"SELECT CAST(substr({row}, 2) AS BLOB) FROM contact WHERE contactid = :id",  # noqa: S608 - no input
        "",
        0.60,
    )


def _small_page() -> Read:
    columns = "fullname,emailaddress1"
    sql = _contacts(columns, "ORDER BY contactid")
    query = f"$select={columns}&$top={PAGE_ROWS}"
    return _of_contacts(PAGE, f"page of {PAGE_ROWS} rows", query, columns, sql, goal=0.60)


def _of_contacts(name: str, title: str, query: str, columns: str, sql: str, *, goal: float | None) -> Read:
    shown = f"({columns})" if columns else ""
    return Read(name, title, "contacts", query, f'contacts{shown}","value":[', sql, "]}", goal)


def _filtered_page() -> Read:
    columns = "fullname,emailaddress1,createdon"
    where = "statecode = 0 AND \"fullname$fold\" >= 'maria 1' AND \"fullname$fold\" < 'maria 2'"
    sql = _contacts(columns, f"WHERE {where} ORDER BY createdon DESC, contactid")
    query = (
        f"$select={columns}&$filter=startswith(fullname,'Maria 1') and statecode eq 0"
        f"&$orderby=createdon desc&$top={PAGE_ROWS}"
    )
    return _of_contacts("Q3", "filter and order", query, columns, sql, goal=0.45)


def _large_page() -> Read:
    columns = "fullname,jobtitle,telephone1,emailaddress1,lastname,createdon"
    sql = _contacts(columns, "ORDER BY contactid", LARGE_PAGE_ROWS)
    query = f"$select={columns}&$top={LARGE_PAGE_ROWS}"
    return _of_contacts("Q4", f"{LARGE_PAGE_ROWS:,} rows", query, columns, sql, goal=0.55)


def _expanded_lookup() -> Read:
    account = f"json_object({_members('name,accountnumber,accountid', 'a.')})"
    row = (
        f"json_object({_etag('c.')}, 'fullname', c.fullname, 'contactid', c.contactid, 'parentcustomerid_account', "
        f"CASE WHEN a.accountid IS NULL THEN NULL ELSE {account} END)"
    )
    source = (
        "FROM contact AS c LEFT JOIN account AS a ON a.accountid = c.parentcustomerid "
        f"ORDER BY c.contactid LIMIT {PAGE_ROWS}"
    )
    expand = "parentcustomerid_account($select=name,accountnumber)"
    query = f"$select=fullname&$expand={expand}&$top={PAGE_ROWS}"
    columns = f"fullname,{expand.replace('$select=', '')}"
    return _of_contacts("Q5", "expanded lookup", query, columns, _page(row, source), goal=0.60)


def _expanded_collection() -> Read:
    contact = (
        f"json_object({_etag()}, {_members('fullname,emailaddress1')}, '_parentcustomerid_value', parentcustomerid, "
        "'contactid', contactid)"
    )
    inner = f"SELECT {contact} AS j FROM contact WHERE parentcustomerid = a.accountid ORDER BY contactid"  # noqa: S608 - no input
    contacts = f"(SELECT coalesce(group_concat(j, ','), '') FROM ({inner}))"  # noqa: S608 - no input
    row = (
        f"""substr(j, 1, length(j) - 1) || ',"contact_customer_accounts":[' || {contacts} || """
        """'],"contact_customer_accounts@odata.nextLink":"' || :root || '/accounts(' || accountid || """
        """')/contact_customer_accounts?$select=fullname,emailaddress1"}'"""
    )
    accounts = (
        f"(SELECT json_object({_etag()}, {_members('name,accountid')}) AS j, accountid FROM account "  # noqa: S608 - no input
        f"ORDER BY accountid LIMIT {PAGE_ROWS}) AS a"
    )
    return Read(
        "Q6",
        "expanded collection",
        "accounts",
        f"$select=name&$expand=contact_customer_accounts($select=fullname,emailaddress1)&$top={PAGE_ROWS}",
        'accounts(name,contact_customer_accounts(fullname,emailaddress1))","value":[',
        _page(row, f"FROM {accounts}"),
        "]}",
        0.50,
    )


def _counted_page() -> Read:
    columns = "fullname,jobtitle"
    # What decides more often stands first: SQLite reads a row only as far as it must.
    where = "WHERE \"jobtitle$fold\" = 'buyer' AND statecode = 0"
    count = f"SELECT min(count(*), 5000) FROM (SELECT 1 FROM contact {where} LIMIT 5001)"  # noqa: S608 - no input
    rows = _contacts(columns, f"{where} ORDER BY contactid")
    sql = f"""SELECT CAST(({count}) || ',"value":[' || ({rows}) AS BLOB)"""
    return Read(
        "Q7",
        "filter and count",
        "contacts",
        f"$select={columns}&$filter=jobtitle eq 'Buyer' and statecode eq 0&$count=true&$top={PAGE_ROWS}",
        f'contacts({columns})","@odata.count":',
        sql,
        "]}",
        0.65,
    )


def _groups() -> Read:
    row = "json_object('address1_city', address1_city, 'count', count(*))"
    # Texts that differ in case only are one group: grouped is by the fold that stands beside the text.
    source = 'FROM contact WHERE numberofchildren < 2 GROUP BY "address1_city$fold" ORDER BY "address1_city$fold"'
    query = "$apply=filter(numberofchildren lt 2)/groupby((address1_city),aggregate($count as count))"
    return _of_contacts("Q8", "groups of 40 % of all rows", query, "", _page(row, source), goal=0.80)


def _all_columns() -> Read:
    members = ", ".join(_member(column) for column in columns_of_rows(standard_catalog(1).tables["contact"]))
    sql = _page(f"json_object({_etag()}, {members})", f"FROM contact ORDER BY contactid LIMIT {PAGE_ROWS}")
    title = f"{PAGE_ROWS} rows without $select"
    return _of_contacts(ALL_COLUMNS, title, f"$top={PAGE_ROWS}", "", sql, goal=None)


def _member(column: Column) -> str:
    name = column.logical_name
    match column.type:
        case BooleanType():
            return f"'{name}', CASE {name} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END"
        case LookupType():
            return f"'_{name}_value', {name}"
        case _:
            return f"'{name}', {name}"


def boolean_columns() -> frozenset[str]:
    """Return the columns of a contact that are shown as true or false."""
    return _contact_columns(BooleanType)


def lookup_columns() -> frozenset[str]:
    """Return the columns of a contact that are shown as `_name_value`."""
    return _contact_columns(LookupType)


def _contact_columns(type_: type[BooleanType | LookupType]) -> frozenset[str]:
    columns = columns_of_rows(standard_catalog(1).tables["contact"])
    return frozenset(column.logical_name for column in columns if isinstance(column.type, type_))


def all_reads() -> tuple[Read, ...]:
    """Return the measured reads in the order of the report."""
    return (
        _point_read(),
        _small_page(),
        _filtered_page(),
        _large_page(),
        _expanded_lookup(),
        _expanded_collection(),
        _counted_page(),
        _groups(),
        _all_columns(),
    )


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as the report shows it: its name for `--only`, its title, its request and its goal."""

    name: str
    title: str
    shape: str
    goal: float | None


def all_workloads() -> tuple[Workload, ...]:
    """Return all workloads in the order of the report."""
    reads = (Workload(read.name, read.title, read.shape, read.goal) for read in all_reads())
    return (
        *reads,
        Workload(CREATE, "one account", "`POST accounts` (6 columns)", _WRITE_GOAL),
        Workload(UPDATE, "one account", f"`PATCH accounts(<random id>)` ({len(UPDATED)} columns)", _WRITE_GOAL),
    )
