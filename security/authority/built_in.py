"""The app registrations every simulator has from its first start, under ids that never change."""

from typing import Final
from uuid import UUID, uuid5

from security.authority.authority import BuiltInRegistration

ADMIN_CLIENT_ID: Final = UUID("9a5f1e6c-27d4-4c0b-8f7e-6b1d2c3e4f50")
ADAPTER_CLIENT_ID: Final = UUID("3a225c96-d62a-44ce-b3ec-bd4e8e9befef")
PUBLIC_CLIENT_ID: Final = UUID("51f81489-12ee-4a9e-aaae-a2591f45987d")


def built_in_registrations(tenant_id: UUID) -> tuple[BuiltInRegistration, ...]:
    """Return the administrator's application, the Talent Hub adapter and Microsoft's public client.

    Object ids follow from tenant and client id, so that a simulator set up again gives the same ones.
    """
    return (
        BuiltInRegistration(
            client_id=ADMIN_CLIENT_ID,
            object_id=uuid5(tenant_id, f"servicePrincipal {ADMIN_CLIENT_ID}"),
            registration_id=uuid5(tenant_id, f"application {ADMIN_CLIENT_ID}"),
            display_name="Talentverse administrator",
            app_roles=("Application.ReadWrite.All",),
        ),
        BuiltInRegistration(
            client_id=ADAPTER_CLIENT_ID,
            object_id=uuid5(tenant_id, f"servicePrincipal {ADAPTER_CLIENT_ID}"),
            registration_id=uuid5(tenant_id, f"application {ADAPTER_CLIENT_ID}"),
            display_name="Dynamics 365 Human Resources LinkedIn Adapter App",
        ),
        BuiltInRegistration(
            client_id=PUBLIC_CLIENT_ID,
            object_id=uuid5(tenant_id, f"servicePrincipal {PUBLIC_CLIENT_ID}"),
            registration_id=uuid5(tenant_id, f"application {PUBLIC_CLIENT_ID}"),
            display_name="Dynamics 365 Example Client Application",
            is_public=True,
            # Loopback redirects match on any port (RFC 8252 §7.3); the second is the one Postman sends.
            redirect_uris=("http://localhost", "https://callbackurl"),
        ),
    )
