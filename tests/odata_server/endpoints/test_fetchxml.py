"""FetchXML over the Web API: HTTP in, HTTP out, over a real environment."""

from __future__ import annotations

import json
import re
import time
from html import escape
from urllib.parse import quote, unquote

import pytest

ALL_ANNOTATIONS = {"prefer": 'odata.include-annotations="*"'}
PAGING = {"prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.*"'}
COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
MORE = "@Microsoft.Dynamics.CRM.morerecords"
FORMATTED = "@OData.Community.Display.V1.FormattedValue"


@pytest.fixture(scope="module")
def people(api):
    """Five contacts of two accounts, and a third account without any."""
    ids = {}
    for name, revenue, description in (("Contoso", 20000.5, None), ("Fabrikam", 100, "Fabrikam"), ("Litware", 7, "x")):
        ids[name] = api.created("accounts", name=name, revenue=revenue, description=description)
    for first, last, account, children in (
        ("Ann", "O'Neil", "Contoso", 1),
        ("Bob", "Berg", "Contoso", 2),
        ("Cid", "Arger", "Contoso", 2),
        ("Dan", "50%_x", "Fabrikam", None),
        ("Eve", None, "Fabrikam", 0),
    ):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({ids[account]})"}
        ids[first] = api.created("contacts", firstname=first, lastname=last, numberofchildren=children, **bind)
    assert api("PATCH", f"/accounts({ids['Contoso']})", {"primarycontactid@odata.bind": f"contacts({ids['Ann']})"})
    return ids


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


def grouped(inside, **attributes):
    return contacts(inside, aggregate="true", **attributes).replace("<attribute name='firstname'/>", "", 1)


BY_CHILDREN = "<attribute name='numberofchildren' groupby='true' alias='n'/>"
COUNTED = "<attribute name='contactid' aggregate='count' alias='c'/>"


@pytest.mark.parametrize(
    ("inside", "rows"),
    [
        (COUNTED, [{"c": 5}]),
        ("<attribute name='lastname' aggregate='countcolumn' alias='c'/>", [{"c": 4}]),
        ("<attribute name='numberofchildren' aggregate='countcolumn' distinct='true' alias='c'/>", [{"c": 3}]),
        ("<attribute name='numberofchildren' aggregate='sum' alias='s'/>", [{"s": 5}]),
        (BY_CHILDREN + COUNTED, [{"c": 1}, {"n": 0, "c": 1}, {"n": 1, "c": 1}, {"n": 2, "c": 2}]),
        (
            f"{COUNTED}{EMPLOYER}><attribute name='name' groupby='1' alias='a.name'/><order alias='c'/></link-entity>",
            [{"c": 2, "a_x002e_name": "Fabrikam"}, {"c": 3, "a_x002e_name": "Contoso"}],
        ),
        (
            "<attribute name='createdon' groupby='true' dategrouping='year' usertimezone='0' alias='y'/>"
            + COUNTED
            + "<filter><condition attribute='createdon' operator='last-x-years' value='1'/></filter>",
            None,
        ),
    ],
)
def test_rows_are_grouped_and_aggregated(api, people, inside, rows):
    found = fetched(api, grouped(inside))["value"]
    if rows is None:
        assert sum(row["c"] for row in found) == 5
        assert all(row["y"] >= 2026 for row in found)
    else:
        assert found == rows


def test_groups_are_paged_by_number(api, people):
    text = BY_CHILDREN + COUNTED + "<order alias='n' descending='true'/>"
    pages = [fetched(api, grouped(text, count=3, page=page), **PAGING) for page in (1, 2)]
    assert [[row.get("n") for row in page["value"]] for page in pages] == [[2, 1, 0], [None]]
    assert [page[MORE] for page in pages] == [True, False]
    assert COOKIE not in pages[0]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<attribute name='firstname'/>", "0x80041107"),
        ("<all-attributes/>", "0x80041107"),
        ("<attribute name='firstname' groupby='true'/>", "0x80041109"),
        ("<attribute name='firstname' groupby='true' aggregate='count' alias='x'/>", "0x80041137"),
        ("<attribute name='firstname' groupby='perhaps' alias='x'/>", "0x8004112e"),
        ("<attribute name='firstname' aggregate='median' alias='x'/>", "0x8004111a"),
        ("<attribute name='firstname' aggregate='sum' alias='x'/>", "0x8004112f"),
        ("<attribute name='createdon' groupby='true' dategrouping='decade' alias='x'/>", "0x80041135"),
        (COUNTED + "<order attribute='firstname'/>", "0x80041131"),
        (COUNTED + "<order/>", "0x80041134"),
        (COUNTED + COUNTED, "0x80041130"),
        ("", "0x80040303"),
    ],
)
def test_a_faulty_grouping_is_refused(api, people, inside, code):
    assert api.error("GET", path(grouped(inside)))[:2] == (400, code)


