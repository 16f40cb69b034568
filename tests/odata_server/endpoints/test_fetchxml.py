"""FetchXML over the Web API: HTTP in, HTTP out, over a real environment."""

from __future__ import annotations

import json
import re
from html import escape
from urllib.parse import quote, unquote

import pytest
from fetching import (
    ALL_ANNOTATIONS,
    BY_NAME,
    COOKIE,
    EMPLOYER,
    FORMATTED,
    MORE,
    PAGING,
    STAFF,
    accounts,
    contacts,
    fetched,
    names,
    path,
)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("<condition attribute='firstname' operator='eq' value='ann'/>", "A"),
        ("<condition attribute='firstname' operator='neq' value='Ann'/>", "BCDE"),
        ("<condition attribute='firstname' operator='in'><value>Ann</value><value>Eve</value></condition>", "AE"),
        ("<condition attribute='firstname' operator='not-in'><value>Ann</value></condition>", "BCDE"),
        ("<condition attribute='firstname' operator='like' value='%n%'/>", "AD"),
        ("<condition attribute='firstname' operator='not-like' value='_n%'/>", "BCDE"),
        ("<condition attribute='lastname' operator='begins-with' value='o&apos;n'/>", "A"),
        ("<condition attribute='lastname' operator='not-end-with' value='rg'/>", "ACDE"),
        ("<condition attribute='lastname' operator='null'/>", "E"),
        ("<condition attribute='lastname' operator='not-null'/>", "ABCD"),
        (
            "<condition attribute='numberofchildren' operator='between'><value>1</value><value>2</value></condition>",
            "ABC",
        ),
        ("<condition attribute='numberofchildren' operator='gt' value='1'/>", "BC"),
        ("<condition attribute='createdon' operator='today'/>", "ABCDE"),
        ("<condition attribute='createdon' operator='last-x-days' value='3'/>", "ABCDE"),
        ("<condition attribute='createdon' operator='on-or-before' value='2001-02-03'/>", ""),
        ("<condition attribute='createdon' operator='gt' value='2001-02-03 04:05:06'/>", "ABCDE"),
        ("<condition attribute='ownerid' operator='eq-userid'/>", "ABCDE"),
        ("<condition attribute='statecode' operator='eq' value='0'/>", "ABCDE"),
        ("<condition attribute='donotemail' operator='eq' value='true'/>", ""),
        ("<condition attribute='firstname' operator='eq' valueof='lastname'/>", ""),
        ("<condition attribute='firstname' operator='lt' valueof='lastname'/>", "A"),
    ],
)
def test_a_condition_selects_the_rows_that_dataverse_would(api, people, condition, found):
    answer = fetched(api, contacts(f"<filter>{condition}</filter>{BY_NAME}"))
    assert "".join(name[0] for name in names(answer)) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("<filter type='or'>{a}{b}</filter>", "AB"),
        ("<filter type='and'>{a}{b}</filter>", ""),
        ("<filter>{a}{b}</filter>", ""),
        ("<filter>{a}</filter><filter>{b}</filter>", ""),
        ("<filter type='or' isquickfindfields='1'>{a}<filter><filter type='or'>{b}</filter></filter></filter>", "AB"),
        ("<filter type='or'/>", "ABCDE"),
        ("<filter type='or'>{a}<filter type='or'/></filter>", "A"),
        ("", "ABCDE"),
    ],
)
def test_filters_nest(api, people, filters, found):
    one = "<condition attribute='firstname' operator='eq' value='{}'/>"
    text = filters.format(a=one.format("Ann"), b=one.format("Bob"))
    assert "".join(name[0] for name in names(fetched(api, contacts(text + BY_NAME)))) == found


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (
            f"{EMPLOYER}><filter><condition attribute='name' operator='eq' value='Fabrikam'/></filter></link-entity>",
            "DE",
        ),
        (
            (
                f"{EMPLOYER} link-type='outer'><filter><condition attribute='name' operator='eq' value='x'/></filter>"
                "</link-entity>"
            ),
            "ABCDE",
        ),
        (
            (
                f"{EMPLOYER} alias='a'/>"
                "<filter><condition entityname='a' attribute='revenue' operator='lt' value='500'/></filter>"
            ),
            "DE",
        ),
        (
            (
                f"{EMPLOYER}/>"
                "<filter><condition entityname='account' attribute='name' operator='like' value='C%'/></filter>"
            ),
            "ABC",
        ),
        (
            (
                f"{EMPLOYER}><link-entity name='contact' from='contactid' to='primarycontactid' alias='b'/>"
                "</link-entity>"
                "<filter><condition attribute='firstname' operator='eq' valueof='b.firstname'/></filter>"
            ),
            "A",
        ),
        (
            (
                f"{EMPLOYER}><link-entity name='contact' from='contactid' to='primarycontactid'>"
                "<filter><condition attribute='firstname' operator='eq' value='Ann'/></filter>"
                "</link-entity></link-entity>"
            ),
            "ABC",
        ),
        ("<link-entity name='account' from='ownerid' to='ownerid' link-type='exists'/>", "ABCDE"),
    ],
)
def test_links_join(api, people, link, found):
    answer = fetched(api, contacts(link + BY_NAME))
    assert "".join(name[0] for name in names(answer)) == found


