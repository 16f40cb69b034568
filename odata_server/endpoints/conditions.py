"""What a request is to be refused for before anything is written: `If-None-Match` with an entity tag.

RFC 9110 §13.1.2: a record that is at this version already is not written to. A version never comes back once a
record has left it, so what is read before the write still holds when it is written.
"""

from __future__ import annotations

from typing import Final

from entities.errors import RecordNotFound, VersionMismatch
from entities.messages import Retrieve, Target
from odata_server.endpoints.call import Call, version_of

_VERSION: Final = "versionnumber"


def check_none_matches(call: Call, target: Target) -> None:
    """Refuse to write to a record that is at the version which `If-None-Match` names.

    Raises:
        VersionMismatch: it is.
        MalformedRequest: the header holds no entity tag.
        AccessDenied: the caller may not read the record, and so not ask for its version.
    """
    known = version_of(call.request.header("if-none-match"))
    if known is None or not call.catalog.tables[target.table].has_version:
        return
    try:
        found = call.read(Retrieve(target, (_VERSION,)))
    except RecordNotFound:
        return
    if found.records[0].get(_VERSION) == known:
        raise VersionMismatch("The version of the existing record matches the entity tag in If-None-Match.")
