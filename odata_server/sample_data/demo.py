"""The sample data `demo`: the tree of business units, its people, 50 accounts and 200 contacts.

Pure and deterministic: the same organization always gets the same rows with the same ids. Rows come in an order in
which every reference exists; what the rules of the standard tables compute (full names, copies of roles, amounts in
the base currency) is left to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from entities.metadata.declare import derived_id
from entities.standard.identifiers import currency_id
from entities.values import EntityReference, Guid, Record, Value
from odata_server.sample_data.people import PEOPLE, unit_rows, user_rows

_ACCOUNTS = 50
_CONTACTS = 200
# So many accounts and contacts are inactive.
_EVERY_TENTH = 10
_EVERY_TWENTIETH = 20

_COMPANIES = (
    "Adventure Works",
    "Alpine Ski House",
    "Blue Yonder Airlines",
    "City Power & Light",
    "Coho Winery",
    "Consolidated Messenger",
    "Fabrikam",
    "Fourth Coffee",
    "Graphic Design Institute",
    "Humongous Insurance",
    "Litware",
    "Lucerne Publishing",
    "Margie's Travel",
    "Northwind Traders",
    "Proseware",
    "School of Fine Art",
    "Southridge Video",
    "Tailspin Toys",
    "Trey Research",
    "Wide World Importers",
)
_PLACES = (
    ("Berlin", "Germany", "10115", "Invalidenstraße", "+49 30 555", 52.53, 13.38),
    ("München", "Germany", "80331", "Sendlinger Straße", "+49 89 555", 48.14, 11.57),
    ("Utrecht", "Netherlands", "3511 AD", "Oudegracht", "+31 30 555", 52.09, 5.12),
    ("'s-Hertogenbosch", "Netherlands", "5211 JZ", "Hinthamerstraat", "+31 73 555", 51.69, 5.30),
    ("Malmö", "Sweden", "211 34", "Södergatan", "+46 40 555", 55.60, 13.00),
    ("Oslo", "Norway", "0154", "Karl Johans gate", "+47 22 555", 59.91, 10.75),
    ("Zürich", "Switzerland", "8001", "Bahnhofstrasse", "+41 44 555", 47.37, 8.54),
    ("Redmond", "United States", "98052", "Microsoft Way", "+1 425 555", 47.64, -122.13),
)
_FIRST_NAMES = (
    "Anna", "Björn", "Chloé", "Daniel", "Élise", "Femke", "Gábor", "Hanna", "Ingrid", "Jürgen",
    "Kaja", "Lars", "María", "Noor", "Øyvind", "Petra", "Quinn", "Rasmus", "Saskia", "Tomáš",
)  # fmt: skip
_LAST_NAMES = (
    "Andersson", "Bakker", "Çelik", "de Vries", "Eriksen", "Fischer", "García", "Hansen", "Ibsen", "Jansen",
    "König", "Larsen", "Müller", "Nguyen", "O'Neill", "Peeters", "Östberg", "Schmidt", "van den Berg", "Weiß",
)  # fmt: skip
_JOBS = (
    ("Owner", "Management"),
    ("Purchasing Manager", "Purchasing"),
    ("Engineer", "Engineering"),
    ("Recruiter", "Human Resources"),
    ("Accountant", "Finance"),
    ("Nurse", "Care"),
    ("Analyst", "Research"),
)


def demo_rows(organization_id: Guid, domain: str) -> Iterator[tuple[str, Record]]:
    """Yield the sample rows as (table, record), to be made after the seed's.

    Args:
        organization_id: the environment's organization.
        domain: the tenant's domain, of which people's addresses are made.
    """
    yield from unit_rows(organization_id)
    yield from user_rows(organization_id, domain)
    yield "transactioncurrency", _euro(organization_id)
    for number in range(_ACCOUNTS):
        yield "contact", _contact(organization_id, number, None)
    for number in range(_ACCOUNTS):
        yield "account", _account(organization_id, number)
    for number in range(_ACCOUNTS, _CONTACTS):
        yield "contact", _contact(organization_id, number, _account_id(number % _ACCOUNTS))


def _euro(organization_id: Guid) -> Record:
    return {
        "transactioncurrencyid": currency_id(organization_id, "EUR"),
        "currencyname": "Euro",
        "isocurrencycode": "EUR",
        "currencysymbol": "€",
        "currencyprecision": 2,
        "exchangerate": Decimal("0.8200000000"),
        "organizationid": EntityReference("organization", organization_id),
    }


def _account_id(number: int) -> Guid:
    return derived_id("demo", "account", str(number))


def _contact_id(number: int) -> Guid:
    return derived_id("demo", "contact", str(number))


def _currency(organization_id: Guid, number: int) -> EntityReference:
    """Return euros for Europe, dollars for the United States."""
    iso_code = "USD" if _PLACES[number % len(_PLACES)][1] == "United States" else "EUR"
    return EntityReference("transactioncurrency", currency_id(organization_id, iso_code))


def _owner(number: int) -> EntityReference:
    return EntityReference("systemuser", PEOPLE[number % len(PEOPLE)].user_id)


def _site(company: str) -> str:
    return "".join(letter for letter in company.lower() if letter.isascii() and letter.isalnum()) + ".example"


def _address(number: int, prefix: str) -> Record:
    city, country, postal_code, street, dial, latitude, longitude = _PLACES[number % len(_PLACES)]
    return {
        f"{prefix}name": "Head office" if number % 2 else "Branch",
        f"{prefix}line1": f"{street} {number + 1}",
        f"{prefix}postalcode": postal_code,
        f"{prefix}city": city,
        f"{prefix}country": country,
        f"{prefix}telephone1": f"{dial} {number:04}",
        f"{prefix}latitude": latitude,
        f"{prefix}longitude": longitude,
        f"{prefix}addresstypecode": 1 + number % 4,
        f"{prefix}shippingmethodcode": 1 + number % 7,
    }


def _account(organization_id: Guid, number: int) -> Record:
    company, place = _COMPANIES[number % len(_COMPANIES)], _PLACES[number % len(_PLACES)]
    site = _site(company)
    record: dict[str, Value] = {
        "accountid": _account_id(number),
        "name": f"{company} {place[0]}",
        "accountnumber": f"AC-{1000 + number}",
        "description": f"{company} in {place[0]}, {place[1]}.",
        "emailaddress1": f"info{number}@{site}",
        "telephone1": f"{place[4]} {number:04}",
        "fax": f"{place[4]} {number + 5000:04}",
        "websiteurl": f"https://www.{site}/",
        "tickersymbol": "".join(word[0] for word in company.split() if word[0].isalpha()).upper(),
        "numberofemployees": 5 + (number * 37) % 4000,
        "sharesoutstanding": 1000 * (number + 1),
        "revenue": Decimal(250_000 + number * 98_765) + Decimal(number % 100) / 100,
        "creditlimit": Decimal(5_000 * (1 + number % 9)),
        "marketcap": Decimal(1_000_000 + number * 123_456),
        "industrycode": 1 + (number * 5) % 33,
        "customertypecode": 1 + (number * 7) % 12,
        "accountcategorycode": 1 + number % 2,
        "ownershipcode": 1 + number % 4,
        "paymenttermscode": 1 + number % 4,
        "preferredcontactmethodcode": 1 + number % 5,
        "creditonhold": number % 11 == 0,
        "donotbulkemail": number % 3 == 0,
        "primarycontactid": EntityReference("contact", _contact_id(number)),
        "transactioncurrencyid": _currency(organization_id, number),
        "ownerid": _owner(number),
        **_address(number, "address1_"),
    }
    if number >= len(_COMPANIES):
        # Branches of one company stand below its first place.
        record["parentaccountid"] = EntityReference("account", _account_id(number % len(_COMPANIES)))
    if number % _EVERY_TENTH == _EVERY_TENTH - 1:
        record.update({"statecode": 1, "statuscode": 2})
    return record


def _contact(organization_id: Guid, number: int, company: Guid | None) -> Record:
    # Two strides without a common factor: every contact has a name of its own.
    first_name = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    last_name = _LAST_NAMES[(number // len(_FIRST_NAMES) + number * 3) % len(_LAST_NAMES)]
    title, department = _JOBS[number % len(_JOBS)]
    place = _PLACES[number % len(_PLACES)]
    record: dict[str, Value] = {
        "contactid": _contact_id(number),
        "firstname": first_name,
        "lastname": last_name,
        "jobtitle": title,
        "department": department,
        "salutation": "Dr." if number % 13 == 0 else None,
        "emailaddress1": f"contact{number}@{_site(_COMPANIES[number % len(_COMPANIES)])}",
        "telephone1": f"{place[4]} {number + 1000:04}",
        "mobilephone": f"{place[4]} {number + 3000:04}" if number % 3 else None,
        "birthdate": date(1955, 1, 1) + timedelta(days=83 * number),
        "anniversary": date(2010, 6, 1) + timedelta(days=number) if number % 4 == 0 else None,
        "annualincome": Decimal(28_000 + number * 411),
        "creditlimit": Decimal(500 * (number % 20)),
        "gendercode": 1 + number % 2,
        "familystatuscode": 1 + number % 4,
        "accountrolecode": 1 + number % 3,
        "preferredcontactmethodcode": 1 + number % 5,
        "numberofchildren": number % 4,
        "donotphone": number % 5 == 0,
        "donotbulkemail": number % 7 == 0,
        "overriddencreatedon": datetime(2019, 7, 8, 9, tzinfo=UTC) + timedelta(hours=number),
        "transactioncurrencyid": _currency(organization_id, number),
        "ownerid": _owner(number),
        **_address(number, "address1_"),
    }
    if company is not None:
        record["parentcustomerid"] = EntityReference("account", company)
    if number % _EVERY_TWENTIETH == _EVERY_TWENTIETH - 1:
        record.update({"statecode": 1, "statuscode": 2})
    return record
