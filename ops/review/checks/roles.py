"""Roles of service accounts, people, groups and clients."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan, blocks, texts
from ops.review.rules import Hit, about, hit

# With one of these an account can give itself the rest, or become somebody else.
_TAKEOVER = frozenset({"realm-admin", "admin", "create-realm", "impersonation", "manage-users", "manage-authorization"})
_MANAGEMENT = frozenset(
    {"manage-realm", "manage-clients", "manage-identity-providers", "manage-events", "create-client"}
)
# Keycloak gives these to everybody by itself.
_USUAL = ("offline_access", "uma_authorization", "account/manage-account", "account/view-profile")
_SERVICE_ACCOUNT = ("keycloak_openid_client_service_account_role", "keycloak_openid_client_service_account_realm_role")


def judged(who: str, role: str, *, later: bool) -> Iterator[Hit]:
    """Yield what it means that somebody gets a role.

    Args:
        who: who gets it.
        role: its name.
        later: whether the realm is in use; the first plan of a realm says what there is to begin with.
    """
    if role in _TAKEOVER:
        yield hit("role-takeover", who=who, role=role)
    elif later:
        yield hit("role-management" if role in _MANAGEMENT else "role-granted", who=who, role=role)


@about(*_SERVICE_ACCOUNT)
def service_accounts(change: Change, plan: Plan) -> Iterator[Hit]:
    """Roles of service accounts."""
    if change.remains and (not change.existed or change.changed("role")):
        account = plan.names.of(change, "service_account_user_id")
        role = str(change.after.get("role") or plan.names.of(change, "role"))
        existing = change.after.get("service_account_user_id")
        yield from judged(f"service account {account}", role, later=bool(existing) and plan.in_existing_realm(change))


@about("keycloak_user_roles", "keycloak_group_roles")
def people(change: Change, plan: Plan) -> Iterator[Hit]:
    """Roles of people and groups."""
    kind = "user" if change.type == "keycloak_user_roles" else "group"
    who = f"{kind} {plan.names.of(change, f'{kind}_id')}"
    for role in change.added("role_ids"):
        yield from judged(who, plan.names.by_id(role), later=plan.in_existing_realm(change))


@about("keycloak_default_roles")
def everybody(change: Change, plan: Plan) -> Iterator[Hit]:
    """Roles that everybody gets."""
    for role in change.added("default_roles"):
        name = role.rsplit("/", 1)[-1]
        if name in _TAKEOVER | _MANAGEMENT:
            yield from judged("everybody", name, later=True)
        elif change.existed or (plan.in_existing_realm(change) and role not in _USUAL):
            yield hit("role-for-everybody", realm=plan.names.of(change, "realm_id"), role=name)


@about("keycloak_role")
def composites(change: Change, plan: Plan) -> Iterator[Hit]:
    """What a role brings with it."""
    role = plan.names.own(change)
    for part in change.added("composite_roles"):
        name = plan.names.by_id(part)
        if name in _TAKEOVER:
            yield hit("role-takeover", who=f"whoever has role {role}", role=name)
        elif change.existed:
            yield hit("role-widened", role=role, added=name)


@about("keycloak_generic_role_mapper", "keycloak_generic_client_role_mapper")
def let_through(change: Change, plan: Plan) -> Iterator[Hit]:
    """Roles that a client or scope lets into its tokens."""
    owned = any(plan.exists(change.after.get(name)) for name in ("client_scope_id", "client_id"))
    if change.remains and not change.existed and owned and plan.in_existing_realm(change):
        what = plan.names.of(change, "client_scope_id", "client_id")
        yield hit("role-let-through", what=what, role=plan.names.of(change, "role_id"))


@about("keycloak_hardcoded_role_identity_provider_mapper", "keycloak_attribute_to_role_identity_provider_mapper",
       "keycloak_ldap_hardcoded_role_mapper")  # fmt: skip
def from_outside(change: Change, plan: Plan) -> Iterator[Hit]:
    """Roles that come with a login by an identity provider or a directory."""
    if change.remains and (not change.existed or change.changed("role")):
        source = change.after.get("identity_provider_alias") or plan.names.of(change, "ldap_user_federation_id")
        role = str(change.after.get("role"))
        yield from judged(f"whoever comes from {source}", role.rsplit(".", 1)[-1], later=plan.in_existing_realm(change))


@about("keycloak_users_permissions", "keycloak_openid_client_permissions", "keycloak_group_permissions",
       "keycloak_identity_provider_token_exchange_scope_permission")  # fmt: skip
def permissions(change: Change, plan: Plan) -> Iterator[Hit]:
    """Fine-grained permissions of the first kind."""
    what = plan.names.of(change, "client_id", "group_id", "provider_alias", "realm_id")
    opened = [name for name in change.after if name.endswith("_scope") and blocks(change.after[name])]
    opened = [name for name in opened if not blocks(change.before.get(name))]
    if "token_exchange_scope" in opened or change.type.endswith("token_exchange_scope_permission"):
        yield hit("token-exchange-permission", what=what)
    if rest := [name.removesuffix("_scope").replace("_", " ") for name in opened if name != "token_exchange_scope"]:
        yield hit("admin-permission", what=what, scopes=", ".join(rest))


@about("keycloak_users_admin_permissions", "keycloak_openid_client_admin_permissions",
       "keycloak_group_admin_permissions", "keycloak_role_admin_permissions")  # fmt: skip
def admin_permissions(change: Change, plan: Plan) -> Iterator[Hit]:
    """Fine-grained permissions of the second kind."""
    if opened := [scope for scope in change.added("scopes") if scope != "view"]:
        named = texts(change.after.get("client_ids"))
        what = ", ".join(map(plan.names.by_id, named)) or change.type.removeprefix("keycloak_").split("_admin")[0]
        yield hit("admin-permission", what=what.replace("_", " "), scopes=", ".join(opened))
