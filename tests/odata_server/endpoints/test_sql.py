"""`?sql=`: the read-only SQL that Microsoft's Python SDK sends, HTTP in, HTTP out."""

from __future__ import annotations

from urllib.parse import quote

import pytest

ORDERED = "SELECT firstname FROM contact ORDER BY firstname"


@pytest.fixture(scope="module")
def rows(api):
    ids = {name: api.created("accounts", name=name, revenue=n) for n, name in enumerate(("Contoso", "Fabrikam", "X"))}
    for name, last, account, children in (
        ("Ann", "O'Neil", "Contoso", 1),
        ("Bob", None, "Contoso", 2),
        ("Cid", "C", "Fabrikam", 2),
    ):
        bind = {"parentcustomerid_account@odata.bind": f"/accounts({ids[account]})"}
        ids[name] = api.created("contacts", firstname=name, lastname=last, numberofchildren=children, **bind)
    return ids


def answered(api, statement, **headers):
    set_ = "accounts" if "FROM account" in statement else "contacts"
    return api.json(f"/{set_}?sql={quote(statement)}", **headers)["value"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT firstname FROM contact WHERE lastname = 'O''Neil'", "A"),
        ("select firstname from contact where numberofchildren >= 2 order by firstname desc", "CB"),
        ("SELECT TOP 2 firstname FROM contact ORDER BY firstname", "AB"),
        ("SELECT TOP (1) [firstname] FROM [contact] AS c ORDER BY c.firstname DESC", "C"),
        ("SELECT firstname FROM contact WHERE lastname IS NULL", "B"),
        ("SELECT firstname FROM contact WHERE lastname IS NOT NULL ORDER BY firstname", "AC"),
        ("SELECT firstname FROM contact WHERE firstname IN ('Ann','Cid') ORDER BY firstname", "AC"),
        ("SELECT firstname FROM contact WHERE firstname NOT IN ('Ann','Cid')", "B"),
        ("SELECT firstname FROM contact WHERE firstname LIKE '%i%'", "C"),
        ("SELECT firstname FROM contact WHERE numberofchildren BETWEEN 0 AND 1", "A"),
        ("SELECT firstname FROM contact WHERE (firstname = 'Ann' OR firstname = 'Bob') AND numberofchildren <> 1", "B"),
        ("SELECT firstname FROM contact WHERE firstname = 'Ann' OR firstname = 'Bob' AND numberofchildren = 9", "A"),
        ("SELECT firstname FROM contact WHERE firstname < lastname", "A"),
        (
            (
                "SELECT c.firstname, a.name FROM contact c JOIN account a ON c.parentcustomerid = a.accountid "
                "WHERE a.name = 'Contoso' ORDER BY a.name, c.firstname"
            ),
            "AB",
        ),
        (
            (
                "SELECT c.firstname FROM contact c INNER JOIN account a ON a.accountid = c._parentcustomerid_value "
                "WHERE c.firstname < a.name ORDER BY firstname"
            ),
            "ABC",
        ),
    ],
)
def test_a_statement_selects_the_rows_it_says(api, rows, statement, found):
    assert "".join(row["firstname"][0] for row in answered(api, statement)) == found


def test_joined_columns_go_by_their_own_names(api, rows):
    statement = (
        "SELECT a.name, c.firstname AS first FROM account a LEFT JOIN contact c ON a.accountid = c.parentcustomerid "
        "ORDER BY a.name, c.firstname"
    )
    found = [(row["name"], row.get("first")) for row in answered(api, statement)]
    assert found == [("Contoso", "Ann"), ("Contoso", "Bob"), ("Fabrikam", "Cid"), ("X", None)]


@pytest.mark.parametrize(
    ("statement", "rows_"),
    [
        ("SELECT COUNT(*) FROM contact", [{"count": 3}]),
        (
            "SELECT SUM(numberofchildren) AS total, MAX(numberofchildren) AS most FROM contact",
            [{"total": 5, "most": 2}],
        ),
        ("SELECT COUNT(DISTINCT numberofchildren) AS n FROM contact", [{"n": 2}]),
        (
            "SELECT numberofchildren, COUNT(contactid) AS n FROM contact GROUP BY numberofchildren ORDER BY n DESC",
            [{"numberofchildren": 2, "n": 2}, {"numberofchildren": 1, "n": 1}],
        ),
        ("SELECT DISTINCT numberofchildren FROM contact", [{"numberofchildren": 1}, {"numberofchildren": 2}]),
    ],
)
def test_a_statement_groups_and_aggregates(api, rows, statement, rows_):
    assert answered(api, statement) == rows_


