"""The place of a server's databases, by its settings."""

from __future__ import annotations

from odata_server.engine.sqlite.files import FilePlace
from odata_server.engine.storage_place import StoragePlace
from odata_server.settings import Settings


def storage_place(settings: Settings) -> StoragePlace:
    """Return where the databases of a server lie; nothing is opened yet."""
    if settings.database_url is not None:
        # Only who uses PostgreSQL waits for its client library.
        from odata_server.engine.postgres.schemas import SchemaPlace  # noqa: PLC0415 - see above

        return SchemaPlace(settings.database_url)
    return FilePlace(settings.storage_directory)