@pytest.mark.parametrize(
    ("kind", "place", "found"),
    [
        ("exists", "{}", ["Contoso"]),
        ("in", "{}", ["Contoso"]),
        ("any", "<filter>{}</filter>", ["Contoso"]),
        ("not any", "<filter>{}</filter>", ["Fabrikam", "Litware"]),
        ("all", "<filter>{}</filter>", ["Fabrikam"]),
        ("not all", "<filter>{}</filter>", ["Contoso"]),
        (
            "any",
            "<filter type='or'>{}<condition attribute='name' operator='eq' value='Litware'/></filter>",
            ["Contoso", "Litware"],
        ),
    ],
)
def test_links_may_only_ask_for_related_rows(api, people, kind, place, found):
    condition = "<filter><condition attribute='firstname' operator='eq' value='Bob'/></filter>"
    link = f"{STAFF} link-type='{kind}'>{condition}</link-entity>"
    answer = fetched(api, accounts(place.format(link) + "<order attribute='name'/>"), "accounts")
    assert names(answer, "name") == found


def test_the_first_matching_row_is_that_of_the_lowest_id(api, people):
    link = f"{STAFF} link-type='matchfirstrowusingcrossapply' alias='c'><attribute name='firstname'/></link-entity>"
    answer = fetched(api, accounts(link + "<order attribute='name'/>"), "accounts")
    assert [(row["name"], row["c_x002e_firstname"]) for row in answer["value"]] == [
        ("Contoso", "Ann"),
        ("Fabrikam", "Dan"),
    ]


def test_rows_show_what_was_chosen_and_no_nulls(api, people):
    text = contacts(
        f"<attribute name='lastname' alias='family'/>{EMPLOYER} alias='a'><attribute name='revenue'/>"
        f"<attribute name='name' alias='employer'/></link-entity>{BY_NAME}"
    )
    answer = fetched(api, text, **ALL_ANNOTATIONS)
    assert answer["@odata.context"].endswith("#contacts(firstname,contactid)")
    first, last = answer["value"][0], answer["value"][-1]
    assert list(first) == [
        "@odata.etag",
        "firstname",
        "family",
        "contactid",
        f"a_x002e_revenue{FORMATTED}",
        "a_x002e_revenue",
        "employer",
    ]
    assert (first["family"], first["a_x002e_revenue"], first["employer"]) == ("O'Neil", 20000.5, "Contoso")
    assert "family" not in last


def test_a_lookup_keeps_its_property_and_annotations(api, people):
    answer = fetched(api, contacts("<attribute name='parentcustomerid'/>" + BY_NAME), **ALL_ANNOTATIONS)
    assert answer["@odata.context"].endswith("#contacts(firstname,_parentcustomerid_value,parentcustomerid,contactid)")
    assert answer["value"][0]["_parentcustomerid_value"] == people["Contoso"]
    assert answer["value"][0][f"_parentcustomerid_value{FORMATTED}"] == "Contoso"


@pytest.mark.parametrize("chosen", ["<all-attributes/>", ""])
def test_all_columns_come_without_a_list_in_the_context(api, people, chosen):
    text = f"<fetch top='1'><entity name='account'>{chosen}<order attribute='name'/></entity></fetch>"
    answer = fetched(api, text, "accounts")
    assert answer["@odata.context"].endswith("#accounts")
    row = answer["value"][0]
    assert row["accountid"] == people["Contoso"]
    assert None not in row.values()
    assert len(row) > 10


def test_a_distinct_query_returns_each_combination_once(api, people):
    text = "<fetch distinct='true'><entity name='contact'><attribute name='numberofchildren'/></entity></fetch>"
    assert fetched(api, text)["value"] == [
        {},
        {"numberofchildren": 0},
        {"numberofchildren": 1},
        {"numberofchildren": 2},
    ]


def test_a_distinct_query_with_the_id_returns_each_record_once(api, people):
    text = accounts(f"<attribute name='accountid'/>{STAFF}/><order attribute='name'/>", distinct="true")
    answer = fetched(api, text, "accounts")
    assert names(answer, "name") == ["Contoso", "Fabrikam"]
    repeated = fetched(api, text.replace('distinct="true"', ""), "accounts")
    assert names(repeated, "name") == ["Contoso"] * 3 + ["Fabrikam"] * 2


def next_cookie(answer):
    inner = re.search('pagingcookie="([^"]*)"', answer[COOKIE])[1]
    return unquote(unquote(inner))


