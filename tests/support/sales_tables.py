"""The standard tables of Dynamics 365 Sales and Customer Service: the $metadata of version 9.1 has none of them."""

from __future__ import annotations

SALES_TABLES = (
    *("lead", "opportunity", "opportunityproduct", "opportunityclose", "competitor"),
    *("quote", "quotedetail", "quoteclose", "salesorder", "salesorderdetail", "orderclose", "invoice", "invoicedetail"),
    *("uom", "uomschedule", "pricelevel", "product", "productpricelevel", "discounttype", "discount"),
    *("incident", "incidentresolution", "entitlement", "contract", "contractdetail"),
    *("campaign", "campaignresponse", "list", "listmember"),
)
PAIR_TABLES = (
    *("accountleads", "contactleads", "leadcompetitors", "leadproduct", "opportunitycompetitors", "competitorproduct"),
    *("contactquotes", "contactorders", "contactinvoices", "servicecontractcontacts"),
    *("entitlementcontacts", "entitlementproducts"),
)
COLUMNS_OF_OTHERS = {
    *(("account", name) for name in ("originatingleadid", "defaultpricelevelid", "territoryid")),
    *(("contact", name) for name in ("originatingleadid", "defaultpricelevelid")),
    *(("account", f"opendeals{end}") for end in ("", "_date", "_state")),
    *(("account", f"openrevenue{end}") for end in ("", "_base", "_date", "_state")),
}
"""Columns that these applications add to other tables."""
