"""What is destroyed, replaced or let go."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

_RULES = {
    "keycloak_realm": "realm-destroyed",
    "docker_volume": "volume-destroyed",
    "keycloak_openid_client": "client-destroyed",
    "keycloak_saml_client": "client-destroyed",
    "keycloak_openid_client_scope": "scope-destroyed",
    "keycloak_saml_client_scope": "scope-destroyed",
    "keycloak_role": "role-destroyed",
}
_ACCOUNTS = {
    "keycloak_user": "account",
    "keycloak_group": "group",
    "keycloak_ldap_user_federation": "directory",
    "keycloak_custom_user_federation": "directory",
    "keycloak_oidc_identity_provider": "identity provider",
    "keycloak_saml_identity_provider": "identity provider",
}


@about(*_RULES, *_ACCOUNTS)
def destroyed(change: Change, plan: Plan) -> Iterator[Hit]:
    """Things that hold accounts, sessions or data."""
    if not change.ends:
        return
    how = "destroyed and made anew" if change.remains else "destroyed"
    name = plan.names.was(change)
    if change.type in _RULES:
        yield hit(_RULES[change.type], name=name, how=how)
    else:
        yield hit("account-destroyed", kind=_ACCOUNTS[change.type], name=name, how=how)


@about("terraform_data", "null_resource")
def guards(change: Change, _plan: Plan) -> Iterator[Hit]:
    """Resources that stand for a refusal to destroy: nothing else tells that there is one."""
    if "protect" not in change.name:
        return
    lifted = change.before.get("input") is True and change.after.get("input") is False
    if lifted or (change.ends and not change.remains):
        yield hit("protection-removed", name=change.address)
