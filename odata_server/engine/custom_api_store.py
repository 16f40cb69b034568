"""The custom APIs of an organization, from the rows that declare them: they are part of its catalog.

Whoever changes these rows changes the stamp, so that every process reads its catalog again.
"""

from __future__ import annotations

from typing import Final

from entities.metadata.custom_apis import AllowedSteps, BindingType, CustomApi, CustomApiParameter, ParameterType
from odata_server.engine.database import Connection

_DECLARED: Final = """SELECT 1 FROM "$table" WHERE name = 'customapi'"""

_APIS: Final = """
SELECT a."customapiid", a."uniquename", a."bindingtype", a."boundentitylogicalname", a."isfunction", a."isprivate",
       a."executeprivilegename", a."allowedcustomprocessingsteptype", t."typename"
  FROM "customapi" AS a LEFT JOIN "plugintype" AS t ON t."plugintypeid" = a."plugintypeid"
 WHERE a."statecode" = 0 ORDER BY a."uniquename"
"""

_PARAMETERS: Final = """
SELECT "customapiid", "uniquename", "type", "logicalentityname", "isoptional"
  FROM "customapirequestparameter" WHERE "statecode" = 0 ORDER BY "uniquename"
"""

_PROPERTIES: Final = """
SELECT "customapiid", "uniquename", "type", "logicalentityname", 0
  FROM "customapiresponseproperty" WHERE "statecode" = 0 ORDER BY "uniquename"
"""


def read_custom_apis(connection: Connection) -> tuple[CustomApi, ...]:
    """Return the active custom APIs; an environment that has no table of them has none."""
    if connection.execute(_DECLARED).fetchone() is None:
        return ()
    parameters, properties = _parts(connection, _PARAMETERS), _parts(connection, _PROPERTIES)
    return tuple(
        CustomApi(
            str(name),
            BindingType(int(binding)),
            str(table) if table and binding else None,
            bool(is_function),
            bool(is_private),
            str(privilege or ""),
            str(plug_in_type or ""),
            AllowedSteps(int(allowed)),
            parameters.get(str(api), ()),
            properties.get(str(api), ()),
        )
        for api, name, binding, table, is_function, is_private, privilege, allowed, plug_in_type in connection.execute(
            _APIS
        ).fetchall()
    )


def _parts(connection: Connection, sql: str) -> dict[str, tuple[CustomApiParameter, ...]]:
    found: dict[str, tuple[CustomApiParameter, ...]] = {}
    for api, name, type_, table, is_optional in connection.execute(sql).fetchall():
        part = CustomApiParameter(
            str(name), ParameterType(int(type_)), str(table) if table else None, bool(is_optional)
        )
        found[str(api)] = (*found.get(str(api), ()), part)
    return found