@pytest.mark.parametrize(
    ("text", "attributes", "member"),
    [
        (contacts, BY_NAME, "firstname"),
        (contacts, "<order attribute='numberofchildren' descending='true'/>", "firstname"),
        (contacts, f"{EMPLOYER} alias='a'><order attribute='revenue'/></link-entity>", "firstname"),
        (contacts, "<order attribute='parentcustomerid'/>", "firstname"),
        (
            accounts,
            f"{STAFF} link-type='outer' alias='c'><attribute name='firstname'/></link-entity>",
            "c_x002e_firstname",
        ),
    ],
)
@pytest.mark.parametrize("by_cookie", [True, False])
def test_pages_join_to_the_whole(api, people, text, attributes, member, by_cookie):
    entity_set = f"{text.__name__}"
    whole = names(fetched(api, text(attributes), entity_set), member)
    joined, page, cookie = [], 1, {}
    while True:
        answer = fetched(api, text(attributes, count=2, page=page, **cookie), entity_set, **ALL_ANNOTATIONS)
        joined += names(answer, member)
        assert "@odata.nextLink" not in answer
        if not answer[MORE]:
            break
        page += 1
        cookie = {"paging_cookie": next_cookie(answer)} if by_cookie else {}
    assert joined == whole
    assert COOKIE not in answer


def test_distinct_values_are_paged_too(api, people):
    chosen = "<entity name='contact'><attribute name='numberofchildren'/></entity>"
    text = f"<fetch distinct='true' count='2' page='{{}}'{{}}>{chosen}</fetch>"
    first = fetched(api, text.format(1, ""), **PAGING)
    assert (first["value"], first[MORE]) == ([{}, {"numberofchildren": 0}], True)
    cookie = f" paging-cookie='{escape(next_cookie(first))}'"
    for given in (cookie, ""):
        second = fetched(api, text.format(2, given), **PAGING)
        assert (second["value"], second[MORE]) == ([{"numberofchildren": 1}, {"numberofchildren": 2}], False)


def test_the_cookie_has_the_documented_form(api, people):
    answer = fetched(api, contacts("", count=1), **ALL_ANNOTATIONS)
    identifier = answer["value"][0]["contactid"].upper()
    assert answer[COOKIE].startswith('<cookie pagenumber="2" pagingcookie="%253ccookie%2520page%253d%25221%2522')
    assert answer[COOKIE].endswith('" istracking="False" />')
    assert (
        next_cookie(answer)
        == f'<cookie page="1"><contactid last="{{{identifier}}}" first="{{{identifier}}}" /></cookie>'
    )


def test_paging_annotations_come_only_when_asked_for(api, people):
    assert set(fetched(api, contacts("", count=1))) == {"@odata.context", "value"}
    named = {"prefer": "odata.include-annotations=Microsoft.Dynamics.CRM.morerecords"}
    assert fetched(api, contacts("", count=1), **named)[MORE] is True


def test_the_total_comes_when_asked_for(api, people):
    total = "@Microsoft.Dynamics.CRM.totalrecordcount"
    asked = fetched(api, contacts("", count=1, returntotalrecordcount="true"), **ALL_ANNOTATIONS)
    assert (asked[total], asked[f"{total}limitexceeded"]) == (5, False)
    assert fetched(api, contacts("", count=1), **ALL_ANNOTATIONS)[total] == -1
    assert api.json(path(contacts("", count=1)) + "&$count=true")["@odata.count"] == 5


def test_a_collection_of_a_row_takes_fetchxml(api, people):
    answer = api.json(f"/accounts({people['Contoso']})/contact_customer_accounts?fetchXml={quote(contacts(BY_NAME))}")
    assert names(answer) == ["Ann", "Bob", "Cid"]


def test_a_system_table_through_its_intersect(api):
    text = (
        "<fetch><entity name='systemuser'><attribute name='fullname'/><link-entity name='systemuserroles' "
        "from='systemuserid' to='systemuserid' intersect='true'><link-entity name='role' from='roleid' to='roleid' "
        "alias='r'><attribute name='name'/></link-entity></link-entity></entity></fetch>"
    )
    answer = fetched(api, text, "systemusers")
    assert [row["r_x002e_name"] for row in answer["value"]] == ["System Administrator"]


def test_attributes_for_the_real_database_change_nothing(api, people):
    text = contacts(
        BY_NAME,
        version="1.0",
        mapping="logical",
        output_format="xml-platform",
        no_lock="true",
        latematerialize="true",
        utc_offset="60",
        min_active_row_version="false",
        options="OptimizeForUnknown",
    )
    assert len(fetched(api, text)["value"]) == 5


def test_the_answer_is_json(api, people):
    answer = api("GET", path(contacts(BY_NAME)))
    assert json.loads(answer.body)["value"][0]["firstname"] == "Ann"
