"""One HTTP exchange as values, free of any framework: the request that a door reads, the response that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ODataRequest:
    """A request, or one part of a batch.

    `host` is host and port as the client named them. `path` begins with a slash and is still percent-encoded, `query`
    is what stands after the question mark, undecoded and without it. Header names are lower case; a header that came
    more than once is joined by `, ` (RFC 9110 §5.2). In a part of a batch, `references` are the URLs that `$n` stands
    for, by Content-ID; it is None outside of batches.
    """

    method: str
    scheme: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    references: Mapping[str, str] | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a final slash: what every absolute URL of the answer begins with."""
        return f"{self.scheme}://{self.host}"

    @property
    def url(self) -> str:
        """The absolute URL that was asked for."""
        return f"{self.origin}{self.path}?{self.query}" if self.query else f"{self.origin}{self.path}"

    def header(self, name: str) -> str:
        """Return a header's value, empty when the request has none; `name` in lower case."""
        return self.headers.get(name, "")

    def root(self, segments: int) -> str:
        """Return the absolute URL of the service, without a final slash.

        Args:
            segments: how many path segments name the service (3 for `/api/data/v9.2`, 1 for `/data`).
        """
        return self.origin + "/".join(self.path.split("/")[: segments + 1])


@dataclass(frozen=True, slots=True)
class ODataResponse:
    """A response; a header may occur more than once."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
