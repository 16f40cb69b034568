"""Headers that ask to pass custom business logic by, and who may ask for it (Learn: "Use optional parameters").

There is no custom business logic here to pass by; who may not ask for it is refused all the same. The others
(`MSCRM.SuppressDuplicateDetection`, `MSCRM.SuppressCallbackRegistrationExpanderJob`, the query option `tag`, …) take
no privilege, and what they are about is not here either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from odata_server.endpoints.exchange import ODataRequest
from security.denials import privilege_missing
from security.principals import Principal

_PRIVILEGES: Final[Mapping[str, str]] = {
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
}
_OFF: Final = frozenset({"", "false", "null"})


def check_optional_parameters(request: ODataRequest, principal: Principal) -> None:
    """Check that a caller may ask for what its headers ask for.

    Raises:
        AccessDenied: a privilege is missing.
    """
    for header, privilege in _PRIVILEGES.items():
        value = request.headers.get(header)
        if value is not None and value.strip().lower() not in _OFF and privilege not in principal.grants:
            raise privilege_missing(principal, privilege)
