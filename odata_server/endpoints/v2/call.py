"""One authenticated request to the Organization Data Service on its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from entities.values import utc_text
from odata_server.bind.selection import Reading
from odata_server.bind.v2.query import reading_of
from odata_server.bind.v2.translation import Meaning
from odata_server.endpoints.call import Call
from odata_server.endpoints.v2.formats import Format, check_read_version
from odata_server.endpoints.v2_state import OrganizationData
from odata_server.render.v2.entries import Place
from odata_server.syntax.v2_options import V2Options


@dataclass(frozen=True, slots=True)
class V2Call:
    """A request with what it is bound against.

    `call` executes messages for the caller and names the service's root; `meaning` are the names of the catalog,
    `options` those of the URL, `form` is how the answer is written.
    """

    call: Call
    meaning: Meaning
    options: V2Options
    form: Format

    @property
    def state(self) -> OrganizationData:
        """What the service keeps between requests."""
        return self.call.services.organization_data

    def reading(self) -> Reading:
        """Return what translated options are read against."""
        return reading_of(self.meaning, self.call.root)

    def place(self) -> Place:
        """Return where entities are shown."""
        now = datetime.fromtimestamp(self.call.services.now(), UTC)
        return Place(self.call.root, utc_text(now))

    def needs(self, version: str) -> None:
        """Refuse the request if the client does not read the version that its answer is written in.

        Raises:
            MalformedRequest: it does not.
        """
        check_read_version(self.call.request.header("maxdataserviceversion"), version)
