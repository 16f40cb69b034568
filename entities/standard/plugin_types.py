"""Plug-ins as rows: packages, assemblies and types of what is installed, and what they traced (Learn: "Plug-ins").

The server writes these rows from the Python distributions that it finds at its start; nobody else can.
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
    date_time,
    integer,
    lookup,
    memo,
    options,
    plain,
    primary_id,
    string,
    unique_identifier,
    with_ids,
)
from entities.metadata.relationships import Cascade, CascadeConfiguration, Relationship
from entities.metadata.tables import Ownership, Table
from entities.standard.choices import numbered
from entities.standard.references import delegate_names, reference, system_references
from entities.standard.solution_parts import solution_part_columns

_LONGEST: Final = 1_073_741_823
_PARTS: Final = CascadeConfiguration(delete=Cascade.CASCADE)

PLUGIN_PACKAGE: Final = with_ids(
    Table(
        "pluginpackage",
        "PluginPackage",
        "pluginpackages",
        10_090,
        "pluginpackageid",
        "name",
        (
            primary_id("PluginPackageId", "Plugin Package"),
            string("Name", 100, "Name", required=RequiredLevel.APPLICATION),
            string("UniqueName", 128, "Unique Name", valid_for_update=False),
            string("Version", 50, "Version", required=RequiredLevel.APPLICATION),
            memo("Content", _LONGEST, "Content"),
            boolean("IsManaged", "Is Managed", **SERVER_SET),
            lookup("OrganizationId", "organization", text="Organization", **SERVER_SET),
            *audit_columns(),
        ),
        plain("Plugin Package"),
        plain("Plugin Packages"),
        plain("A package of plug-ins: a distribution that is installed beside the server."),
        Ownership.ORGANIZATION,
    )
)

PLUGIN_ASSEMBLY: Final = with_ids(
    Table(
        "pluginassembly",
        "PluginAssembly",
        "pluginassemblies",
        4605,
        "pluginassemblyid",
        "name",
        (
            primary_id("PluginAssemblyId", "Plug-in Assembly"),
            string("Name", 256, "Name", required=RequiredLevel.SYSTEM),
            string("Description", 256, "Description"),
            string("Version", 48, "Version"),
            string("Culture", 32, "Culture"),
            string("PublicKeyToken", 32, "Public Key Token"),
            string("Path", 256, "Path"),
            memo("Content", _LONGEST, "Content"),
            choice(
                "IsolationMode",
                numbered({1: "None", 2: "Sandbox", 3: "External"}),
                "Isolation Mode",
                default=2,
                required=RequiredLevel.SYSTEM,
            ),
            choice(
                "SourceType",
                numbered({0: "Database", 1: "Disk", 2: "Normal", 3: "AzureWebApp", 4: "File Store"}),
                "Source Type",
                default=0,
                required=RequiredLevel.SYSTEM,
            ),
            string("SourceHash", 256, "Source Hash"),
            integer("Major", "Assembly Major", **SERVER_SET),
            integer("Minor", "Assembly Minor", **SERVER_SET),
            integer("CustomizationLevel", "Customization Level", **SERVER_SET),
            string("IntroducedVersion", 48, "Introduced Version"),
            lookup("PackageId", "pluginpackage", text="Package"),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            column("IsCustomizable", ManagedPropertyType("iscustomizable"), "Customizable"),
            column("IsHidden", ManagedPropertyType("ishidden"), "Hidden"),
            *solution_part_columns("PluginAssemblyId"),
            *audit_columns(),
        ),
        plain("Plug-in Assembly"),
        plain("Plug-in Assemblies"),
        plain("Assembly that contains one or more plug-in types."),
        Ownership.ORGANIZATION,
    )
)

PLUGIN_TYPE: Final = with_ids(
    Table(
        "plugintype",
        "PluginType",
        "plugintypes",
        4602,
        "plugintypeid",
        "name",
        (
            primary_id("PluginTypeId", "Plug-in Type"),
            string("Name", 256, "Name"),
            string("FriendlyName", 256, "Friendly Name"),
            string("TypeName", 256, "Type Name", required=RequiredLevel.SYSTEM),
            string("AssemblyName", 100, "Assembly Name", **SERVER_SET),
            string("Description", 256, "Description"),
            string("Version", 48, "Version", **SERVER_SET),
            string("Culture", 32, "Culture", **SERVER_SET),
            string("PublicKeyToken", 32, "Public Key Token", **SERVER_SET),
            integer("Major", "Version major", **SERVER_SET),
            integer("Minor", "Version minor", **SERVER_SET),
            integer("CustomizationLevel", "Customization Level", **SERVER_SET),
            boolean("IsWorkflowActivity", "Is Workflow Activity", **SERVER_SET),
            string("WorkflowActivityGroupName", 256, "Workflow Activity Group Name"),
            lookup("PluginAssemblyId", "pluginassembly", text="Plugin Assembly"),
            boolean("IsManaged", "State", yes="Managed", no="Unmanaged", **SERVER_SET),
            *solution_part_columns("PluginTypeId"),
            *audit_columns(),
        ),
        plain("Plug-in Type"),
        plain("Plug-in Types"),
        plain("Type that inherits from the IPlugin interface and is contained within a plug-in assembly."),
        Ownership.ORGANIZATION,
    )
)

PLUGIN_TRACE_LOG: Final = with_ids(
    Table(
        "plugintracelog",
        "PluginTraceLog",
        "plugintracelogs",
        4619,
        "plugintracelogid",
        "typename",
        (
            primary_id("PluginTraceLogId", "Plug-in Trace Log"),
            string("TypeName", 1024, "Type Name"),
            string("MessageName", 1024, "Message Name"),
            string("PrimaryEntity", 1000, "Primary Entity"),
            memo("MessageBlock", 1_048_576, "Message Block"),
            memo("ExceptionDetails", 1_048_576, "Exception Details"),
            choice("OperationType", options("Unknown", "Plug-in", "Workflow Activity"), "Operation Type"),
            choice("Mode", options("Synchronous", "Asynchronous"), "Mode"),
            integer("Depth", "Depth"),
            unique_identifier("CorrelationId", "Correlation Id"),
            unique_identifier("RequestId", "Request Id"),
            unique_identifier("PluginStepId", "Plugin Step Id"),
            date_time("PerformanceExecutionStartTime", "Execution Start Time"),
            integer("PerformanceExecutionDuration", "Execution Duration"),
            boolean("IsSystemCreated", "System Created"),
            # $metadata says of these rows only who made them, and when.
            *(made for made in audit_columns() if made.logical_name.startswith("created")),
        ),
        plain("Plug-in Trace Log"),
        plain("Plug-in Trace Logs"),
        plain("What plug-ins traced, and how they failed."),
        Ownership.ORGANIZATION,
    )
)

TABLES: Final = (PLUGIN_PACKAGE, PLUGIN_ASSEMBLY, PLUGIN_TYPE, PLUGIN_TRACE_LOG)
INSTALLED: Final = frozenset({"pluginpackage", "pluginassembly", "plugintype"})
"""The tables whose rows say what is installed."""


def _audit(table: Table) -> tuple[Relationship, ...]:
    name = table.logical_name
    names = {"createdby": f"createdby_{name}", "modifiedby": f"modifiedby_{name}"}
    if table is PLUGIN_TRACE_LOG:
        names |= delegate_names("plugintracelogbase")
    return system_references(table, names if name in {"pluginassembly", "plugintype", "plugintracelog"} else None)


RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    *(relationship for table in TABLES for relationship in _audit(table)),
    *(
        reference(table.logical_name, "organizationid", "organization", f"organization_{table.logical_name}")
        for table in (PLUGIN_PACKAGE, PLUGIN_ASSEMBLY, PLUGIN_TYPE)
    ),
    reference(
        "pluginassembly",
        "packageid",
        "pluginpackage",
        "pluginpackage_pluginassembly",
        navigation="PackageId",
        cascade=_PARTS,
    ),
    reference("plugintype", "pluginassemblyid", "pluginassembly", "pluginassembly_plugintype", cascade=_PARTS),
)
