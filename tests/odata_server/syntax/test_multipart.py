"""Batches as text: what is read, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odata_server.syntax.multipart import MAX_OPERATIONS, BatchRequest, ChangeSet, boundary_of, read_batch
from odata_server.syntax.tokens import SyntaxRefused

PART = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
GET = f"{PART}GET accounts HTTP/1.1\r\n\r\n"
POST = f"{PART}POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}"


def text(*parts: str, boundary: str = "b") -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def change_set(*parts: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=c\r\n\r\n{text(*parts, boundary='c')}"


def read(body: str) -> tuple[BatchRequest | ChangeSet, ...]:
    return read_batch(body.encode("latin-1"), "b")


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/mixed; boundary=batch_1", "batch_1"),
        ("multipart/mixed;boundary=batch_1", "batch_1"),
        ('multipart/mixed; boundary="batch_1"', "batch_1"),
        ("Multipart/Mixed; Boundary=batch_1", "batch_1"),
        ('multipart/mixed; charset=utf-8; boundary="batch 1:?"; x=y', "batch 1:?"),
        ("multipart/mixed; boundary=a=b'()+_,-./:?", "a=b'()+_,-./:?"),
        ("multipart/mixed; boundary=" + "x" * 70, "x" * 70),
    ],
)
def test_a_boundary_is_quoted_or_bare(header, boundary):
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", '"Content-Type" header'),
        ("application/json", "'multipart/mixed' as the media type"),
        ("application/json; boundary=b", "'multipart/mixed' as the media type"),
        ("multipart/form-data; boundary=b", "'multipart/mixed' as the media type"),
        ("multipart/mixed", "boundary specification"),
        ("multipart/mixed; boundary=", "boundary specification"),
        ('multipart/mixed; boundary=""', "boundary specification"),
        ('multipart/mixed; boundary="  "', "boundary specification"),
        ('multipart/mixed; boundary="b', "boundary specification"),
        ("multipart/mixed; boundary=b\u00e4tch", "boundary specification"),
        ("multipart/mixed; boundary=" + "x" * 71, "70 characters"),
    ],
)
def test_without_a_boundary_there_is_no_batch(header, told):
    with pytest.raises(SyntaxRefused, match=told):
        boundary_of(header)


def test_requests_and_change_sets_are_read_in_order():
    asked = BatchRequest("GET", "accounts", {}, b"", None)
    made = BatchRequest("POST", "accounts", {"content-type": "application/json"}, b"{}", None)
    assert read(text(GET, change_set(POST, POST), POST)) == (asked, ChangeSet((made, made)), made)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize(
    ("before", "behind"), [("", ""), ("\n", ""), ("This is a batch.\r\n\r\n", "\r\nThis was one.\r\n--b\r\nX")]
)
def test_line_ends_preamble_and_epilogue_change_nothing(line_end, before, behind):
    plain = text(GET, change_set(POST))
    assert read(before + plain.replace("\r\n", line_end) + behind) == read(plain)


@pytest.mark.parametrize(
    ("line", "method", "url"),
    [
        ("GET accounts HTTP/1.1", "GET", "accounts"),
        ("GET  accounts  HTTP/1.1 ", "GET", "accounts"),
        (
            "GET https://org.test/api/data/v9.2/accounts?$top=1 HTTP/1.0",
            "GET",
            "https://org.test/api/data/v9.2/accounts?$top=1",
        ),
        ("GET accounts?$filter=name eq 'a b' HTTP/1.1", "GET", "accounts?$filter=name%20eq%20'a%20b'"),
        ("GET accounts?$filter=name eq 'a HTTP/1.1' HTTP/1.1", "GET", "accounts?$filter=name%20eq%20'a%20HTTP/1.1'"),
        ("GET AccountSet%28guid%27x%27%29?%24top=1 HTTP/1.1", "GET", "AccountSet%28guid%27x%27%29?%24top=1"),
        ("GET accounts?$filter=name eq '\u00c3\u00a4' HTTP/1.1", "GET", "accounts?$filter=name%20eq%20'%C3%A4'"),
        ("GET a\tb HTTP/1.1", "GET", "a%09b"),
        ("PATCH $1 HTTP/1.1", "PATCH", "$1"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*"),
    ],
)
def test_a_request_line_is_method_url_and_version(line, method, url):
    (request,) = read(text(f"{PART}{line}\r\n\r\n"))
    assert isinstance(request, BatchRequest)
    assert (request.method, request.url) == (method, url)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET",
        "GET accounts",
        "GET HTTP/1.1",
        "GET  HTTP/1.1",
        "accounts HTTP/1.1",
        "G T accounts HTTP/x",
        "G(T a HTTP/1.1",
    ],
)
def test_a_request_line_without_one_of_them_is_refused(line):
    with pytest.raises(SyntaxRefused, match="request line"):
        read(text(f"{PART}{line}\r\n\r\n"))


def test_headers_are_in_lower_case_unfolded_and_joined():
    (request,) = read(text(f"{PART}GET a HTTP/1.1\r\nPrefer: x\r\nPREFER:y\r\nAccept:  a;\r\n  b\r\n\r\n"))
    assert isinstance(request, BatchRequest)
    assert request.headers == {"prefer": "x, y", "accept": "a; b"}


def test_a_change_set_may_be_declared_in_a_folded_header():
    folded = change_set(POST).replace("; boundary", ";\r\n boundary")
    assert read(text(folded)) == read(text(change_set(POST)))


@pytest.mark.parametrize(
    ("part", "content_id"),
    [
        (POST, None),
        (POST.replace("\r\n\r\nPOST", "\r\nContent-ID: 7\r\n\r\nPOST"), "7"),
        (POST.replace("1.1\r\n", "1.1\r\nContent-ID: 7\r\n"), "7"),
        (POST.replace("\r\n\r\nPOST", "\r\ncontent-id:100001\r\n\r\nPOST"), "100001"),
    ],
)
def test_a_content_id_stands_before_or_in_the_request(part, content_id):
    (request,) = read(text(part))
    assert isinstance(request, BatchRequest)
    assert request.content_id == content_id


@pytest.mark.parametrize(
    ("length", "sent", "body"),
    [
        ("2", "{}\r\n\r\n", b"{}"),
        ("2", "{}", b"{}"),
        ("", "{}\r\n\r\n", b"{}\r\n\r\n"),
        ("1", "{}", b"{}"),
        ("9", "{}", b"{}"),
        ("x", "{}\n", b"{}\n"),
        ("9" * 5000, "{}\n", b"{}\n"),
    ],
)
def test_a_declared_length_leaves_blank_lines_out_and_nothing_else(length, sent, body):
    (request,) = read(text(f"{PART}POST a HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{sent}"))
    assert isinstance(request, BatchRequest)
    assert request.body == body


def test_what_looks_like_a_delimiter_inside_of_a_line_or_goes_on_is_text():
    body = '{"a": "--b"}\r\n--bc\r\n --b\r\n--b--x'
    (request,) = read(text(f"{PART}POST a HTTP/1.1\r\n\r\n{body}"))
    assert isinstance(request, BatchRequest)
    assert request.body == body.encode()


def test_a_batch_may_be_empty():
    assert read("--b--") == ()
    assert read(text("Content-Type: multipart/mixed; boundary=c\r\n\r\n--c--")) == (ChangeSet(()),)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "closing boundary '--b--'"),
        ("{}", "closing boundary"),
        (text(GET)[:-6], "closing boundary"),
        (text(GET, boundary="other"), "closing boundary '--b--'"),
        (text(change_set(POST)[:-6]), "closing boundary '--c--'"),
        (text("Content-Type: multipart/mixed\r\n\r\n"), "boundary specification"),
        (text("Content-Type: multipart/form-data; boundary=c\r\n\r\n"), "'multipart/mixed' as the media type"),
        (text("\r\nGET accounts HTTP/1.1\r\n"), "Content-Type '' of a part"),
        (text("Content-Type: application/json\r\n\r\n{}"), "'application/json' of a part"),
        (text(GET.replace("binary", "base64")), "Content-Transfer-Encoding"),
        (text(change_set(GET)), "HTTP method 'GET' was detected for a request in a change set"),
        (text(change_set(GET.replace("GET", "HEAD"))), "HTTP method 'HEAD'"),
        (text(change_set(change_set(POST))), "Nested change sets"),
        (text(PART), "request line"),
        (text(f"{PART}GET a HTTP/1.1\r\nno colon\r\n\r\n"), "header"),
        (text(f"{PART}GET a HTTP/1.1\r\n: x\r\n\r\n"), "header"),
        (text(f"{PART}GET a HTTP/1.1\r\nA B: x\r\n\r\n"), "header"),
        (text(f"{PART}GET a HTTP/1.1\r\nA: x\0y\r\n\r\n"), "header"),
        (text(f"{PART}GET a HTTP/1.1\r\nA: x\ry\r\n\r\n"), "header"),
        (text(f"{PART}GET a HTTP/1.1\r\n" + "A: x\r\n" * 101 + "\r\n"), "100 headers"),
        (text(f"{PART}GET a HTTP/1.1\r\nContent-ID: a b\r\n\r\n"), "Content-ID"),
        (text(f"{PART}GET a HTTP/1.1\r\nContent-ID: {'1' * 101}\r\n\r\n"), "Content-ID"),
    ],
)
def test_what_is_malformed_is_refused(body, told):
    with pytest.raises(SyntaxRefused, match=told):
        read(body)


def test_a_content_id_occurs_once_in_a_change_set_but_in_several_change_sets():
    named = POST.replace("\r\n\r\nPOST", "\r\nContent-ID: 1\r\n\r\nPOST")
    assert len(read(text(change_set(named), change_set(named), named, named))) == 4
    with pytest.raises(SyntaxRefused, match="content ID '1' was found more than once"):
        read(text(change_set(named, POST, named)))


def test_a_batch_holds_a_thousand_requests_and_not_one_more():
    items = read(text(*[GET] * (MAX_OPERATIONS - 2), change_set(POST, POST)))
    assert len(items) == MAX_OPERATIONS - 1
    for more in ((GET, change_set(POST, POST)), (change_set(POST, POST, POST),)):
        with pytest.raises(SyntaxRefused, match="up to 1000 requests"):
            read(text(*[GET] * (MAX_OPERATIONS - 2), *more))


_NAMES = st.text("abcXYZ-_0", min_size=1, max_size=8)
_VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
_HEADERS = st.dictionaries(
    _NAMES.map(str.lower).filter(lambda name: name not in {"content-id", "content-length"}), _VALUES, max_size=3
)
_BODIES = st.binary(max_size=40).filter(
    lambda body: not body.endswith(b"\r") and b"--b" not in body and b"--c" not in body
)
_URLS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
_IDS = st.one_of(st.none(), st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=5))


def _requests(methods: tuple[str, ...]) -> st.SearchStrategy[BatchRequest]:
    return st.builds(BatchRequest, st.sampled_from(methods), _URLS, _HEADERS, _BODIES, _IDS)


_ITEMS = st.lists(
    st.one_of(
        _requests(("GET", "POST", "DELETE")),
        st.lists(
            _requests(("POST", "PATCH", "PUT", "DELETE")), max_size=3, unique_by=lambda r: r.content_id or id(r)
        ).map(lambda requests: ChangeSet(tuple(requests))),
    ),
    max_size=4,
)


def _written(item: BatchRequest | ChangeSet, line_end: bytes) -> bytes:
    if isinstance(item, ChangeSet):
        inner = b"".join(b"--c" + line_end + _written(request, line_end) + line_end for request in item.requests)
        return b"Content-Type: multipart/mixed; boundary=c" + line_end * 2 + inner + b"--c--"
    lines = [b"Content-Type: application/http"]
    if item.content_id is not None:
        lines.append(b"Content-ID: " + item.content_id.encode())
    lines += [b"", f"{item.method} {item.url} HTTP/1.1".encode()]
    lines += [f"{name}: {value}".encode() for name, value in item.headers.items()]
    return line_end.join([*lines, b"", item.body])


@given(_ITEMS, st.sampled_from([b"\r\n", b"\n"]))
def test_what_is_written_is_read_again(items, line_end):
    body = b"".join(b"--b" + line_end + _written(item, line_end) + line_end for item in items) + b"--b--" + line_end
    assert read_batch(body, "b") == tuple(items)


_SCRAPS = st.sampled_from(
    (b"--b", b"--b--", b"--c", b"--c--", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"{}",
     b"Content-Type: application/http", b"Content-Type: multipart/mixed; boundary=c", b"Content-ID: 1",
     b"Content-Type: multipart/mixed; boundary=b", b"Content-Transfer-Encoding: binary", b"GET a HTTP/1.1",
     b"POST $1 HTTP/1.1", b"HTTP/1.1", b"Content-Length: 1", b"boundary=", b"x: y")
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(_SCRAPS, max_size=30).map(b"".join)))
def test_any_bytes_are_read_or_refused(body):
    try:
        items = read_batch(body, "b")
    except SyntaxRefused:
        return
    assert all(isinstance(item, BatchRequest | ChangeSet) for item in items)


@given(st.one_of(st.text(), st.text(' ;="boundarymltip/xd')))
def test_any_content_type_has_a_boundary_or_is_refused(header):
    for content_type in (header, f"multipart/mixed;{header}", f"multipart/mixed; boundary={header}"):
        try:
            boundary = boundary_of(content_type)
        except SyntaxRefused:
            continue
        assert boundary.isascii()
        assert 1 <= len(boundary) <= 70
