"""Views: queries that are stored under a name, those of the system and those of a user (Learn: "View (SavedQuery)")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import quoteattr

from entities.metadata.columns import Column, EntityNameType, ManagedPropertyType, RequiredLevel
from entities.metadata.declare import (
    ACTIVE_INACTIVE,
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    date_time,
    derived_id,
    integer,
    lookup,
    memo,
    owner_columns,
    plain,
    primary_id,
    state_and_status,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import COMPONENT_STATE
from entities.standard.identifiers import DEFAULT_SOLUTION
from entities.standard.references import reference, system_references
from entities.values import EntityReference, Guid, Record

_LONGEST: Final = 1_073_741_823
PUBLIC_VIEW: Final = 0
"""`querytype` of a view that users see in lists; 64 is the one that lookups use (Learn: "SavedQueryQueryType")."""


def _query_columns() -> tuple[Column, ...]:
    """Return the columns that both kinds of view have."""
    return (
        string("Name", 200, "Name", required=RequiredLevel.APPLICATION),
        memo("Description", 2000, "Description"),
        column("ReturnedTypeCode", EntityNameType(), "Entity Name", required=RequiredLevel.SYSTEM),
        integer("QueryType", "Query Type", required=RequiredLevel.SYSTEM),
        memo("FetchXml", _LONGEST, "FetchXml"),
        memo("LayoutXml", _LONGEST, "Layout XML"),
        memo("LayoutJson", _LONGEST, "Layout Json"),
        memo("ColumnSetXml", _LONGEST, "ColumnSetXml"),
        memo("ConditionalFormatting", _LONGEST, "Conditional Formatting"),
        memo("OfflineSqlQuery", _LONGEST, "Offline SQL Query"),
        memo("AdvancedGroupBy", _LONGEST, "Advanced Group By"),
        *state_and_status(*ACTIVE_INACTIVE),
        *audit_columns(),
    )


SAVED_QUERY: Final = with_ids(
    Table(
        "savedquery",
        "SavedQuery",
        "savedqueries",
        1039,
        "savedqueryid",
        "name",
        (
            primary_id("SavedQueryId", "View"),
            *_query_columns(),
            boolean("IsDefault", "Default View"),
            boolean("IsQuickFindQuery", "Is Quick Find Query"),
            boolean("IsUserDefined", "User Defined"),
            boolean("IsCustom", "Is Custom"),
            boolean("IsManaged", "State", **SERVER_SET),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            column("CanBeDeleted", ManagedPropertyType("canbedeleted"), "Can Be Deleted"),
            string("QueryAPI", 100, "Query API"),
            integer("QueryAppUsage", "Query App Usage"),
            integer("OrganizationTabOrder", "Organization Tab Order"),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            unique_identifier("SolutionId", "Solution", **SERVER_SET),
            unique_identifier("SavedQueryIdUnique", "Unique Id", **SERVER_SET),
            choice("ComponentState", COMPONENT_STATE, "Component State", **SERVER_SET),
            date_time("OverwriteTime", "Record Overwrite Time", **SERVER_SET),
            string("IntroducedVersion", 48, "Introduced Version"),
        ),
        plain("View"),
        plain("Views"),
        plain("Saved query against the database."),
    )
)

USER_QUERY: Final = with_ids(
    Table(
        "userquery",
        "UserQuery",
        "userqueries",
        4230,
        "userqueryid",
        "name",
        (
            primary_id("UserQueryId", "Saved View"),
            *_query_columns(),
            *owner_columns(),
        ),
        plain("Saved View"),
        plain("Saved Views"),
        plain("Saved database query that is owned by a user."),
        Ownership.USER,
    )
)

TABLES = (SAVED_QUERY, USER_QUERY)

RELATIONSHIPS: tuple[Relationship, ...] = (
    reference("savedquery", "organizationid", "organization", "organization_saved_queries"),
    *system_references(
        SAVED_QUERY, {"createdby": "lk_savedquerybase_createdby", "modifiedby": "lk_savedquerybase_modifiedby"}
    ),
    *system_references(USER_QUERY, {"ownerid": "owner_userquerys"}),
)


@dataclass(frozen=True, slots=True)
class View:
    """A view: its columns with their widths, the state of its rows, and whether it opens first.

    `primary_id` is that of the table where it is not called after it.
    """

    name: str
    table: str
    object_type_code: int
    columns: tuple[tuple[str, int], ...]
    state: int
    is_default: bool
    primary_id: str = ""

    @property
    def key(self) -> str:
        """The primary id of its table."""
        return self.primary_id or f"{self.table}id"


_ACCOUNT: Final = (("name", 300), ("telephone1", 100), ("address1_city", 100), ("primarycontactid", 150))
_CONTACT: Final = (("fullname", 300), ("emailaddress1", 150), ("parentcustomerid", 150), ("telephone1", 125))
_VIEWS: Final = (
    View("Active Accounts", "account", 1, _ACCOUNT, 0, is_default=True),
    View("Inactive Accounts", "account", 1, _ACCOUNT, 1, is_default=False),
    View("Active Contacts", "contact", 2, _CONTACT, 0, is_default=True),
    View("Inactive Contacts", "contact", 2, _CONTACT, 1, is_default=False),
)

_WELL_KNOWN: Final = {"Active Accounts": Guid("00000000-0000-0000-00aa-000010001002")}


def view_id(name: str) -> Guid:
    """Return the id of a view of the system, the same in every environment."""
    return _WELL_KNOWN.get(name) or derived_id("savedquery", name)


def view_rows(organization_id: Guid) -> Iterator[tuple[str, Record]]:
    """Yield the views that a fresh environment has.

    Args:
        organization_id: the environment's organization.
    """
    for view in _VIEWS:
        unique = derived_id("savedquery unique", view.name)
        record = view_record(view, organization_id)
        yield (
            "savedquery",
            {"savedqueryid": view_id(view.name), "savedqueryidunique": unique, **record, "ismanaged": True},
        )


def view_record(view: View, organization_id: Guid) -> Record:
    """Return the row of a public view, without its ids.

    Args:
        view: the view.
        organization_id: the environment's organization.
    """
    return {
        "organizationid": EntityReference("organization", organization_id),
        "solutionid": DEFAULT_SOLUTION,
        "name": view.name,
        "returnedtypecode": view.table,
        "querytype": PUBLIC_VIEW,
        "isdefault": view.is_default,
        "fetchxml": _fetch(view),
        "layoutxml": _layout(view),
        "componentstate": 0,
    }


def _fetch(view: View) -> str:
    shown = "".join(f"<attribute name={quoteattr(name)}/>" for name, _ in (*view.columns, (view.key, 0)))
    order = f'<order attribute={quoteattr(view.columns[0][0])} descending="false"/>'
    state = f'<filter type="and"><condition attribute="statecode" operator="eq" value="{view.state}"/></filter>'
    entity = f"<entity name={quoteattr(view.table)}>{shown}{order}{state}</entity>"
    return f'<fetch version="1.0" output-format="xml-platform" mapping="logical">{entity}</fetch>'


def _layout(view: View) -> str:
    cells = "".join(f'<cell name={quoteattr(name)} width="{width}"/>' for name, width in view.columns)
    row = f'<row name="result" id="{view.key}">{cells}</row>'
    jump = f'jump={quoteattr(view.columns[0][0])} select="1" icon="1" preview="1"'
    return f'<grid name="resultset" object="{view.object_type_code}" {jump}>{row}</grid>'
