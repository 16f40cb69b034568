"""A process that creates gadgets and prints each name once its record is acknowledged; started by the tests beside it.

Arguments: the database file, the prefix of the names, how many to create, the durability.
"""

import sys
from pathlib import Path

from databases import open_database

from entities.messages import Create
from entities.pipeline import Caller, pipeline
from entities.values import Guid
from odata_server.engine.database import Durability
from odata_server.engine.organization import OrganizationService, Parts
from security.principals import Principal


class OnlySystem:
    """A directory of the system alone."""

    def __init__(self, system: Principal) -> None:
        self._system = system

    def system(self) -> Principal:
        return self._system

    def application_user(self, application_id: Guid, object_id: Guid | None) -> Principal:
        raise AssertionError

    def user(self, object_id: Guid | None, upn: str | None) -> Principal:
        raise AssertionError


def main(path: str, prefix: str, count: str, durability: str) -> None:
    """Create the gadgets."""
    user, unit = Guid("0a000000-0000-4000-8000-000000000003"), Guid("0a000000-0000-4000-8000-000000000002")
    directory = OnlySystem(Principal(Caller(user, unit, "SYSTEM"), 0, False, 1, {}, is_system=True))
    parts = Parts(pipeline(), lambda _database, _stamp: directory, frozenset(), {})
    service = OrganizationService(open_database(Path(path), Durability[durability]), parts)
    service.database.start_background()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for number in range(int(count)):
        name = f"{prefix}{number}"
        service.execute_transaction(
            (Create("gadget", {"name": name}), Create("account", {"name": f"with {name}"})), directory.system()
        )
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
    service.database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