CONDITION = "<condition attribute='firstname' operator='eq' value='x'/>"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "0x80040201", "Invalid XML."),
        ("<fetch>", "0x80040201", "Invalid XML."),
        ("nonsense", "0x80040201", "Invalid XML."),
        ("<entity name='contact'/>", "0x80040303", "Malformed FetchXml."),
        ("<fetch/>", "0x80041123", "A required element was not specified."),
        ("<fetch><entity name='contact'/><entity name='contact'/></fetch>", "0x80040303", "Malformed FetchXml."),
        ("<fetch><entity/></fetch>", "0x8004111e", "A required attribute was not specified."),
        ("<fetch><entity name='nope'/></fetch>", "0x80041102", "'nope'"),
        ("<fetch><entity name='account'/></fetch>", "0x80041128", "does not match the entity name"),
        (
            contacts("<attribute name='nope'/>"),
            "0x80041103",
            "'contact' entity doesn't contain attribute with Name = 'nope'",
        ),
        (contacts("<order attribute='nope'/>"), "0x80041103", "Name = 'nope'"),
        (contacts("<order alias='nope'/>"), "0x80041132", "An alias cannot be specified"),
        (contacts("<order/>"), "0x80041133", "An attribute is required"),
        (
            contacts("<order attribute='firstname' descending='x'/>"),
            "0x80041119",
            "The only valid values for descending",
        ),
        (contacts("<filter><condition attribute='nope' operator='null'/></filter>"), "0x80041103", "Name = 'nope'"),
        (
            contacts("<filter><condition attribute='firstname' operator='nope'/></filter>"),
            "0x80041120",
            "Unsupported condition",
        ),
        (
            contacts("<filter><condition attribute='firstname' operator='contains' value='x'/></filter>"),
            "0x80041120",
            "Unsupp",
        ),
        (contacts("<filter><condition attribute='firstname' operator='eq'/></filter>"), "0x80041106", "takes 1 value"),
        (
            contacts("<filter><condition attribute='firstname' operator='in'/></filter>"),
            "0x80041106",
            "at least one value",
        ),
        (
            contacts("<filter><condition attribute='statecode' operator='begins-with' value='x'/></filter>"),
            "0x80041106",
            "text",
        ),
        (
            contacts("<filter><condition attribute='statecode' operator='eq' value='x'/></filter>"),
            "0x80040203",
            "System.Int32",
        ),
        (
            contacts("<filter><condition attribute='contactid' operator='eq' value='x'/></filter>"),
            "0x80040203",
            "System.Guid",
        ),
        (
            contacts("<filter><condition attribute='createdon' operator='on' value='x'/></filter>"),
            "0x80040203",
            "System.DateTime",
        ),
        (
            contacts("<filter><condition attribute='createdon' operator='last-x-days' value='0'/></filter>"),
            "0x8004110c",
            "greater than zero",
        ),
        (
            contacts("<filter><condition attribute='firstname' operator='eq' valueof='createdon'/></filter>"),
            "0x80041106",
            "compared",
        ),
        (
            contacts("<filter><condition attribute='firstname' operator='like' valueof='lastname'/></filter>"),
            "0x80041106",
            "like",
        ),
        (
            contacts("<filter><condition entityname='a' attribute='name' operator='null'/></filter>"),
            "0x8004110a",
            "'a'",
        ),
        (contacts("<filter type='xor'/>"), "0x80041122", "Unsupported filter type."),
        (contacts("<filter><nonsense/></filter>"), "0x8004111c", "'nonsense'"),
        (contacts("<nonsense/>"), "0x8004111c", "'nonsense'"),
        (contacts(f"{EMPLOYER} link-type='cross'/>"), "0x80041117", "The only valid values for link-type"),
        (contacts(f"<filter>{EMPLOYER} link-type='inner'/></filter>"), "0x80041117", "inside a filter"),
        (contacts(f"{EMPLOYER} link-type='exists'><attribute name='name'/></link-entity>"), "0x80040303", "'exists'"),
        (contacts("<link-entity name='account' from='accountid'/>"), "0x80041111", "both specified or both omitted"),
        (contacts("<link-entity name='privilege'/>"), "0x800404ba", "Invalid link entity"),
        (contacts(f"{EMPLOYER} alias='a'/>{EMPLOYER} alias='a'/>"), "0x80041130", "unique aliases"),
        (contacts(f"{EMPLOYER} alias='a&quot;b'/>"), "0x80040303", "not allowed"),
        (contacts("", distinct="maybe"), "0x80041115", "The only valid values for distinct"),
        (contacts("", mapping="physical"), "0x80041116", "The only valid values for mapping"),
        (contacts("", page="0"), "0x80040303", "'page'"),
        (contacts("", count="-1"), "0x80040303", "'count'"),
        (contacts("", top="2", page="2"), "0x80040303", "top"),
        (contacts("", page="30000", count="50"), "0x8004430a", "paging cookie is required"),
        (contacts("", page="2", paging_cookie="<cookie/>"), "0x80040203", "Paging Cookie"),
        (contacts(f"<filter>{'<condition/>' * 501}</filter>"), "0x8004430c", "Number of conditions"),
        (contacts(f"{EMPLOYER}/>" * 16), "0x8004430d", "Number of link entities"),
    ],
)
def test_a_faulty_document_is_refused_in_dataverses_words(api, people, text, code, message):
    status, found, told = api.error("GET", path(text))
    assert (status, found) == (400, code)
    assert message in told


