"""Choices of the standard tables, with Dataverse's own option numbers."""

from __future__ import annotations

from collections.abc import Mapping

from entities.metadata.columns import Column, Option
from entities.metadata.declare import SERVER_SET, choice, double, integer, memo, options, string, unique_identifier

DEFAULT_VALUE = options("Default Value", first=1)
ADDRESS_TYPE = options("Bill To", "Ship To", "Primary", "Other", first=1)
SHIPPING_METHOD = options("Airborne", "DHL", "FedEx", "UPS", "Postal Mail", "Full Load", "Will Call", first=1)
FREIGHT_TERMS = options("FOB", "No Charge", first=1)
PAYMENT_TERMS = options("Net 30", "2% 10, Net 30", "Net 45", "Net 60", first=1)
CONTACT_METHOD = options("Any", "Email", "Phone", "Fax", "Mail", first=1)
OWNERSHIP = options("Public", "Private", "Subsidiary", "Other", first=1)
ACCOUNT_CATEGORY = options("Preferred Customer", "Standard", first=1)
WEEKDAY = options("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
DAYTIME = options("Morning", "Afternoon", "Evening", first=1)
GENDER = options("Male", "Female", first=1)
FAMILY_STATUS = options("Single", "Married", "Divorced", "Widowed", first=1)
ACCOUNT_ROLE = options("Decision Maker", "Employee", "Influencer", first=1)
COMPONENT_STATE = options("Published", "Unpublished", "Deleted", "Deleted Unpublished")
ACCESS_MODE = options("Read-Write", "Administrative", "Read", "Support User", "Non-interactive", "Delegated Admin")
CUSTOMER_TYPE = options(
    "Competitor",
    "Consultant",
    "Customer",
    "Investor",
    "Partner",
    "Influencer",
    "Press",
    "Prospect",
    "Reseller",
    "Supplier",
    "Vendor",
    "Other",
    first=1,
)
INDUSTRY = options(
    "Accounting",
    "Agriculture and Non-petrol Natural Resource Extraction",
    "Broadcasting Printing and Publishing",
    "Brokers",
    "Building Supply Retail",
    "Business Services",
    "Consulting",
    "Consumer Services",
    "Design, Direction and Creative Management",
    "Distributors, Dispatchers and Processors",
    "Doctor's Offices and Clinics",
    "Durable Manufacturing",
    "Eating and Drinking Places",
    "Entertainment Retail",
    "Equipment Rental and Leasing",
    "Financial",
    "Food and Tobacco Processing",
    "Inbound Capital Intensive Processing",
    "Inbound Repair and Services",
    "Insurance",
    "Legal Services",
    "Non-Durable Merchandise Retail",
    "Outbound Consumer Service",
    "Petrochemical Extraction and Distribution",
    "Service Retail",
    "SIG Affiliations",
    "Social Services",
    "Special Outbound Trade Contractors",
    "Specialty Realty",
    "Transportation",
    "Utility Creation and Distribution",
    "Vehicle Retail",
    "Wholesale",
    first=1,
)


def address(number: int, *, addressee: bool = True) -> tuple[Column, ...]:
    """Declare the columns of an address.

    Args:
        number: 1 or 2.
        addressee: whether it has the columns of a customer's address (recipient, freight terms, composite).
    """
    prefix, title = f"Address{number}_", f"Address {number}: "

    def text(name: str, length: int, label: str) -> Column:
        return string(prefix + name, length, title + label)

    def option(name: str, chosen: tuple[Option, ...], label: str) -> Column:
        return choice(prefix + name, chosen, title + label)

    plain = (
        unique_identifier(f"{prefix}AddressId", f"{title}ID"),
        option("AddressTypeCode", ADDRESS_TYPE, "Address Type"),
        text("Name", 200, "Name"),
        text("Line1", 250, "Street 1"),
        text("Line2", 250, "Street 2"),
        text("Line3", 250, "Street 3"),
        text("PostalCode", 20, "ZIP/Postal Code"),
        text("City", 80, "City"),
        text("County", 50, "County"),
        text("StateOrProvince", 50, "State/Province"),
        text("Country", 80, "Country/Region"),
        text("PostOfficeBox", 20, "Post Office Box"),
        text("Telephone1", 50, "Phone"),
        text("Telephone2", 50, "Telephone 2"),
        text("Telephone3", 50, "Telephone 3"),
        text("Fax", 50, "Fax"),
        double(f"{prefix}Latitude", f"{title}Latitude", precision=5, minimum=-90, maximum=90),
        double(f"{prefix}Longitude", f"{title}Longitude", precision=5, minimum=-180, maximum=180),
        option("ShippingMethodCode", SHIPPING_METHOD, "Shipping Method"),
        text("UPSZone", 4, "UPS Zone"),
        integer(f"{prefix}UTCOffset", f"{title}UTC Offset", minimum=-1500, maximum=1500),
    )
    if not addressee:
        return plain
    return (
        *plain,
        text("PrimaryContactName", 100, "Primary Contact Name"),
        option("FreightTermsCode", FREIGHT_TERMS, "Freight Terms"),
        memo(f"{prefix}Composite", 1000, f"Address {number}", **SERVER_SET),
    )


def numbered(texts: Mapping[int, str]) -> tuple[Option, ...]:
    """Declare options whose numbers have gaps."""
    return tuple(option for value, text in texts.items() for option in options(text, first=value))
