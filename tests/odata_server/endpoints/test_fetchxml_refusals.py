"""FetchXML documents that are refused, in Dataverse's words."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from fetching import (
    EMPLOYER,
    contacts,
    path,
)

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
