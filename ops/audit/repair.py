"""What repairs a difference: `terraform apply`, `-replace` where the provider does not notice, else kcadm.sh.

A foreign thing is in no state, so no Terraform command takes it away: Keycloak's own kcadm.sh does.
"""

from collections.abc import Callable

from ops.audit import repair_clients, repair_realm, repair_roles
from ops.audit.addresses import watched
from ops.audit.difference import Difference
from ops.audit.kcadm import Repair, Root
from ops.environment import REALM
from ops.normalise import rename

_BY_TOP: dict[str, Callable[[Difference, Root], Repair | None]] = {
    "administrators": repair_roles.administrator,
    "authenticationFlows": repair_realm.flow,
    "authenticatorConfig": repair_realm.flow,
    "clientPolicies": repair_realm.policies,
    "clientProfiles": repair_realm.policies,
    "clientScopeMappings": repair_roles.scope_mapping,
    "clientScopes": repair_clients.scope,
    "clients": repair_clients.client,
    "components": repair_realm.component,
    "groups": repair_roles.group,
    "defaultGroups": repair_roles.group,
    "identityProviders": repair_realm.identity_provider,
    "initialAccess": repair_realm.initial_access,
    "localizationTexts": repair_realm.localization,
    "lock": repair_realm.lock,
    "policyOrder": repair_realm.policy_order,
    "registered": repair_clients.registered,
    "requiredActions": repair_realm.required_action,
    "roles": repair_roles.role,
    "scopeMappings": repair_roles.scope_mapping,
    "secrets": repair_clients.secret,
    "users": repair_roles.account,
}


def repair_of(difference: Difference, root: Root) -> Repair:
    """Return what repairs a difference.

    Args:
        difference: what differs.
        root: what the commands need to know.
    """
    # The audit compares under the lock file's name of the realm; commands need the live one.
    parts = (difference.path, difference.declared, difference.live)
    path, declared, live = (rename(part, REALM, root.realm) for part in (list(parts[0]), *parts[1:]))
    difference = Difference(tuple(path), difference.kind, declared, live)
    special = _BY_TOP.get(path[0])
    if special and (repair := special(difference, root)):
        return repair
    if watched(difference):
        return Repair(apply=True)
    return repair_realm.realm_field(difference, root)