@pytest.mark.parametrize(
    "url",
    [
        "/contacts?fetchXml=%3Cfetch/%3E&$select=firstname",
        "/contacts?fetchXml=%3Cfetch/%3E&savedQuery=00000000-0000-0000-0000-000000000001",
        "/contacts/$count?fetchXml=%3Cfetch/%3E",
        "/contacts(00000000-0000-0000-0000-000000000001)?fetchXml=%3Cfetch/%3E",
    ],
)
def test_fetchxml_stands_alone_and_on_collections(api, url):
    status, code, told = api.error("GET", url)
    assert (status, code) == (400, "0x80060888")
    assert "cannot be" in told


LAUGHS = '<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><fetch><entity name="&b;"/></fetch>'
EXTERNAL = '<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><fetch><entity name="contact">&a;</entity></fetch>'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LAUGHS, "0x80040201"),
        (EXTERNAL, "0x80040201"),
        ("<!DOCTYPE fetch><fetch><entity name='contact'/></fetch>", "0x80040201"),
        ("<fetch><entity name='contact'>&undeclared;</entity></fetch>", "0x80040201"),
        ("<fetch>" + "<a>" * 2500 + "</a>" * 2500 + "</fetch>", "0x80040303"),
        ("<fetch><entity name='contact'>" + "<filter>" * 900 + "</filter>" * 900 + "</entity></fetch>", "0x80040303"),
    ],
)
def test_a_hostile_document_is_refused_at_once(api, text, code):
    began = time.perf_counter()
    status, found, told = api.error("GET", "/contacts?fetchXml=" + quote(text, safe="<>/='!&;[]").replace("&", "%26"))
    assert (status, found) == (400, code)
    assert "root:" not in told
    assert time.perf_counter() - began < 1


def test_the_answer_is_json(api, people):
    answer = api("GET", path(contacts(BY_NAME)))
    assert json.loads(answer.body)["value"][0]["firstname"] == "Ann"
