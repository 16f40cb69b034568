"""How a client follows the changes of a table."""

import re

ROOT = "https://org.test:8443/api/data/v9.2"
TRACK = {"Prefer": "odata.track-changes"}
TOKEN = re.compile(r"\d+%21\d\d%2f\d\d%2f\d{4}%20\d\d%3a\d\d%3a\d\d\Z")


def headers_of(answer, name):
    return [value for key, value in answer.headers if key == name]


def local(link):
    assert link.startswith(ROOT)
    return link.removeprefix(ROOT)


def followed(api, path, **headers):
    """Read all pages of an answer: its values, its delta link, and how many pages there were."""
    values, pages = [], 0
    link = None
    while link is None:
        page = api.json(path, **headers)
        values += page["value"]
        pages += 1
        assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
        link = page.get("@odata.deltaLink")
        path = local(link or page["@odata.nextLink"])
    return values, path, pages


def delta_link(api, path="/accounts?$select=name"):
    return followed(api, path, **TRACK)[1]


def shown(values):
    return [row.get("name") or row["reason"] for row in values]
