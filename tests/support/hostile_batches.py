"""Batches that nobody should send."""

from __future__ import annotations

from batches import BATCH_TYPE, BOUNDARY


def http(method: str, url: str, body: str = "", content_id: str | None = "1", more: str = "") -> str:
    """Return a request of a batch, its headers and a body."""
    name = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    request = f"{method} {url} HTTP/1.1\r\nContent-Type: application/json\r\n{more}\r\n{body}"
    return f"Content-Type: application/http\r\n{name}\r\n{request}"


def multipart(*parts: str, boundary: str = BOUNDARY, end: bool = True) -> str:
    """Return parts between boundaries."""
    text = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return text + (f"--{boundary}--\r\n" if end else "")


def change_set(*parts: str, boundary: str = "changes") -> str:
    """Return parts as a change set."""
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{multipart(*parts, boundary=boundary)}"


def _nested(depth: int) -> str:
    text = http("POST", "accounts", '{"name":"deep"}')
    for level in range(depth):
        text = change_set(text, boundary=f"level{level}")
    return multipart(text)


_POST = http("POST", "accounts", '{"name":"in a batch"}')
BATCHES: dict[str, tuple[str, str]] = {
    name: (BATCH_TYPE, body)
    for name, body in {
        "nothing": "",
        "no end": multipart(_POST, end=False),
        "only an end": f"--{BOUNDARY}--",
        "another boundary": multipart(_POST, boundary="other"),
        "nested 50 deep": _nested(50),
        "nested twice": _nested(2),
        "a batch in a batch": multipart(http("POST", "$batch", multipart(_POST))),
        "ids twice": multipart(change_set(_POST, _POST)),
        "a forward reference": multipart(
            change_set(http("PATCH", "$2", "{}", "1"), http("POST", "accounts", "{}", "2"))
        ),
        "a reference to itself": multipart(change_set(http("PATCH", "$1", "{}", "1"))),
        "a circle": multipart(
            change_set(
                http("POST", "accounts", '{"primarycontactid@odata.bind":"$2"}', "1"),
                http("POST", "contacts", '{"parentcustomerid_account@odata.bind":"$1"}', "2"),
            )
        ),
        "a reference out of the change set": multipart(change_set(_POST), change_set(http("PATCH", "$1", "{}", "2"))),
        "a reference to what fails": multipart(
            change_set(http("POST", "accounts", '{"name":7}', "1"), http("PATCH", "$1", "{}", "2"))
        ),
        "1,001 requests": multipart(*[_POST] * 1_001),
        "1,001 requests in a change set": multipart(
            change_set(*(http("POST", "accounts", "{}", str(n)) for n in range(1_001)))
        ),
        "1,001 requests in change sets": multipart(*[change_set(_POST)] * 1_001),
        "a flood of headers": multipart(
            http("POST", "accounts", "{}", "1", "".join(f"X-{n}: y\r\n" for n in range(20_000)))
        ),
        "a flood of headers of a part": multipart("".join(f"X-{n}: y\r\n" for n in range(20_000)) + _POST),
        "a long header": multipart(http("POST", "accounts", "{}", "1", "X: " + "y" * 900_000 + "\r\n")),
        "a folded header": multipart(http("POST", "accounts", "{}", "1", "X: a" + "\r\n b" * 50_000 + "\r\n")),
        "many parts": "".join(f"--{BOUNDARY}\r\n\r\n" for _ in range(100_000)),
        "many empty parts": f"--{BOUNDARY}\r\n" * 100_000,
        "many change sets without requests": multipart(*[change_set()] * 5_000),
        "no blank line in the part": multipart("Content-Type: application/http\r\nPOST accounts HTTP/1.1\r\n\r\n{}"),
        "no blank line before the body": multipart(
            "Content-Type: application/http\r\n\r\nPOST accounts HTTP/1.1\r\n"
            'Content-Type: application/json\r\n{"name":"a"}'
        ),
        "no request line": multipart("Content-Type: application/http\r\n\r\n\r\n\r\n{}"),
        "no version": multipart("Content-Type: application/http\r\n\r\nPOST accounts\r\n\r\n{}"),
        "no type": multipart("\r\nPOST accounts HTTP/1.1\r\n\r\n{}"),
        "a length that lies": multipart(change_set(http("POST", "accounts", "{}", "1", "Content-Length: 99999\r\n"))),
        "a short length": multipart(
            change_set(http("POST", "accounts", '{"name":"abc"}', "1", "Content-Length: 3\r\n"))
        ),
        "a GET in a change set": multipart(change_set(http("GET", "accounts"))),
        "another host": multipart(http("POST", "https://evil.test/api/data/v9.2/accounts", "{}")),
        "another service": multipart(http("POST", "/_talentverse/reset", "{}"), http("POST", "/data/Workers", "{}")),
        "a null in it": multipart(http("POST", "acc\0ounts", "\0{}")),
        "a change set that breaks at its end": multipart(
            change_set(
                *(http("POST", "accounts", "{}", str(n)) for n in range(50)),
                http("POST", "accounts", '{"name":7}', "last"),
            )
        ),
        "a text": "x" * 900_000,
        "line feeds": "\n" * 300_000,
        "dashes": "-" * 300_000,
    }.items()
}
BATCHES |= {
    f"type {content_type[:30]!r}": (content_type, multipart(_POST))
    for content_type in (
        "multipart/mixed",
        "multipart/mixed;",
        "multipart/mixed; boundary=",
        'multipart/mixed; boundary="',
        "multipart/mixed; boundary=\xff",
        'multipart/mixed; boundary=""',
        "multipart/mixed; boundary=" + "x" * 5_000,
        "multipart/mixed; boundary=a; boundary=b",
        "multipart/related; boundary=x",
        "text/plain",
        "",
        'multipart/mixed; boundary="a\\"b"',
        "multipart/mixed; boundary=a b",
    )
}
