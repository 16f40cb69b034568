"""The steps that the standard tables bring into the event pipeline."""

from __future__ import annotations

from entities.pipeline import Step
from entities.standard.association_rules import association_steps
from entities.standard.auto_number_actions import auto_number_steps
from entities.standard.background_operations import background_steps
from entities.standard.belonging_rules import belonging_steps
from entities.standard.bulk_deletion import bulk_deletion_steps
from entities.standard.custom_api_rules import custom_api_steps
from entities.standard.customer_rules import customer_steps
from entities.standard.customization.dependency_functions import dependency_steps
from entities.standard.customization.localized_rows import localized_row_steps
from entities.standard.customization.lookup_actions import lookup_action_steps
from entities.standard.customization.many_tables import many_tables_steps
from entities.standard.customization.metadata_versions import metadata_version_steps
from entities.standard.customization.option_actions import option_steps
from entities.standard.customization.publisher_rules import publisher_steps
from entities.standard.customization.publishing import publishing_steps
from entities.standard.customization.solution_actions import solution_action_steps
from entities.standard.customization.solution_rules import solution_steps
from entities.standard.customization.solution_sweeping import sweeping_steps
from entities.standard.duplicate_detection import detection_steps
from entities.standard.duplicate_jobs import duplicate_job_steps
from entities.standard.duplicate_rule_changes import duplicate_rule_change_steps
from entities.standard.duplicate_rules import duplicate_rule_steps
from entities.standard.hierarchy_rules import hierarchy_steps
from entities.standard.initializing import initializing_steps
from entities.standard.mapping_rules import mapping_steps
from entities.standard.merging import merging_steps
from entities.standard.organization_functions import organization_function_steps
from entities.standard.privilege_functions import privilege_function_steps
from entities.standard.registration_rules import registration_steps
from entities.standard.role_actions import action_steps
from entities.standard.role_rules import role_steps
from entities.standard.rollups import rollup_steps
from entities.standard.sales.steps import sales_steps
from entities.standard.sharing import SHARED_TABLES
from entities.standard.sharing_actions import sharing_steps
from entities.standard.state_functions import state_function_steps
from entities.standard.team_actions import team_action_steps
from entities.standard.user_actions import user_action_steps
from entities.standard.user_rules import FindApplication, user_steps
from entities.standard.user_settings_rules import user_settings_steps
from entities.values import Guid

SECURITY_TABLES = frozenset(
    (
        "businessunit",
        "systemuser",
        "team",
        "role",
        "privilege",
        "roleprivileges",
        "systemuserroles",
        "teamroles",
        "teammembership",
        SHARED_TABLES,
        # What a caller sees is kept with its principal: settings, and the currencies of amounts.
        "usersettings",
        "transactioncurrency",
        # Each process keeps the registered steps as of one version.
        "serviceendpoint",
        "sdkmessageprocessingstep",
        "sdkmessageprocessingstepimage",
        # Custom APIs are part of the catalog, as are the names of the types that are their main operations.
        "customapi",
        "customapirequestparameter",
        "customapiresponseproperty",
        "plugintype",
    )
)
"""Tables whose change alters who may do what, or how it looks to whom."""


def standard_steps(
    find_application: FindApplication, *, tenant_domain: str, organization_id: Guid, version: str
) -> tuple[Step, ...]:
    """Return every step of the standard tables.

    Args:
        find_application: the tenant's app registrations by application id.
        tenant_domain: the domain of the user names of application users.
        organization_id: the environment's organization.
        version: the version of Dataverse that the environment says to be.
    """
    return (
        *user_steps(find_application, tenant_domain, organization_id),
        *user_settings_steps(),
        *role_steps(organization_id),
        *association_steps(),
        *action_steps(organization_id, version),
        *privilege_function_steps(),
        *team_action_steps(),
        *user_action_steps(),
        *customer_steps(),
        *belonging_steps(),
        *state_function_steps(),
        *bulk_deletion_steps(),
        *organization_function_steps(organization_id, version),
        *hierarchy_steps(),
        *merging_steps(),
        *rollup_steps(),
        *initializing_steps(),
        *mapping_steps(),
        *auto_number_steps(),
        *option_steps(),
        *metadata_version_steps(),
        *dependency_steps(),
        *localized_row_steps(),
        *lookup_action_steps(),
        *many_tables_steps(),
        *publishing_steps(),
        *publisher_steps(),
        *solution_steps(),
        *sweeping_steps(),
        *solution_action_steps(),
        *custom_api_steps(organization_id),
        *sharing_steps(),
        *registration_steps(),
        *background_steps(organization_id),
        *duplicate_rule_steps(organization_id),
        *duplicate_rule_change_steps(),
        *duplicate_job_steps(),
        *sales_steps(),
        *detection_steps(),
    )
