"""What the OData feed of Power BI and Excel needs of a service, as Learn documents it (Power Query, "OData Feed").

The requests carry the headers of Power Query; the product itself runs on Windows only.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

import pytest
import requests
from live_servers import Server
from lxml import etree

POWER_QUERY = {
    "Accept": (
        "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,"
        "application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7"
    ),
    "OData-MaxVersion": "4.0",
    "MaxDataServiceVersion": "3.0",
    "User-Agent": "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)",
}
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
CHALLENGE = re.compile(r"Bearer authorization_uri=(?P<authority>[^,]+), resource_id=(?P<resource>[^,\s]+)")
TARGETS = {"owners"}
"""Where Dataverse's own document binds the owners of records, though it has no entity set of that name."""

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def root(server: Server) -> str:
    return f"{server.url}/api/data/v9.2"


@pytest.fixture(scope="module")
def ask(root: str, session: requests.Session) -> Ask:
    """What reads an address below the root with the headers of Power Query."""

    def get(path: str, **headers: str) -> requests.Response:
        address = path if path.startswith("https:") else f"{root}/{path}"
        return session.get(address, headers=POWER_QUERY | headers, timeout=30)

    return get


@dataclass(frozen=True)
class Model:
    """The metadata document, by names."""

    document: etree._Element

    def elements(self, name: str) -> list[etree._Element]:
        return list(self.document.iter(f"{EDM}{name}"))

    @cached_property
    def types(self) -> dict[str, etree._Element]:
        """Every type by its name, qualified with the namespace or with the alias."""
        found = {}
        for schema in self.elements("Schema"):
            for kind in ("EntityType", "ComplexType", "EnumType", "TypeDefinition"):
                for each in schema.iterfind(f"{EDM}{kind}"):
                    for prefix in {schema.get("Namespace"), schema.get("Alias")} - {None}:
                        found[f"{prefix}.{each.get('Name')}"] = each
        return found

    @cached_property
    def sets(self) -> dict[str, etree._Element]:
        return {each.get("Name"): each for each in self.elements("EntitySet")}

    def with_bases(self, name: str) -> list[etree._Element]:
        """Return a type and those it is based on."""
        found = []
        while name is not None:
            found.append(self.types[name])
            name = found[-1].get("BaseType")
        return found

    def members(self, name: str, kind: str) -> dict[str, etree._Element]:
        return {each.get("Name"): each for owner in self.with_bases(name) for each in owner.iterfind(f"{EDM}{kind}")}

    def is_known(self, name: str) -> bool:
        item = name.removeprefix("Collection(").removesuffix(")")
        return item.startswith("Edm.") or item in self.types


@pytest.fixture(scope="module")
def model(ask: Ask) -> Model:
    return Model(etree.fromstring(ask("$metadata").content))


@pytest.mark.parametrize("path", ["", "/", "/$metadata", "/accounts", "/accounts?$top=1"])
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi"])
def test_whoever_has_no_token_is_told_where_to_get_one(server: Server, root: str, path: str, authorization: str | None):
    headers = POWER_QUERY | ({} if authorization is None else {"Authorization": authorization})
    answer = requests.get(f"{root}{path}", headers=headers, timeout=10)
    assert answer.status_code == 401
    found = CHALLENGE.match(answer.headers["WWW-Authenticate"])
    assert found["authority"] == f"{server.environment['authority']}/oauth2/authorize"
    assert found["resource"] == f"{server.url}/"


def test_the_authority_of_the_challenge_gives_tokens_for_its_resource(server: Server, root: str, admin: dict[str, str]):
    found = CHALLENGE.match(requests.get(f"{root}/", timeout=10).headers["WWW-Authenticate"])
    given = {"grant_type": "client_credentials", "resource": found["resource"], **admin}
    address = found["authority"].replace("/authorize", "/token")
    token = requests.post(address, data=given, timeout=10).json()["access_token"]
    read = requests.get(f"{root}/", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert read.status_code == 200


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("", "application/json"), ("$metadata", "application/xml"), ("accounts?$top=1", "application/json")],
)
def test_answers_say_their_version_and_their_kind(ask: Ask, path: str, content_type: str):
    answer = ask(path)
    assert (answer.status_code, answer.headers["OData-Version"]) == (200, "4.0")
    assert answer.headers["Content-Type"].startswith(content_type)


def test_the_service_document_lists_entity_sets_of_the_model(ask: Ask, root: str, model: Model):
    document = ask("").json()
    assert document["@odata.context"] == f"{root}/$metadata"
    assert {each["kind"] for each in document["value"]} == {"EntitySet"}
    assert {each["name"] for each in document["value"]} <= set(model.sets)
    assert all(each["url"] == each["name"] for each in document["value"])
    assert len(document["value"]) > 40


def test_the_names_of_entity_sets_are_the_same_every_time(ask: Ask):
    assert ask("").content == ask("").content
    assert ask("$metadata").content == ask("$metadata").content


def test_the_model_is_one_of_odata_4(model: Model):
    assert (model.document.tag, model.document.get("Version")) == (f"{EDMX}Edmx", "4.0")


