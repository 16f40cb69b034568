"""Service documents: the entity sets of a service in alphabetical order, and nothing else.

(Learn: "Web API service documents"; OData JSON 4.01 §5.)
"""

from __future__ import annotations

import orjson

from entities.metadata.catalog import Catalog


def service_document(catalog: Catalog, root: str) -> bytes:
    """Return the service document of either service.

    Args:
        catalog: the tables.
        root: the absolute URL of the service, without a final slash.
    """
    names = sorted(table.entity_set_name for table in catalog.tables.values() if table.entity_set_name)
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return orjson.dumps({"@odata.context": f"{root}/$metadata", "value": sets})
