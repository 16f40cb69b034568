"""Alternate keys in request bodies."""

from __future__ import annotations

from typing import Final

from entities.metadata.labels import Label
from entities.metadata.tables import AlternateKey
from odata_server.bind.definitions.checking import checked
from odata_server.bind.definitions.labels import read_further, read_label

KEY: Final = "EntityKeyMetadata"
KEPT: Final = frozenset({"IsCustomizable", "IsExportKey"})


def read_key(body: object) -> AlternateKey:
    """Return a new alternate key.

    Raises:
        InvalidPayload: it is no definition of a key.
        InvalidArgument: its label has two texts in one language.
    """
    members = checked(body, KEY)
    name = str(members.get("SchemaName", members.get("LogicalName", "")))
    label = read_label(members["DisplayName"]) if "DisplayName" in members else Label()
    columns = tuple(str(column).lower() for column in members.get("KeyAttributes", ()))
    return AlternateKey(name.lower(), columns, name, label, further=read_further(members, KEPT))
