"""What relative conditions depend on, read where it is kept: the organization's row and the management hierarchy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime

from entities.metadata.catalog import Catalog
from entities.query import QueryExpression
from entities.relative.settings import CallerSettings, FiscalSettings, PeriodType
from entities.values import Guid, Record
from odata_server.engine import reading
from odata_server.engine.database import Connection, SqlRow
from odata_server.engine.reading import PlanCache
from security.principals import Principal

_LEVELS = 3
"""Levels of managers where the organization says nothing (Learn: "Hierarchy security", depth)."""

_REPORTS = (
    "WITH RECURSIVE report (id, level) AS (SELECT $1, 0 UNION"
    " SELECT u.systemuserid, r.level + 1 FROM report AS r"
    " JOIN systemuser AS u ON u.parentsystemuserid = r.id WHERE r.level < $2)"
    " SELECT DISTINCT id FROM report WHERE id <> $1 ORDER BY id"
)
# As for the caller's own teams: access teams own nothing.
_TEAMS = (
    "SELECT DISTINCT m.teamid FROM teammembership AS m JOIN team AS t ON t.teamid = m.teamid"
    " WHERE m.systemuserid IN ({}) AND coalesce(t.teamtype, 0) <> 1 ORDER BY m.teamid"
)


def caller_settings(
    connection: Connection, plans: PlanCache, catalog: Catalog, principal: Principal, now: datetime
) -> CallerSettings:
    """Return what relative conditions of a caller are resolved with.

    An environment without organization, and columns without value, count as Dataverse sets them up: weeks begin on
    Sunday, fiscal years on 1 January with four quarters. Time zone and language are the caller's own.

    Args:
        connection: a connection that may read.
        plans: the environment's compiled plans.
        catalog: the metadata of the database.
        principal: who asks.
        now: the time of the request.
    """
    organization = _organization(connection, plans, catalog)
    reports: tuple[Guid, ...] = ()
    teams: tuple[Guid, ...] = ()
    if organization.get("ishierarchicalsecuritymodelenabled"):
        levels = _number(organization, "maxdepthforhierarchicalsecuritymodel", _LEVELS)
        reports = _ids(connection.execute(_REPORTS, (principal.caller.user_id, levels)))
        of_reports = _TEAMS.format(connection.dialect.members("$1"))
        teams = _ids(connection.execute(of_reports, (json.dumps(reports),)))
    return CallerSettings(
        now,
        principal.caller.user_id,
        principal.caller.business_unit_id,
        principal.team_ids,
        language=principal.display.language,
        time_zone=principal.display.time_zone,
        week_start=_number(organization, "weekstartdaycode", 0),
        fiscal=_fiscal(organization),
        report_ids=reports,
        report_team_ids=teams,
    )


def _organization(connection: Connection, plans: PlanCache, catalog: Catalog) -> Record:
    if "organization" not in catalog.tables:
        return {}
    found = reading.read_records(connection, plans, catalog, QueryExpression("organization", top=1)).records
    return found[0] if found else {}


def _fiscal(organization: Record) -> FiscalSettings:
    start = organization.get("fiscalcalendarstart")
    known = _number(organization, "fiscalperiodtype", PeriodType.QUARTERLY)
    return FiscalSettings(
        # The calendar has no time zone: the date is the one that is stored.
        date(start.year, start.month, start.day) if isinstance(start, date) else FiscalSettings().start,
        PeriodType(known) if known in set(PeriodType) else PeriodType.QUARTERLY,
        named_by_end=organization.get("fiscalyeardisplaycode") == _NAMED_BY_END,
    )


_NAMED_BY_END = 2


def _number(record: Record, column: str, otherwise: int) -> int:
    value = record.get(column)
    return value if isinstance(value, int) else otherwise


def _ids(rows: Iterable[SqlRow]) -> tuple[Guid, ...]:
    return tuple(Guid(str(found)) for (found,) in rows)
