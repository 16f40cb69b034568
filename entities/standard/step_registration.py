"""The registration of steps: endpoints of webhooks, steps of the event pipeline, and the images they are given.

Learn: "Register a webhook", "Use webhooks to create external handlers for server events", "Register a plug-in".
"""

from __future__ import annotations

from typing import Final

from entities.metadata.columns import ManagedPropertyType, RequiredLevel
from entities.metadata.declare import (
    SERVER_SET,
    audit_columns,
    boolean,
    choice,
    column,
    integer,
    lookup,
    memo,
    plain,
    primary_id,
    state_and_status,
    string,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import numbered
from entities.standard.references import REMOVE_LINK, delegate_names, reference, system_references
from entities.standard.solution_parts import solution_part_columns

WEBHOOK: Final = 8
"""`contract` of a service endpoint that is a webhook."""

WEBHOOK_KEY: Final = 4
HTTP_HEADER: Final = 5
HTTP_QUERY_STRING: Final = 6

SYNCHRONOUS: Final = 0
ASYNCHRONOUS: Final = 1

PRE_IMAGE: Final = 0
POST_IMAGE: Final = 1
BOTH_IMAGES: Final = 2

ENABLED: Final = 0

_CONTRACTS: Final = numbered(
    {
        1: "OneWay",
        2: "Queue",
        3: "Rest",
        4: "TwoWay",
        5: "Topic",
        6: "Queue (Persistent)",
        7: "Event Hub",
        WEBHOOK: "Webhook",
        9: "Event Grid",
    }
)
OTHER_CONTRACTS: Final = frozenset(option.value for option in _CONTRACTS) - {WEBHOOK}
_AUTH_TYPES: Final = numbered(
    {
        0: "Not Specified",
        1: "ACS",
        2: "SAS Key",
        3: "SAS Token",
        WEBHOOK_KEY: "Webhook Key",
        HTTP_HEADER: "Http Header",
        HTTP_QUERY_STRING: "Http Query String",
        7: "Connection String",
        8: "Access Key",
        9: "Managed Identity",
    }
)
_STAGES: Final = numbered(
    {
        5: "Initial Pre-operation (For internal use only)",
        10: "Pre-validation",
        15: "Internal Pre-operation Before External Plugins (For internal use only)",
        20: "Pre-operation",
        25: "Internal Pre-operation After External Plugins (For internal use only)",
        30: "Main Operation (For internal use only)",
        35: "Internal Post-operation Before External Plugins (For internal use only)",
        40: "Post-operation",
        45: "Internal Post-operation After External Plugins (For internal use only)",
        50: "Post-operation (Deprecated)",
        55: "Final Post-operation (For internal use only)",
        80: "Pre-Commit stage fired before transaction commit (For internal use only)",
        90: "Post-Commit stage fired after transaction commit (For internal use only)",
    }
)
_WITH_OWNER = CascadeConfiguration(delete=Cascade.CASCADE)


SERVICE_ENDPOINT: Final = with_ids(
    Table(
        "serviceendpoint",
        "ServiceEndpoint",
        "serviceendpoints",
        4618,
        "serviceendpointid",
        "name",
        (
            primary_id("ServiceEndpointId", "Service Endpoint"),
            string("Name", 160, "Name", required=RequiredLevel.SYSTEM),
            string("Description", 2000, "Description"),
            choice("Contract", _CONTRACTS, "Contract", required=RequiredLevel.SYSTEM),
            memo("Url", 2000, "Url"),
            choice("AuthType", _AUTH_TYPES, "Authentication Type"),
            # A secret is written and never read (Learn: "Register a webhook", AuthValue cannot be retrieved).
            string("AuthValue", 4000, "Authentication Value", valid_for_read=False),
            boolean("IsAuthValueSet", "Is AuthValue Set", **SERVER_SET),
            choice("MessageFormat", numbered({1: "Binary XML", 2: "Json", 3: "Text XML"}), "Message Format"),
            choice("ConnectionMode", numbered({1: "Normal", 2: "Federated"}), "Connection Mode", default=1),
            choice("UserClaim", numbered({1: "None", 2: "UserId", 3: "UserInfo"}), "User Claim", default=1),
            string("Path", 160, "Path"),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            string("IntroducedVersion", 48, "Introduced Version", **SERVER_SET),
            *solution_part_columns("ServiceEndpointId"),
            # $metadata shows no versionnumber on service endpoints.
            *audit_columns()[:-1],
        ),
        plain("Service Endpoint"),
        plain("Service Endpoints"),
        plain("Service endpoint that can be contacted."),
        Ownership.ORGANIZATION,
    )
)

PROCESSING_STEP: Final = with_ids(
    Table(
        "sdkmessageprocessingstep",
        "SdkMessageProcessingStep",
        "sdkmessageprocessingsteps",
        4608,
        "sdkmessageprocessingstepid",
        "name",
        (
            primary_id("SdkMessageProcessingStepId", "Sdk Message Processing Step"),
            string("Name", 256, "Name"),
            string("Description", 256, "Description"),
            lookup(
                "EventHandler",
                "plugintype",
                "serviceendpoint",
                text="Event Handler",
                required=RequiredLevel.APPLICATION,
            ),
            lookup("SdkMessageId", "sdkmessage", text="SDK Message", required=RequiredLevel.SYSTEM),
            lookup("SdkMessageFilterId", "sdkmessagefilter", text="SdkMessage Filter"),
            choice("Stage", _STAGES, "Execution Stage", default=40, required=RequiredLevel.SYSTEM),
            choice(
                "Mode",
                numbered({SYNCHRONOUS: "Synchronous", ASYNCHRONOUS: "Asynchronous"}),
                "Execution Mode",
                default=SYNCHRONOUS,
                required=RequiredLevel.SYSTEM,
            ),
            integer("Rank", "Execution Order", minimum=-2_147_483_648, required=RequiredLevel.SYSTEM),
            string("FilteringAttributes", 100_000, "Filtering Attributes"),
            boolean("AsyncAutoDelete", "Asynchronous Automatic Delete"),
            memo("Configuration", 1_073_741_823, "Configuration"),
            choice(
                "SupportedDeployment",
                numbered({0: "Server Only", 1: "Microsoft Dynamics 365 Client for Outlook Only", 2: "Both"}),
                "Deployment",
                default=0,
            ),
            lookup("ImpersonatingUserId", "systemuser", text="Impersonating User"),
            boolean("CanUseReadOnlyConnection", "Intent", valid_for_update=False),
            string("EventExpander", 100, "EventExpander"),
            column("IsHidden", ManagedPropertyType("ishidden"), "Hidden"),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            integer("CustomizationLevel", "Customization Level", **SERVER_SET),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            string("IntroducedVersion", 48, "Introduced Version", **SERVER_SET),
            *solution_part_columns("SdkMessageProcessingStepId"),
            *state_and_status(("Enabled", ((1, "Enabled"),)), ("Disabled", ((2, "Disabled"),))),
            *audit_columns(),
        ),
        plain("Sdk Message Processing Step"),
        plain("Sdk Message Processing Steps"),
        plain("Stage in the execution pipeline that a plug-in is to execute."),
        Ownership.ORGANIZATION,
    )
)

STEP_IMAGE: Final = with_ids(
    Table(
        "sdkmessageprocessingstepimage",
        "SdkMessageProcessingStepImage",
        "sdkmessageprocessingstepimages",
        4615,
        "sdkmessageprocessingstepimageid",
        "name",
        (
            primary_id("SdkMessageProcessingStepImageId", "Sdk Message Processing Step Image"),
            string("Name", 256, "Name"),
            string("Description", 256, "Description"),
            lookup(
                "SdkMessageProcessingStepId",
                "sdkmessageprocessingstep",
                text="SDK Message Processing Step",
                required=RequiredLevel.SYSTEM,
            ),
            choice(
                "ImageType",
                numbered({PRE_IMAGE: "PreImage", POST_IMAGE: "PostImage", BOTH_IMAGES: "Both"}),
                "Image Type",
                required=RequiredLevel.SYSTEM,
            ),
            string("EntityAlias", 256, "Entity Alias", required=RequiredLevel.SYSTEM),
            string("MessagePropertyName", 256, "Message Property Name", required=RequiredLevel.SYSTEM),
            string("Attributes", 100_000, "Attributes"),
            string("RelatedAttributeName", 256, "Related Attribute Name"),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            integer("CustomizationLevel", "Customization Level", **SERVER_SET),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            string("IntroducedVersion", 48, "Introduced Version", **SERVER_SET),
            *solution_part_columns("SdkMessageProcessingStepImageId"),
            *audit_columns(),
        ),
        plain("Sdk Message Processing Step Image"),
        plain("Sdk Message Processing Step Images"),
        plain("Copy of an entity's attributes before or after the core system operation."),
        Ownership.ORGANIZATION,
    )
)

TABLES: Final = (SERVICE_ENDPOINT, PROCESSING_STEP, STEP_IMAGE)


def _audit_references(table: Table) -> tuple[Relationship, ...]:
    name = table.logical_name
    names = {"createdby": f"createdby_{name}", "modifiedby": f"modifiedby_{name}"}
    if table is SERVICE_ENDPOINT:
        names |= delegate_names("serviceendpointbase")
    return system_references(table, names)


RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    *(relationship for table in TABLES for relationship in _audit_references(table)),
    *(
        reference(table.logical_name, "organizationid", "organization", f"organization_{table.logical_name}")
        for table in TABLES
    ),
    reference(
        "sdkmessageprocessingstep",
        "eventhandler",
        "plugintype",
        "plugintype_sdkmessageprocessingstep",
        navigation="eventhandler_plugintype",
        cascade=_WITH_OWNER,
    ),
    reference(
        "sdkmessageprocessingstep",
        "eventhandler",
        "serviceendpoint",
        "serviceendpoint_sdkmessageprocessingstep",
        navigation="eventhandler_serviceendpoint",
        cascade=_WITH_OWNER,
    ),
    reference(
        "sdkmessageprocessingstep",
        "sdkmessageid",
        "sdkmessage",
        "sdkmessageid_sdkmessageprocessingstep",
        cascade=_WITH_OWNER,
    ),
    reference(
        "sdkmessageprocessingstep",
        "sdkmessagefilterid",
        "sdkmessagefilter",
        "sdkmessagefilterid_sdkmessageprocessingstep",
        cascade=_WITH_OWNER,
    ),
    reference(
        "sdkmessageprocessingstep",
        "impersonatinguserid",
        "systemuser",
        "impersonatinguserid_sdkmessageprocessingstep",
        cascade=REMOVE_LINK,
    ),
    reference(
        "sdkmessageprocessingstepimage",
        "sdkmessageprocessingstepid",
        "sdkmessageprocessingstep",
        "sdkmessageprocessingstepid_sdkmessageprocessingstepimage",
        cascade=_WITH_OWNER,
    ),
)
