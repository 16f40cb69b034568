"""What queries and forms that are stored as XML mention."""

import pytest

from entities.standard.customization.stored_xml import mentioned_in_fetch, mentioned_in_form

FETCH = """
<fetch><entity name="account"><attribute name="name"/><order attribute="createdon"/>
  <filter><condition attribute="statecode" operator="eq" value="0"/>
    <condition entityname="c" attribute="fullname" operator="not-null"/></filter>
  <link-entity name="contact" alias="c" from="contactid" to="primarycontactid">
    <attribute name="fullname"/></link-entity>
</entity></fetch>
"""


def test_a_query_mentions_its_tables_and_their_columns_each_once():
    assert set(mentioned_in_fetch(FETCH)) == {
        ("account", ""),
        ("account", "name"),
        ("account", "createdon"),
        ("account", "statecode"),
        ("account", "primarycontactid"),
        ("contact", ""),
        ("contact", "contactid"),
        ("contact", "fullname"),
    }
    assert len(mentioned_in_fetch(FETCH)) == len(set(mentioned_in_fetch(FETCH)))


def test_a_query_inside_a_description_of_a_chart_counts():
    chart = f"<datadefinition><fetchcollection>{FETCH.strip()}</fetchcollection></datadefinition>"
    assert mentioned_in_fetch(chart) == mentioned_in_fetch(FETCH)


def test_a_form_mentions_the_columns_of_its_controls():
    form = '<form><tabs><control id="a" datafieldname="name"/><control id="b" datafieldname="fax"/></tabs></form>'
    assert mentioned_in_form(form, "account") == (("account", "name"), ("account", "fax"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no XML",
        '<fetch><entity name="account">',
        '<!DOCTYPE a [<!ENTITY e "x">]><fetch><entity name="account"/></fetch>',
    ],
)
def test_what_cannot_be_read_mentions_nothing(text):
    assert mentioned_in_fetch(text) == ()
    assert mentioned_in_form(text, "account") == ()
