"""Functions about the organization: versions, languages, record counts, time zones, and which tables can be related.

Learn: "Web API Function Reference", the pages of these functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from entities.errors import InvalidArgument
from entities.metadata.tables import Table, TableKind
from entities.pipeline import ExecutionContext, Handler, Stage, Step
from entities.query import ALL_ROWS, QueryExpression
from entities.standard.customer_rules import composite_address
from entities.standard.lookups import by_id, first
from entities.time_zones import TIME_ZONES, zone_info, zone_named
from entities.values import EntityReference, Guid, Record

_ENDPOINTS = (
    ("WebApplication", "/"),
    ("OrganizationService", "/XRMServices/2011/Organization.svc"),
    ("OrganizationDataService", "/XRMServices/2011/OrganizationData.svc"),
)

_ADDRESS = "address1_"


def organization_function_steps(organization_id: Guid, version: str) -> tuple[Step, ...]:
    """Return the handlers of these functions.

    Args:
        organization_id: the environment's organization.
        version: its version of Dataverse.
    """

    def retrieve_current_organization(context: ExecutionContext) -> None:
        context.result = {"Detail": organization_detail(context, organization_id, version)}

    handlers: Mapping[str, Handler] = {
        "RetrieveCurrentOrganization": retrieve_current_organization,
        "RetrieveTimestamp": retrieve_timestamp,
        "RetrieveTotalRecordCount": retrieve_total_record_count,
        "RetrieveAvailableLanguages": retrieve_available_languages,
        "RetrieveProvisionedLanguages": retrieve_provisioned_languages,
        "RetrieveDeprovisionedLanguages": retrieve_deprovisioned_languages,
        "RetrieveInstalledLanguagePacks": retrieve_installed_language_packs,
        "RetrieveInstalledLanguagePackVersion": partial(language_pack_version, version=version),
        "RetrieveProvisionedLanguagePackVersion": partial(language_pack_version, version=version),
        "RetrieveExchangeRate": retrieve_exchange_rate,
        "GetAllTimeZonesWithDisplayName": get_all_time_zones,
        "GetTimeZoneCodeByLocalizedName": get_time_zone_code,
        "LocalTimeFromUtcTime": local_time_from_utc_time,
        "UtcTimeFromLocalTime": utc_time_from_local_time,
        "FormatAddress": format_address,
        "GetValidManyToMany": get_valid_many_to_many,
        "GetValidReferencedEntities": get_valid_referenced_entities,
        "GetValidReferencingEntities": get_valid_referencing_entities,
        "CanBeReferenced": can_be_referenced,
        "CanBeReferencing": can_be_referencing,
        "CanManyToMany": can_many_to_many,
    }
    return tuple(Step(name, None, Stage.MAIN, handler) for name, handler in handlers.items())


def organization_detail(context: ExecutionContext, organization_id: Guid, version: str) -> dict[str, object]:
    """Return the complex value OrganizationDetail.

    The parameters `ServiceUrl` and `TenantId` are what only the request knows: its server and tenant.
    """
    name = _organization(context).get("name")
    url = str(context.parameters["ServiceUrl"])
    unique_name = f"unq{organization_id.replace('-', '')[:22]}"
    return {
        "OrganizationId": organization_id,
        "FriendlyName": name,
        "OrganizationVersion": version,
        "EnvironmentId": organization_id,
        "Geo": None,
        "TenantId": context.parameters["TenantId"],
        "UrlName": url.partition("://")[2].partition(":")[0].partition(".")[0],
        "UniqueName": unique_name,
        "Endpoints": {
            "Count": len(_ENDPOINTS),
            "IsReadOnly": False,
            "Keys": [key for key, _ in _ENDPOINTS],
            "Values": [f"{url}{path}" for _, path in _ENDPOINTS],
        },
        "State": "Enabled",
    }


def retrieve_timestamp(context: ExecutionContext) -> None:
    """Answer RetrieveTimestamp: a text that is another one after each change of definitions."""
    context.result = {"Timestamp": str(context.system.catalog.version)}


def retrieve_total_record_count(context: ExecutionContext) -> None:
    """Answer RetrieveTotalRecordCount: all records of some tables, whoever may see them.

    Raises:
        InvalidArgument: there is no such table, or its records are stored elsewhere.
    """
    names = [str(name) for name in _texts(context.parameters["EntityNames"])]
    counts = [context.system.count(_stored(context, name)) for name in names]
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    context.result = {"EntityRecordCountCollection": collection}


def _texts(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def _table(context: ExecutionContext, name: str) -> Table:
    table = context.system.catalog.tables.get(name)
    if table is None:
        raise InvalidArgument(
            f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
            code="0x80041102",
        )
    return table


def _stored(context: ExecutionContext, name: str) -> Table:
    table = _table(context, name)
    if table.kind is TableKind.VIRTUAL:
        raise InvalidArgument(f"The records of the virtual table '{name}' cannot be counted.")
    return table


def _organization(context: ExecutionContext) -> Record:
    return first(context.system, "organization", ALL_ROWS) or {}


def _language(context: ExecutionContext) -> list[object]:
    code = _organization(context).get("languagecode")
    return [code] if code is not None else []


def retrieve_available_languages(context: ExecutionContext) -> None:
    """Answer RetrieveAvailableLanguages: the language of the organization, the only one that is there."""
    context.result = {"LocaleIds": _language(context)}


def retrieve_provisioned_languages(context: ExecutionContext) -> None:
    """Answer RetrieveProvisionedLanguages."""
    context.result = {"RetrieveProvisionedLanguages": _language(context)}


def retrieve_deprovisioned_languages(context: ExecutionContext) -> None:
    """Answer RetrieveDeprovisionedLanguages: none has been taken away."""
    context.result = {"RetrieveDeprovisionedLanguages": []}


def retrieve_installed_language_packs(context: ExecutionContext) -> None:
    """Answer RetrieveInstalledLanguagePacks."""
    context.result = {"RetrieveInstalledLanguagePacks": _language(context)}


def language_pack_version(context: ExecutionContext, *, version: str) -> None:
    """Answer RetrieveInstalledLanguagePackVersion and RetrieveProvisionedLanguagePackVersion: that of the organization.

    Raises:
        InvalidArgument: the language is not there.
    """
    code = context.parameters["Language"]
    if code not in _language(context):
        raise InvalidArgument(f"The language {code} is not installed.")
    context.result = {"Version": version}


def retrieve_exchange_rate(context: ExecutionContext) -> None:
    """Answer RetrieveExchangeRate.

    Raises:
        RecordNotFound: there is no such currency.
    """
    currency = EntityReference("transactioncurrency", Guid(str(context.parameters["TransactionCurrencyId"])))
    context.result = {"ExchangeRate": by_id(context.system, currency, "exchangerate").get("exchangerate")}


def get_all_time_zones(context: ExecutionContext) -> None:
    """Answer GetAllTimeZonesWithDisplayName: the definitions of all time zones, in the only language that is there."""
    context.result = {"value": QueryExpression("timezonedefinition")}


def get_time_zone_code(context: ExecutionContext) -> None:
    """Answer GetTimeZoneCodeByLocalizedName, by the name of a time zone's standard time.

    Raises:
        InvalidArgument: no time zone has this name.
    """
    name = str(context.parameters["LocalizedStandardName"])
    codes = [zone.code for zone in TIME_ZONES.values() if zone.standard_name.casefold() == name.casefold()]
    if not codes:
        raise InvalidArgument(f"There is no time zone with the standard name '{name}'.")
    context.result = {"TimeZoneCode": codes[0]}


def local_time_from_utc_time(context: ExecutionContext) -> None:
    """Answer LocalTimeFromUtcTime; the clock time of the zone is written as if it were UTC, as the SDK does it.

    Raises:
        InvalidArgument: there is no such time zone, or the time lies outside of the calendar.
    """
    moment, zone = _moment(context, "UtcTime")
    try:
        context.result = {"LocalTime": moment.astimezone(zone_info(zone)).replace(tzinfo=UTC)}
    except OverflowError as error:
        raise _outside("UtcTime") from error


def utc_time_from_local_time(context: ExecutionContext) -> None:
    """Answer UtcTimeFromLocalTime: its parameter's clock time is that of the zone, whatever offset is written.

    Raises:
        InvalidArgument: there is no such time zone, or the time lies outside of the calendar.
    """
    moment, zone = _moment(context, "LocalTime")
    try:
        context.result = {"UtcTime": moment.replace(tzinfo=zone_info(zone)).astimezone(UTC)}
    except OverflowError as error:
        raise _outside("LocalTime") from error


def _moment(context: ExecutionContext, name: str) -> tuple[datetime, str]:
    code, moment = context.parameters["TimeZoneCode"], context.parameters[name]
    zone = zone_named(code)
    assert isinstance(moment, datetime)
    if zone is None:
        raise InvalidArgument(f"There is no time zone with the code {code}.")
    return moment, zone


def _outside(name: str) -> InvalidArgument:
    return InvalidArgument(f"The time '{name}' is outside the valid range.", code="0x80040239")


def format_address(context: ExecutionContext) -> None:
    """Answer FormatAddress: an address as one text, in the order of the composite columns."""
    given = {name: context.parameters[name] for name in ("Line1", "City", "StateOrProvince", "PostalCode", "Country")}
    record: Record = {f"{_ADDRESS}{name.lower()}": str(value) for name, value in given.items()}
    context.result = {"Address": composite_address(record, _ADDRESS) or ""}


def _relatable(context: ExecutionContext) -> list[str]:
    """Return the tables that can take part in new relationships: all but those of many-to-many relationships."""
    tables = context.system.catalog.tables.items()
    return sorted(name for name, table in tables if table.kind is not TableKind.INTERSECT)


def get_valid_many_to_many(context: ExecutionContext) -> None:
    """Answer GetValidManyToMany."""
    context.result = {"EntityNames": _relatable(context)}


def get_valid_referenced_entities(context: ExecutionContext) -> None:
    """Answer GetValidReferencedEntities: the tables that a lookup of a table can point to.

    Raises:
        InvalidArgument: there is no such table.
    """
    _check_named(context, "ReferencingEntityName")
    context.result = {"EntityNames": _relatable(context)}


def get_valid_referencing_entities(context: ExecutionContext) -> None:
    """Answer GetValidReferencingEntities: the tables that can have a lookup to a table.

    Raises:
        InvalidArgument: there is no such table.
    """
    _check_named(context, "ReferencedEntityName")
    context.result = {"EntityNames": _relatable(context)}


def _check_named(context: ExecutionContext, parameter: str) -> None:
    name = context.parameters.get(parameter)
    if name is not None:
        _table(context, str(name))


def can_be_referenced(context: ExecutionContext) -> None:
    """Answer CanBeReferenced.

    Raises:
        InvalidArgument: there is no such table.
    """
    context.result = {"CanBeReferenced": _can_be_related(context)}


def can_be_referencing(context: ExecutionContext) -> None:
    """Answer CanBeReferencing.

    Raises:
        InvalidArgument: there is no such table.
    """
    context.result = {"CanBeReferencing": _can_be_related(context)}


def can_many_to_many(context: ExecutionContext) -> None:
    """Answer CanManyToMany.

    Raises:
        InvalidArgument: there is no such table.
    """
    context.result = {"CanManyToMany": _can_be_related(context)}


def _can_be_related(context: ExecutionContext) -> bool:
    return _table(context, str(context.parameters["EntityName"])).kind is not TableKind.INTERSECT
