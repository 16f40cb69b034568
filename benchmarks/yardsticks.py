"""The servers that ours is compared with: `python -m benchmarks.yardsticks CONFIGURATION.json`.

    replay   Flask on granian that answers prepared bytes: what HTTP and Flask cost without any work
    store    Flask on granian that inserts or changes one prepared row per request in a transaction of its own: what a
             durable write costs without any rule

Both run exactly as the product does: granian, WSGI, one worker with one thread.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from odata_server.engine.sqlite.database import SqliteDatabase

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to replay."""

    headers: Headers
    body: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The answers of the replaying server, by the query string of the request as it is sent."""

    replies: Mapping[str, Reply]

    @property
    def name(self) -> str:
        """What it does, for the report."""
        return "static replay"


@dataclass(frozen=True, slots=True)
class Store:
    """The row that the storing server inserts, again and again with another id, or changes, one id after another.

    `values` belong to the parameters of `sql`; `id_position` is that of the id; `headers` are those of the answer.
    Without `ids` every id is new.
    """

    database: str
    sql: str
    values: list[Any]
    id_position: int
    headers: Headers
    ids: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it does, for the report."""
        return "raw update" if self.ids else "raw insert"


def replaying(replay: Replay) -> Flask:
    """Return the application that answers prepared bytes."""
    application = Flask("replay", static_folder=None)
    prepared = {query: (reply.body.encode(), reply.headers) for query, reply in replay.replies.items()}

    @application.get("/api/data/<path:rest>")
    def answer(rest: str) -> Response:  # noqa: ARG001 - the same path as the product's
        body, headers = prepared[request.environ["QUERY_STRING"]]
        return Response(body, headers=headers)

    return application


def storing(store: Store) -> Flask:
    """Return the application that writes one row per request, in the kind of database that the product uses."""
    application = Flask("store", static_folder=None)
    database = SqliteDatabase(Path(store.database))
    database.start_background()
    before, after = store.values[: store.id_position], store.values[store.id_position + 1 :]
    new = (f"ffffffff-0000-4000-8000-{number:012x}" for number in itertools.count(1))
    ids = itertools.cycle(store.ids) if store.ids else new

    @application.route("/api/data/<path:rest>", methods=["POST", "PATCH"])
    def write(rest: str) -> Response:  # noqa: ARG001 - the same path as the product's
        row = (*before, next(ids), *after)
        with database.writing() as connection:
            connection.execute(store.sql, row)
        return Response(status=204, headers=store.headers)

    return application


def _read_replay(told: Mapping[str, Any]) -> Replay:
    replies = told["replies"].items()
    return Replay({query: Reply([(n, v) for n, v in reply["headers"]], reply["body"]) for query, reply in replies})


def _read_store(told: Mapping[str, Any]) -> Store:
    return Store(**{**told, "headers": [(name, value) for name, value in told["headers"]]})


def write_configuration(path: Path, yardstick: Replay | Store, port: int) -> None:
    """Write the file by which a yardstick is started."""
    kind = "replay" if isinstance(yardstick, Replay) else "store"
    path.write_text(json.dumps({"kind": kind, "port": port, "told": asdict(yardstick)}), encoding="utf-8")


def application(configuration: Mapping[str, Any]) -> Flask:
    """Return the application that a configuration names."""
    if configuration["kind"] == "replay":
        return replaying(_read_replay(configuration["told"]))
    return storing(_read_store(configuration["told"]))


def main(path: Path) -> None:
    """Serve a yardstick until a signal comes."""
    configuration: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    load: Callable[[], Flask] = partial(application, configuration)
    server = Granian(
        "yardstick",
        port=configuration["port"],
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=1,
        http=HTTPModes.auto,
        websockets=False,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=load, wrap_loader=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
