"""The engine's reading side over the tables of a catalog, those of `worlds` unless a test has its own."""

from dataclasses import replace

from worlds import CATALOG, World

from entities.messages import Rows
from entities.metadata.catalog import Catalog
from entities.query import QueryExpression
from odata_server.edm.representation import RowShape
from odata_server.engine import rows
from odata_server.engine.database import Database, quoted
from odata_server.engine.reading import PlanCache, read_page, read_records
from odata_server.render.rows import rows as render_rows


class Engine:
    """A database with the tables of a catalog, and the plans compiled so far."""

    def __init__(self, database: Database, catalog: Catalog = CATALOG) -> None:
        self.database = database
        self.catalog = catalog
        self.plans = PlanCache()

    def hold(self, world: World) -> None:
        with self.database.writing() as connection:
            for name, records in world.items():
                connection.execute(f"DELETE FROM {quoted(name)}")
                for record in records:
                    rows.insert(connection, self.catalog.tables[name], record)

    def records(self, query: QueryExpression) -> Rows:
        return read_records(self.database.reader(), self.plans, self.catalog, query)

    def page(self, query: QueryExpression, shape: RowShape) -> Rows:
        """Return a page whose body is the JSON, whoever made it."""
        found = read_page(self.database.reader(), self.plans, self.catalog, query, shape)
        if found.body is not None:
            return found
        key = self.catalog.tables[shape.table].primary_id
        body = render_rows(found.records, shape, id_column=key, expanded=found.expanded)
        return replace(found, body=body, records=(), expanded=())