def test_a_page_is_asked_for_by_what_stands_before_it(api, rows):
    pages = []
    for skipped in (0, 2, 4):
        statement = f"{ORDERED} OFFSET {skipped} ROWS FETCH NEXT 2 ROWS ONLY"
        answer = api.json(f"/contacts?sql={quote(statement)}")
        assert "@odata.nextLink" not in answer
        pages.append("".join(row["firstname"][0] for row in answer["value"]))
    assert pages == ["AB", "C", ""]
    one = "SELECT numberofchildren, COUNT(*) AS n FROM contact GROUP BY numberofchildren ORDER BY numberofchildren DESC"
    assert answered(api, f"{one} OFFSET 1 ROW FETCH FIRST (1) ROW ONLY") == [{"numberofchildren": 1, "n": 1}]


def test_pages_are_linked(api, rows):
    url, names = f"/contacts?sql={quote('SELECT firstname FROM contact ORDER BY firstname')}", []
    while url:
        page = api.json(url, prefer="odata.maxpagesize=2")
        names += [row["firstname"] for row in page["value"]]
        url = page.get("@odata.nextLink", "").partition("/api/data/v9.2")[2]
    assert names == ["Ann", "Bob", "Cid"]


@pytest.mark.parametrize(
    ("statement", "code", "text"),
    [
        ("", "0x80060888", "SELECT is expected"),
        ("DELETE FROM contact", "0x80060888", "'DELETE' at position 0"),
        ("SELECT * FROM contact", "0x80060888", "SELECT * names no columns"),
        ("SELECT firstname FROM contact; DROP TABLE contact", "0x80060888", "unexpected character"),
        ("SELECT firstname FROM contact ORDER BY firstname OFFSET 5 ROWS", "0x80060888", "FETCH NEXT is expected"),
        ("SELECT firstname FROM contact OFFSET 0 ROWS FETCH NEXT 2 ROWS ONLY", "0x80060888", "'OFFSET'"),
        (f"{ORDERED} OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", "0x80060888", "OFFSET skips a multiple"),
        (f"{ORDERED} OFFSET 0 ROWS FETCH NEXT 0 ROWS ONLY", "0x80060888", "OFFSET skips a multiple"),
        (f"{ORDERED} OFFSET -1 ROWS FETCH NEXT 1 ROWS ONLY", "0x80060888", "OFFSET takes a whole number"),
        (f"{ORDERED} OFFSET 0 FETCH NEXT 1 ROWS ONLY", "0x80060888", "ROWS is expected"),
        (
            "SELECT TOP 1 firstname FROM contact ORDER BY firstname OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
            "0x80060888",
            "TOP",
        ),
        ("SELECT firstname FROM contact UNION SELECT name FROM account", "0x80060888", "'UNION'"),
        ("SELECT firstname FROM contact CROSS JOIN account", "0x80060888", "'CROSS'"),
        ("SELECT firstname FROM contact c RIGHT JOIN account a ON a.accountid = c.contactid", "0x80060888", "'RIGHT'"),
        ("SELECT COUNT(*) FROM contact GROUP BY lastname HAVING COUNT(*) > 1", "0x80060888", "'HAVING'"),
        ("SELECT firstname FROM contact WHERE firstname = (SELECT 1)", "0x80060888", "a text or number"),
        ("SELECT firstname FROM contact WHERE lastname = NULL", "0x80060888", "'NULL'"),
        ("SELECT firstname FROM contact WHERE " + "(" * 500, "0x80060888", "nested too deeply"),
        ("SELECT firstname FROM contact WHERE x.firstname = 'a'", "0x80060888", "alias 'x'"),
        ("SELECT firstname, COUNT(*) FROM contact", "0x80060888", "neither grouped by nor aggregated"),
        ("SELECT firstname FROM contact c JOIN account c ON c.a = c.b", "0x80060888", "two tables"),
        ("SELECT firstname FROM contact c JOIN account a ON a.name = a.name", "0x80060888", "a join compares"),
        ("SELECT TOP x firstname FROM contact", "0x80060888", "TOP takes"),
        ("SELECT nope FROM contact", "0x80041103", "Name = 'nope'"),
        ("SELECT name FROM nope", "0x80041102", "'nope'"),
        ("SELECT firstname FROM contact WHERE numberofchildren = 'x'", "0x80040203", "System.Int32"),
    ],
)
def test_everything_else_is_refused(api, rows, statement, code, text):
    status, found, told = api.error("GET", f"/contacts?sql={quote(statement)}")
    assert (status, found) == (400, code)
    assert text in told
