"""Alternate keys in `$metadata` (vocabulary OData.Community.Keys.V1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from odata_server.edm.xml_text import empty

NAMESPACE: Final = "OData.Community.Keys.V1"


def alternate_keys_xml(keys: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the annotation of an entity type; nothing when it has no alternate key.

    Args:
        keys: the properties of each key.
    """
    if not keys:
        return
    yield f'<Annotation Term="{NAMESPACE}.AlternateKeys"><Collection>'
    for properties in keys:
        yield f'<Record Type="{NAMESPACE}.AlternateKey"><PropertyValue Property="Key"><Collection>'
        for name in properties:
            yield f'<Record Type="{NAMESPACE}.PropertyRef">'
            yield empty("PropertyValue", Property="Alias", String=name)
            yield empty("PropertyValue", Property="Name", PropertyPath=name)
            yield "</Record>"
        yield "</Collection></PropertyValue></Record>"
    yield "</Collection></Annotation>"