def test_every_entity_set_has_a_type_with_a_key(model: Model):
    for name, each in model.sets.items():
        type_name = each.get("EntityType")
        keys = [ref.get("Name") for owner in model.with_bases(type_name) for ref in owner.iter(f"{EDM}PropertyRef")]
        assert keys, name
        assert set(keys) <= set(model.members(type_name, "Property")), name


def test_every_type_that_is_named_is_declared(model: Model):
    named = {
        (each.get("Name"), each.get("Type"))
        for kind in ("Property", "NavigationProperty", "Parameter", "ReturnType")
        for each in model.elements(kind)
    }
    assert [each for each in named if not model.is_known(each[1])] == []


def test_navigation_properties_are_bound_to_entity_sets(model: Model):
    bindings = [(name, each) for name, owner in model.sets.items() for each in owner]
    wrong = [
        (name, each.get("Path"))
        for name, each in bindings
        if each.tag == f"{EDM}NavigationPropertyBinding"
        and (each.get("Target") not in TARGETS | set(model.sets) or not binds(model, name, each))
    ]
    assert wrong == []
    assert len(bindings) > 100


def binds(model: Model, set_name: str, binding: etree._Element) -> bool:
    """Say whether the path of a binding leads to a navigation property, through casts to derived types if need be."""
    *casts, last = binding.get("Path").split("/")
    return last in model.members(casts[-1] if casts else model.sets[set_name].get("EntityType"), "NavigationProperty")


def test_partners_lead_back(model: Model):
    lost = []
    for name, owner in model.types.items():
        for each in owner.iterfind(f"{EDM}NavigationProperty[@Partner]"):
            other = each.get("Type").removeprefix("Collection(").removesuffix(")")
            if each.get("Partner") not in model.members(other, "NavigationProperty"):
                lost.append((name, each.get("Name")))
    assert lost == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$top=2", lambda found: len(found["value"]) == 2),
        ("$select=name&$top=1", lambda found: set(found["value"][0]) == {"@odata.etag", "name", "accountid"}),
        ("$filter=statecode eq 0 and contains(name,'a')", lambda found: len(found["value"]) > 1),
        ("$filter=createdon ge 2001-01-01T00:00:00Z&$top=1", lambda found: len(found["value"]) == 1),
        ("$orderby=name desc,accountid&$top=3", lambda found: len(found["value"]) == 3),
        ("$count=true&$top=1", lambda found: found["@odata.count"] > 1),
        ("$filter=name eq null&$count=true", lambda found: found["@odata.count"] == 0),
        ("$expand=primarycontactid($select=fullname)&$top=1", lambda found: "primarycontactid" in found["value"][0]),
        ("$expand=contact_customer_accounts", lambda found: "contact_customer_accounts" in found["value"][0]),
        ("$apply=groupby((statecode),aggregate($count as rows))", lambda found: "rows" in found["value"][0]),
    ],
)
def test_steps_that_are_folded_into_the_query(ask: Ask, query: str, expected: Callable[[dict], bool]):
    answer = ask(f"accounts?{query}")
    assert answer.status_code == 200, answer.text
    assert expected(answer.json())


@pytest.mark.parametrize("query", ["$skip=2", "$top=1&$skip=2"])
def test_skipping_is_refused_so_that_power_query_does_it_itself(ask: Ask, query: str):
    answer = ask(f"accounts?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80060888")


def test_pages_are_followed_to_the_end(ask: Ask, root: str):
    found, address = [], "contacts?$select=contactid&$count=true"
    while address:
        page = ask(address, Prefer="odata.maxpagesize=90").json()
        found += [row["contactid"] for row in page["value"]]
        address = page.get("@odata.nextLink")
        assert address is None or address.startswith(f"{root}/contacts?")
    assert len(found) == len(set(found)) == page.get("@odata.count", len(found))
    assert len(found) > 90


def test_long_addresses_are_sent_in_a_batch(session: requests.Session, root: str):
    condition = " or ".join(f"name eq '{'x' * 100}{n}'" for n in range(100))
    address = quote(f"{root}/accounts?$filter=not ({condition})&$top=1", safe=":/?$&='()")
    boundary = f"batch_{uuid.uuid4()}"
    lines = (
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"GET {address} HTTP/1.1",
        "Accept: application/json",
        *("", "", f"--{boundary}--", ""),
    )
    body = "\r\n".join(lines)
    headers = POWER_QUERY | {"Content-Type": f"multipart/mixed;boundary={boundary}", "OData-Version": "4.0"}
    answer = session.post(f"{root}/$batch", data=body, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert "HTTP/1.1 200 OK" in answer.text
    found = json.loads(answer.text[answer.text.index("{") : answer.text.rindex("}") + 1])
    assert len(found["value"]) == 1


def test_a_row_can_be_read_by_every_key_that_the_feed_makes(ask: Ask):
    row = ask("accounts?$select=name&$top=1").json()["value"][0]
    assert ask(f"accounts({row['accountid']})").json()["name"] == row["name"]
    missing = ask("accounts(00000000-0000-4000-8000-0000000000aa)")
    assert (missing.status_code, missing.headers["Content-Type"].split(";")[0]) == (404, "application/json")
