"""Rules of user settings: every user has a row, its time zone is a known one, and the zone's rule follows from it."""

from __future__ import annotations

from entities.errors import InvalidArgument
from entities.messages import Create, Update
from entities.pipeline import ExecutionContext, Stage, Step
from entities.query import QueryExpression, equals
from entities.standard.identifiers import time_zone_definition_id
from entities.standard.lookups import first, referenced
from entities.time_zones import TIME_ZONES, UTC_CODE, Rule, rule_of, zone_named
from entities.values import EntityReference, Guid, Record, Value

UNKNOWN_TIME_ZONE = "0x800608f7"

_ENGLISH: Record = {
    "localeid": 1033,
    "uilanguageid": 1033,
    "helplanguageid": 1033,
    "dateformatstring": "M/d/yyyy",
    "dateformatcode": 0,
    "longdateformatcode": 0,
    "dateseparator": "/",
    "timeformatstring": "h:mm tt",
    "timeformatcode": 0,
    "timeseparator": ":",
    "amdesignator": "AM",
    "pmdesignator": "PM",
    "calendartype": 0,
    "decimalsymbol": ".",
    "numberseparator": ",",
    "numbergroupformat": "3",
    "negativeformatcode": 1,
    "currencyformatcode": 0,
    "negativecurrencyformatcode": 1,
    "fullnameconventioncode": 1,
    "workdaystarttime": "08:00",
    "workdaystoptime": "17:00",
    "paginglimit": 50,
    "defaultcalendarview": 0,
    "advancedfindstartupmode": 1,
    "defaultsearchexperience": 0,
    "issendasallowed": False,
}
_FROM_ORGANIZATION = ("localeid", "dateformatstring", "timeformatstring", "decimalsymbol", "numberseparator")


def user_settings_steps() -> tuple[Step, ...]:
    """Return the steps of the table usersettings, and those by which it follows systemuser."""
    return (
        Step("Create", "systemuser", Stage.POST_OPERATION, settle_user),
        Step("Update", "systemuser", Stage.POST_OPERATION, follow_user),
        Step("Create", "usersettings", Stage.PRE_OPERATION, complete_zone),
        Step("Update", "usersettings", Stage.PRE_OPERATION, complete_zone),
    )


def settings_row(user_id: Guid, business_unit_id: Guid | None, organization: Record) -> Record:
    """Return the settings of a user who has not chosen any: English (United States), UTC, the organization's formats.

    Args:
        user_id: the user.
        business_unit_id: the user's business unit.
        organization: the organization's row, empty where there is none yet.
    """
    own = {name: organization[name] for name in _FROM_ORGANIZATION if organization.get(name) is not None}
    place = {"systemuserid": user_id, "businessunitid": business_unit_id, "timezonecode": UTC_CODE}
    return {**_ENGLISH, **own, **place, "currencysymbol": organization.get("basecurrencysymbol") or "$"}


def settle_user(context: ExecutionContext) -> None:
    """Give a new user its settings."""
    if context.reference is None:
        return
    found = context.system.records(QueryExpression("organization", top=1))
    unit = referenced(context.record.get("businessunitid"))
    row = settings_row(context.reference.id, unit, found[0] if found else {})
    context.system.execute(Create("usersettings", row))


def follow_user(context: ExecutionContext) -> None:
    """Keep the business unit of the settings that of the user."""
    if "businessunitid" not in context.record or context.reference is None:
        return
    settings = EntityReference("usersettings", context.reference.id)
    if first(context.system, "usersettings", equals("systemuserid", settings.id), "systemuserid"):
        unit = referenced(context.record["businessunitid"])
        context.system.execute(Update(settings, {"businessunitid": unit}))


def complete_zone(context: ExecutionContext) -> None:
    """Check a time zone that is set, and compute what follows from it (Learn: "Specify time zone settings for a user").

    Raises:
        InvalidArgument: there is no such time zone (0x800608f7).
    """
    record = context.record
    if "timezonecode" not in record:
        return
    code = record["timezonecode"]
    zone = zone_named(code)
    if zone is None:
        shown = code if isinstance(code, int) else "null"
        raise InvalidArgument(
            f"Time Zone Code {shown} specified is not recognized. Please specify a valid Time Zone Code value.",
            code=UNKNOWN_TIME_ZONE,
        )
    record.update(_zone_columns(rule_of(zone, context.system.now.year)))


def _zone_columns(rule: Rule) -> dict[str, Value]:
    columns: dict[str, Value] = {
        "timezonebias": rule.bias,
        "timezonestandardbias": 0,
        "timezonedaylightbias": rule.daylight_bias,
    }
    for name, change in (("standard", rule.standard), ("daylight", rule.daylight)):
        columns |= {
            f"timezone{name}year": 0,
            f"timezone{name}month": change.month,
            f"timezone{name}day": change.day,
            f"timezone{name}dayofweek": change.weekday,
            f"timezone{name}hour": change.hour,
            f"timezone{name}minute": change.minute,
            f"timezone{name}second": 0,
        }
    return columns


def time_zone_rows() -> tuple[tuple[str, Record], ...]:
    """Return the rows of the table timezonedefinition."""
    return tuple(
        (
            "timezonedefinition",
            {
                "timezonedefinitionid": time_zone_definition_id(zone.code),
                "timezonecode": zone.code,
                "standardname": zone.standard_name,
                "daylightname": zone.daylight_name,
                "userinterfacename": zone.interface_name,
                "bias": zone.bias,
                "retiredorder": 0,
            },
        )
        for zone in TIME_ZONES.values()
    )
