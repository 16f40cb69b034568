"""Texts that take a careless service long, much memory or down: deep, long, huge, ambiguous, unspeakable ones."""

from __future__ import annotations

from xml.sax.saxutils import escape

DEEP = 4_000
URL_LIMIT = 32_768


def nested(opening: str, middle: str, closing: str, count: int = DEEP) -> str:
    """Return a text that opens and closes something many times."""
    return opening * count + middle + closing * count


def fetch(inside: str, attributes: str = "") -> str:
    """Return a FetchXML document on accounts."""
    return f"<fetch {attributes}><entity name='account'><attribute name='accountid'/>{inside}</entity></fetch>"


def conditions(count: int) -> str:
    """Return a filter with so many conditions."""
    return "<filter type='or'>" + "<condition attribute='name' operator='null'/>" * count + "</filter>"


def where(attribute: str, operator: str, value: str) -> str:
    """Return a document with one condition; the value is written as it is given."""
    return fetch(f"<filter><condition attribute='{attribute}' operator='{operator}' value='{value}'/></filter>")


def like(pattern: str) -> str:
    """Return a document that asks for names of a pattern."""
    return where("description", "like", escape(pattern))


LONG_TEXT = "a" * 1_900
"""What a record holds that the patterns below are matched with."""

PATTERNS = (
    "%a" * 200 + "b",
    "%_" * 300 + "b",
    "%[ab]" * 200 + "c",
    "[^" * 500,
    "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%a%ab",
    "_" * 1_900 + "%b",
    "%" * 2_000 + "b",
    "[a-" * 300,
)
"""Wildcards that a backtracking matcher of expressions does not come back from."""

REFUSED_QUERIES = {
    "parentheses": f"$filter={nested('(', 'name eq null', ')')}",
    "negations": f"$filter={'not ' * DEEP}name eq null",
    "lambdas": f"$filter={nested('contact_customer_accounts/any(o:', 'true', ')', 1_000)}",
    "functions": f"$filter={nested('tolower(', 'name', ')')} eq 'a'",
    "lists": f"$filter=name in {nested('(', '1', ')')}",
    "expansions": f"$expand={nested('primarycontactid($expand=', 'x', ')', 1_000)}",
    "selections": f"$select={nested('a($select=', 'x', ')', 1_000)}",
    "transformations": f"$apply={nested('groupby((name),', 'identity', ')', 1_000)}",
    "searches": f"$search={nested('(', 'a', ')')}",
    "orders": f"$orderby={','.join(f'name{n}' for n in range(3_000))}",
    "a key": "$filter=" + "a/" * 15_000 + "b eq 1",
    "a long name": f"$select={'n' * 30_000}",
    "a huge exponent": "$filter=revenue eq 1e999999",
    "a huge negative exponent": "$filter=exchangerate eq 1e-999999999",
    "a huge number": f"$filter=numberofemployees eq {'9' * 30_000}",
    "a huge top": f"$top={'9' * 30_000}",
    "a huge token": f"$skiptoken={'%3C' * 10_000}",
    "null in a text": "$filter=name eq 'a%00b'",
    "null in a pattern": "$filter=contains(name,'%00')",
    "null as JSON": '$filter=Microsoft.Dynamics.CRM.In(PropertyName=@a,PropertyValues=@b)&@a="name"&@b=["\\u0000"]',
    "half a surrogate pair": "$filter=name eq '%ED%A0%80'",
    "deep JSON": f"$filter=Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=@b)&@b={nested('[', '1', ']')}",
    "FetchXML: filters": "fetchXml=" + fetch(nested("<filter>", "", "</filter>", 1_500)),
    "FetchXML: links": "fetchXml="
    + fetch(nested("<link-entity name='account' from='accountid' to='parentaccountid'>", "", "</link-entity>", 200)),
    "FetchXML: elements": "fetchXml=" + nested("<a>", "", "</a>"),
    "FetchXML: conditions": "fetchXml=" + fetch(conditions(501)),
    "FetchXML: entities": "fetchXml=<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '%26b;%26b;'>]><fetch>%26c;</fetch>",
    "FetchXML: null": "fetchXml=" + where("name", "eq", "%26%230;"),
    "FetchXML: raw null": "fetchXml=" + where("name", "eq", "%00"),
    "FetchXML: a huge number": "fetchXml=" + where("revenue", "eq", "1e999999"),
    "FetchXML: a huge period": "fetchXml=" + where("createdon", "last-x-days", "9" * 900),
    "FetchXML: a huge page": "fetchXml=" + fetch("", "page='" + "9" * 900 + "'"),
    "SQL: parentheses": f"sql=SELECT name FROM account WHERE {nested('(', 'name IS NULL', ')', 3_000)}",
    "SQL: a text without end": f"sql=SELECT name FROM account WHERE name = '{'a' * 20_000}",
    "SQL: a comment without end": f"sql=SELECT name /*{'*' * 20_000} FROM account",
    "SQL: null": "sql=SELECT name FROM account WHERE name = 'a%00'",
}  # fmt: skip
"""Queries on accounts that must be refused, each by its reason."""

REFUSED_BODIES = {
    "deep arrays": b'{"name":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"name":' * 50_000 + b"1" + b"}" * 50_000,
    "a huge exponent": b'{"revenue":1e999999}',
    "a huge negative exponent": b'{"revenue":1e-999999999}',
    "many digits": b'{"revenue":' + b"9" * 100_000 + b"}",
    "many digits of an integer": b'{"numberofemployees":' + b"9" * 100_000 + b"}",
    "null in a text": b'{"name":"a\\u0000b"}',
    "null in a name": b'{"na\\u0000me":"a"}',
    "a raw null": b'{"name":"a\x00b"}',
    "half a surrogate pair": b'{"name":"\\ud83d"}',
    "half a pair as bytes": b'{"name":"\xed\xa0\xbd"}',
    "one name often": b"{" + b",".join([b'"name":"a"'] * 20_000) + b"}",
    "many names": b"{" + b",".join(b'"n%d":1' % n for n in range(20_000)) + b"}",
    "a long text": b'{"name":"' + b"a" * 900_000 + b'"}',
    "many escapes": b'{"name":"' + b"\\\\" * 400_000 + b'"}',
}
