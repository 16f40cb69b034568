"""FetchXML documents over contacts and accounts, and what is asked with them."""

from html import escape
from urllib.parse import quote

ALL_ANNOTATIONS = {"prefer": 'odata.include-annotations="*"'}
PAGING = {"prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.*"'}
COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "@Microsoft.Dynamics.CRM.morerecords"
FORMATTED = "@OData.Community.Display.V1.FormattedValue"


def path(text, entity_set="contacts"):
    return f"/{entity_set}?fetchXml={quote(text)}"


def fetched(api, text, entity_set="contacts", **headers):
    return api.json(path(text, entity_set), **headers)


def contacts(inside, **attributes):
    given = "".join(f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items())
    return f"<fetch{given}><entity name='contact'><attribute name='firstname'/>{inside}</entity></fetch>"


def accounts(inside, **attributes):
    return contacts(inside, **attributes).replace("'contact'", "'account'", 1).replace("'firstname'", "'name'", 1)


def names(answer, member="firstname"):
    return [row.get(member) for row in answer["value"]]


BY_NAME = "<order attribute='firstname'/>"
EMPLOYER = "<link-entity name='account' from='accountid' to='parentcustomerid'"
STAFF = "<link-entity name='contact' from='parentcustomerid' to='accountid'"
