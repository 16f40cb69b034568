"""Batches that nobody should send: always answered, never by a fault, and what is refused has changed nothing."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from batches import BATCH_TYPE, BOUNDARY, Asked, answers, batch
from hostile import HOSTILE_BODIES, KNOWN_ID, bodies, headers, paths, queries, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_LENIENT = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_REFERENCES = ("$1", "$2", "$", "$$", "$1/name", "$1/primarycontactid/$ref", "/$1", "$1($2)", "$metadata", "$batch")


def versions(services):
    """Return stamp and row version: every write raises one of them."""
    reader = services.dataverse.database.reader()
    return reader.execute('SELECT stamp, row_version FROM "$state"').fetchall()


def told(services, api, body, prefer=""):
    """Send a batch; return its status and the statuses of its parts, None where it was refused as a whole."""
    before = versions(services)
    answer = api("POST", "/$batch", body, content_type=BATCH_TYPE, prefer=prefer)
    assert answer.status < 500 or answer.status == 501, (answer.status, answer.body)
    content_type = dict(answer.headers)["Content-Type"]
    if content_type.startswith("multipart/"):
        return answer.status, answers(content_type, answer.body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["message"]
    assert versions(services) == before
    return answer.status, None


def part(method, url, fields, body, content_id):
    """Write a part, byte by byte as given."""
    head = (
        f"Content-Type: application/http\r\nContent-ID: {content_id}\r\n\r\n"
        if content_id
        else ("Content-Type: application/http\r\n\r\n")
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}{method} {url} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "replace") + body


urls = st.one_of(
    st.tuples(paths, queries).map(lambda found: "?".join(filter(None, found))),
    st.sampled_from(_REFERENCES),
    st.tuples(
        st.sampled_from(("accounts", "contacts", f"accounts({KNOWN_ID})")), st.sampled_from(("", "?", "?$select=name"))
    ).map("".join),
).map(lambda url: quote(url.encode("utf-8", "surrogatepass"), safe="/!$&'()*+,;=:@%[] \"<>?"))
references = st.dictionaries(
    st.sampled_from(("primarycontactid@odata.bind", "@odata.id", "parentaccountid@odata.bind", "name")),
    st.one_of(st.sampled_from(_REFERENCES), values),
).map(lambda record: json.dumps(record).encode())
parts = st.builds(
    part,
    st.sampled_from(("GET", "POST", "POST", "PATCH", "PUT", "DELETE")),
    urls,
    headers,
    st.one_of(bodies, references),
    st.sampled_from((None, "1", "2", "3", "batch", "$1")),
)
written = st.sampled_from(("POST", "PATCH", "PUT", "DELETE"))
changes = st.lists(
    st.builds(part, written, urls, st.just({}), st.one_of(bodies, references), st.none()), min_size=1, max_size=4
)


def of_parts(found, boundary=BOUNDARY):
    """Put delimiters around parts."""
    delimiter = f"--{boundary}".encode()
    return b"".join(delimiter + b"\r\n" + text + b"\r\n" for text in found) + delimiter + b"--\r\n"


def as_change_set(found):
    """Write a change set whose requests are named by their place."""
    named = [
        text.replace(b"application/http\r\n", f"application/http\r\nContent-ID: {place}\r\n".encode(), 1)
        for place, text in enumerate(found, start=1)
    ]
    return b"Content-Type: multipart/mixed; boundary=changes\r\n\r\n" + of_parts(named, "changes")


@given(st.lists(parts, max_size=4), st.sampled_from(("", "odata.continue-on-error")))
@_LENIENT
def test_whatever_a_batch_asks_for_it_is_answered(services, api, found, prefer):
    status, answered = told(services, api, of_parts(found), prefer)
    if answered is None:
        return
    refused = [one.status for one in answered if one.status >= 400]
    assert all(one < 500 or one == 501 for one in refused)
    if prefer:
        assert (status, len(answered)) == (200, len(found))
    else:
        assert refused == ([] if status == 200 else [status])


@given(changes)
@_LENIENT
def test_a_change_set_of_anything_is_done_or_not_done(services, api, found):
    before = versions(services)
    status, answered = told(services, api, of_parts([as_change_set(found)]))
    if status != 200:
        assert versions(services) == before
    elif answered is not None:
        assert [one.status < 400 for one in answered] == [True] * len(found)


_GOOD = batch(
    Asked("POST", "accounts", {"name": "A"}),
    [Asked("POST", "accounts", {"name": "B"}, "1"), Asked("PATCH", "$1", {"name": "C"}, "2")],
    Asked("GET", "accounts?$top=1"),
)
_SCRAPS = (
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b"--",
    b"\xff",
    f"--{BOUNDARY}\r\n".encode(),
    b"Content-ID: 1\r\n",
    b"$1",
    b"{",
    b": ",
)


@given(st.lists(st.tuples(st.integers(0, len(_GOOD)), st.integers(0, 40), st.sampled_from(_SCRAPS)), max_size=4))
@_LENIENT
def test_a_damaged_batch_is_answered(services, api, damage):
    body = _GOOD
    for place, length, scrap in damage:
        body = body[:place] + scrap + body[place + length :]
    told(services, api, body)


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("in_change_set", [True, False])
def test_a_body_that_cannot_be_read_is_refused_and_changes_nothing(services, api, body, method, in_change_set):
    url = {"POST": "contacts", "PATCH": f"contacts({KNOWN_ID})", "PUT": f"contacts({KNOWN_ID})/firstname"}[method]
    text = part(method, url, {}, body, "1")
    before = versions(services)
    status, answered = told(services, api, of_parts([as_change_set([text]) if in_change_set else text]))
    if status == 200:
        assert body in {b"\xef\xbb\xbf{}", b"{}"}
        return
    assert versions(services) == before
    assert answered is None or len(answered) == 1


@pytest.mark.parametrize(
    "text",
    [
        b"--" + BOUNDARY.encode() + b"\r\n" * 300_000,
        (b"--" + BOUNDARY.encode() + b"x\r\n") * 30_000,
        (b"--" + BOUNDARY.encode() + b" " * 30) * 20_000,
        of_parts([b"a: b\r\n" * 200_000]),
        of_parts([b"Content-Type: application/http\r\n\r\nGET " + b" " * 1_000_000 + b" HTTP/1.1\r\n\r\n"]),
        of_parts([b"Content-Type: application/http\r\n\r\nGET a" + b"%20" * 300_000 + b" HTTP/1.1\r\n\r\n"]),
        of_parts([b"Content-Type: application/http\r\n\r\nGET a HTTP/1.1\r\nA: b" + b"\r\n  c" * 200_000]),
        of_parts([b"Content-Type: multipart/mixed; boundary=" + b";boundary=" * 100_000]),
        of_parts([b"Content-Type: multipart/mixed; boundary=" + BOUNDARY.encode() + b"\r\n\r\n"] * 900),
    ],
    ids=range(9),
)
def test_long_batches_are_refused_in_little_time(services, api, text):
    assert told(services, api, text)[0] in {400, 404}


def test_digits_of_other_scripts_and_long_lengths_are_no_lengths(services, api):
    for length in ("²", "9" * 6_000, "-1", "+1", "1_0", "0x1"):
        text = part("POST", "accounts", {"Content-Length": length}, b'{"name":"x"}', "1")
        assert told(services, api, of_parts([text]))[0] in {200, 400}
