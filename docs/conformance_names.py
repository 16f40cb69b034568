"""The names of the model behind the OASIS test cases as names of Dataverse: everything is an account among accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

ACCOUNT: Final = "0d000000-0000-4000-8000-000000000001"

_COLUMNS: Final[Mapping[str, str]] = {
    # strings
    "Name": "name",
    "CompanyName": "accountnumber",
    "ContactName": "description",
    "FirstName": "address1_name",
    "LastName": "address2_name",
    "Title": "tickersymbol",
    "City": "address1_city",
    "Street": "address1_line1",
    "State": "address1_stateorprovince",
    "ZipCode": "address1_postalcode",
    "CountryCode": "address1_country",
    "Code": "accountnumber",
    "SalesArea": "address1_county",
    "Region": "address2_city",
    # numbers
    "Amount": "revenue",
    "Price": "revenue",
    "Revenue": "revenue",
    "PlannedRevenue": "marketcap",
    "Cost": "creditlimit",
    "Budget": "creditlimit",
    "TaxRate": "exchangerate",
    "Quantity": "numberofemployees",
    "Age": "numberofemployees",
    "Rating": "sharesoutstanding",
    "Population": "sharesoutstanding",
    "Size": "address1_utcoffset",
    # the rest
    "Completed": "donotemail",
    "Status": "statecode",
    "BirthDate": "createdon",
    "ReleaseDate": "modifiedon",
    "Date": "createdon",
    "ID": "accountid",
}
_TO_ONE: Final = (
    *("Category", "Continent", "Country", "Currency", "Customer", "Manager", "Product", "ProductGroup", "Supplier"),
    *("Time", "SalesOrganization"),
)
_TO_MANY: Final = (
    *("DirectReports", "Items", "Orders", "Products", "Sales", "Suppliers", "Nodes", "ProductCategories"),
    *("Customers", "SalesPlan"),
)
_SETS: Final = (
    *("Categories", "Countries", "Customers", "Employees", "Orders", "OrderItems", "People", "Products", "Sales"),
    *("SalesOrganizations", "Suppliers", "ProductCategories", "LeaveRequests"),
)
_NAMES: Final[Mapping[str, str]] = {
    **_COLUMNS,
    **dict.fromkeys(_TO_ONE, "parentaccountid"),
    **dict.fromkeys(_TO_MANY, "account_parent_account"),
}
# A string literal stays; so does what is qualified by a namespace, an annotation, an option, or names a function.
_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|(?<![\w.$@])[A-Za-z]\w*(?![\w.(:'])|\w+(?=\()")
_FIRST: Final = re.compile(rf"(?:{'|'.join(_SETS)})(?=[/?(]|\Z)(?:\((?!\))(?:'[^']*'|[^()'])*\))?")


def renamed(text: str) -> str:
    """Return query options or an expression with the names of accounts."""
    return _TOKEN.sub(lambda found: _renamed(found[0], text[found.end() : found.end() + 1]), text)


def _renamed(token: str, following: str) -> str:
    # Options of an expanded property stand in parentheses behind its name, as arguments behind that of a function.
    is_known = token in _NAMES and (following != "(" or token in (*_TO_ONE, *_TO_MANY))
    return _NAMES[token] if is_known else token


def renamed_url(url: str) -> str:
    """Return a URL, relative to the service, with the names of accounts; any key becomes that of one account."""
    path, mark, query = url.partition("?")
    first = _FIRST.match(path)
    if first is None:
        return f"{renamed(path)}{mark}{renamed(query)}"
    start = f"accounts({ACCOUNT})" if "(" in first[0] else "accounts"
    return f"{start}{renamed(path[first.end() :])}{mark}{renamed(query)}"
