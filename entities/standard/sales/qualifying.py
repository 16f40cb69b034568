"""QualifyLead: an account, a contact and an opportunity are made of a lead (Learn: "QualifyLead Action")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from entities.errors import AccessDenied, InvalidArgument
from entities.messages import Create, Update, Written
from entities.pipeline import ExecutionContext, Stage, Step
from entities.standard.lookups import named_record
from entities.standard.sales.close_activities import status_reason, stored_record
from entities.values import EntityReference, Record, Value

_OPEN: Final = 0
_QUALIFIED: Final = 1

_ADDRESS: Final = tuple(
    f"address{number}_{part}"
    for number in (1, 2)
    for part in (
        *("name", "line1", "line2", "line3", "city", "county", "stateorprovince", "postalcode", "country"),
        *("postofficebox", "telephone1", "telephone2", "telephone3", "fax", "latitude", "longitude", "utcoffset"),
    )
)
_COMMON: Final = MappingProxyType(
    {
        name: name
        for name in (
            *_ADDRESS,
            *("description", "emailaddress2", "emailaddress3", "fax", "preferredcontactmethodcode"),
            *("donotbulkemail", "donotemail", "donotfax", "donotphone", "donotpostalmail", "donotsendmm"),
            *("transactioncurrencyid", "ownerid"),
        )
    }
)
ACCOUNT_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **_COMMON,
        "companyname": "name",
        "emailaddress1": "emailaddress1",
        "industrycode": "industrycode",
        "numberofemployees": "numberofemployees",
        "revenue": "revenue",
        "sic": "sic",
        "telephone1": "telephone1",
        "telephone3": "telephone2",
        "websiteurl": "websiteurl",
    }
)
CONTACT_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **_COMMON,
        **{
            name: name
            for name in (
                *("firstname", "middlename", "lastname", "salutation", "jobtitle", "emailaddress1"),
                *("telephone1", "telephone2", "telephone3", "mobilephone", "pager", "websiteurl"),
            )
        },
    }
)
OPPORTUNITY_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "subject": "name",
        "emailaddress1": "emailaddress",
        "estimatedamount": "estimatedvalue",
        "leadqualitycode": "opportunityratingcode",
        **{
            name: name
            for name in (
                *("description", "estimatedclosedate", "budgetamount", "budgetstatus", "need", "purchaseprocess"),
                *("purchasetimeframe", "initialcommunication", "qualificationcomments", "confirminterest"),
                *("decisionmaker", "evaluatefit", "campaignid", "transactioncurrencyid", "ownerid"),
            )
        },
    }
)
"""Columns of the lead, and those of the new record that take over their values (Learn: "Mapped columns of leads")."""


@dataclass(slots=True)
class _Qualifying:
    """A lead on its way: what stands in it, and the records that come of it."""

    context: ExecutionContext
    lead: EntityReference
    stored: Record
    made: list[EntityReference] = field(default_factory=list)

    def create(self, table: str, columns: Mapping[str, str], more: Record) -> EntityReference:
        """Make a record as the caller, with values of the lead."""
        known = self.context.system.catalog.tables[table].by_name
        values = {
            target: self.stored[source]
            for source, target in columns.items()
            if target in known and self.stored.get(source) is not None
        }
        message = Create(table, {**values, "originatingleadid": self.lead, **more})
        written = self.context.system.execute_as(message, self.context.caller.user_id)
        assert isinstance(written, Written)
        self.made.append(written.reference)
        return written.reference

    def change(self, record: EntityReference, changes: Record) -> None:
        """Change a record as the caller."""
        self.context.system.execute_as(Update(record, changes), self.context.caller.user_id)

    def parameter(self, name: str) -> EntityReference | None:
        """Return the existing record that a parameter names, None where it names none."""
        given = self.context.parameters.get(name)
        return None if given is None else named_record(self.context.system, given, name)


def qualifying_steps() -> tuple[Step, ...]:
    """Return the handler of the action."""
    return (Step("QualifyLead", "lead", Stage.MAIN, qualify_lead),)


def qualify_lead(context: ExecutionContext) -> None:
    """Qualify an open lead, and answer with the records that were made of it.

    An account is made where the lead names a company and none exists yet, a contact where it names a person. What is
    made, or was there before, becomes the customer of the opportunity unless the caller names another one.

    Raises:
        InvalidArgument: a parameter names no record, the status is none of a qualified lead (0x80048408), or the lead
            is not open (0x80040519).
        AccessDenied: the caller may not make accounts (0x80081018), or something else of it.
        RecordNotFound: there is no such record.
    """
    if context.reference is None:
        raise InvalidArgument("The action is bound to a lead.")
    stored = stored_record(context, context.reference)
    if stored.get("statecode") != _OPEN:
        raise InvalidArgument("The lead is already closed.", code="0x80040519")
    reason = status_reason(context.system.catalog.tables["lead"], _QUALIFIED, context.parameters["Status"])
    lead = _Qualifying(context, context.reference, stored)
    account = _account(lead)
    contact = _contact(lead, account)
    changes: dict[str, Value] = {"statecode": _QUALIFIED, "statuscode": reason}
    changes |= {} if account is None else {"parentaccountid": account}
    changes |= {} if contact is None else {"parentcontactid": contact}
    if context.parameters["CreateOpportunity"]:
        changes["qualifyingopportunityid"] = _opportunity(lead, account, contact)
    lead.change(lead.lead, changes)
    context.result = {"value": tuple(lead.made)}


def _account(lead: _Qualifying) -> EntityReference | None:
    existing = lead.stored.get("parentaccountid")
    if isinstance(existing, EntityReference):
        return existing
    if not lead.context.parameters["CreateAccount"] or not lead.stored.get("companyname"):
        return None
    try:
        return lead.create("account", ACCOUNT_COLUMNS, {})
    except AccessDenied as error:
        raise AccessDenied(
            "You can't qualify this lead because you don't have permission to create accounts. Work with your system "
            "administrator to create the account and then try again.",
            code="0x80081018",
        ) from error


def _contact(lead: _Qualifying, account: EntityReference | None) -> EntityReference | None:
    existing = lead.stored.get("parentcontactid")
    if isinstance(existing, EntityReference):
        return existing
    if not lead.context.parameters["CreateContact"] or not lead.stored.get("lastname"):
        return None
    more: Record = {} if account is None else {"parentcustomerid": account}
    contact = lead.create("contact", CONTACT_COLUMNS, more)
    if account is not None and account in lead.made:
        lead.change(account, {"primarycontactid": contact})
    return contact


def _opportunity(
    lead: _Qualifying, account: EntityReference | None, contact: EntityReference | None
) -> EntityReference:
    customer = lead.parameter("OpportunityCustomerId") or account or contact
    currency, campaign = lead.parameter("OpportunityCurrencyId"), lead.parameter("SourceCampaignId")
    given: Record = {
        "customerid": customer,
        "parentaccountid": account,
        "parentcontactid": contact,
        "transactioncurrencyid": currency,
        "campaignid": campaign,
    }
    return lead.create("opportunity", OPPORTUNITY_COLUMNS, {k: v for k, v in given.items() if v is not None})
