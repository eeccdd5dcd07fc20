"""Protocol mappers: what is written into tokens. Audience mappers stand in scopes.py."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

# Claims that resource servers decide by (RFC 9068 section 2.2, Keycloak's role claims).
_PROTECTED = frozenset(
    {"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "client_id", "scope", "typ", "cnf", "act", "acr", "amr",
     "realm_access", "resource_access", "roles", "groups", "entitlements", "email_verified"}
)  # fmt: skip
_ATTRIBUTE = ("keycloak_openid_user_attribute_protocol_mapper", "keycloak_openid_user_session_note_protocol_mapper")
_FIXED = "keycloak_openid_hardcoded_claim_protocol_mapper"
_ROLE = "keycloak_openid_hardcoded_role_protocol_mapper"
_GENERIC = ("keycloak_generic_protocol_mapper", "keycloak_generic_client_protocol_mapper")
_OTHERS = (
    "keycloak_openid_full_name_protocol_mapper",
    "keycloak_openid_group_membership_protocol_mapper",
    "keycloak_openid_user_client_role_protocol_mapper",
    "keycloak_openid_user_property_protocol_mapper",
    "keycloak_openid_user_realm_role_protocol_mapper",
)


@about(_ROLE)
def role_for_all(change: Change, plan: Plan) -> Iterator[Hit]:
    """A role in every token."""
    if change.remains and (not change.existed or change.changed("role_id")):
        yield hit("mapper-role-for-all", what=_what(change, plan), role=plan.names.of(change, "role_id"))


@about(_FIXED, *_ATTRIBUTE)
def claims(change: Change, plan: Plan) -> Iterator[Hit]:
    """Claims that servers decide by, and claims that are the same for all."""
    claim = str(change.after.get("claim_name") or "")
    source = change.after.get("user_attribute") or change.after.get("session_note") or "a fixed value"
    if not change.remains or (
        change.existed and not change.changed("claim_name") and not change.changed("claim_value")
    ):
        return
    if claim.split(".")[0] in _PROTECTED:
        source = source if source == "a fixed value" else f"the attribute {source}"
        yield hit(
            "mapper-claim-protected",
            claim=claim,
            what=_what(change, plan),
            mapper=plan.names.own(change),
            source=source,
        )
    elif change.type == _FIXED:
        yield hit("mapper-claim-fixed", what=_what(change, plan), claim=claim, value=change.after.get("claim_value"))
    elif _later(change, plan):
        yield _added(change, plan, change.type.removeprefix("keycloak_openid_").removesuffix("_protocol_mapper"))


@about(*_GENERIC)
def generic(change: Change, plan: Plan) -> Iterator[Hit]:
    """Mappers that the provider knows no resource for."""
    kind = str(change.after.get("protocol_mapper"))
    config = change.after.get("config") or {}
    claim = str(config.get("claim.name") or "")
    if not change.remains or (
        change.existed and not change.changed("protocol_mapper") and not change.changed("config")
    ):
        return
    if kind.startswith("script-") or "script" in config:
        yield hit("mapper-script", what=_what(change, plan), script=kind)
    elif kind == "oidc-hardcoded-role-mapper":
        yield hit("mapper-role-for-all", what=_what(change, plan), role=config.get("role"))
    elif claim.split(".")[0] in _PROTECTED and kind in (
        "oidc-hardcoded-claim-mapper",
        "oidc-usermodel-attribute-mapper",
    ):
        source = config.get("user.attribute") or "a fixed value"
        yield hit(
            "mapper-claim-protected",
            claim=claim,
            what=_what(change, plan),
            mapper=plan.names.own(change),
            source=source,
        )
    elif _later(change, plan):
        yield _added(change, plan, kind)


@about(*_OTHERS)
def added(change: Change, plan: Plan) -> Iterator[Hit]:
    """Any other mapper that is new in a realm in use."""
    if change.remains and _later(change, plan):
        yield _added(change, plan, change.type.removeprefix("keycloak_openid_").removesuffix("_protocol_mapper"))


def _added(change: Change, plan: Plan, kind: str) -> Hit:
    return hit("mapper-added", what=_what(change, plan), mapper=plan.names.own(change), kind=kind.replace("_", " "))


def _later(change: Change, plan: Plan) -> bool:
    """Return whether it comes to a client or scope that is there already."""
    owned = any(plan.exists(change.after.get(name)) for name in ("client_scope_id", "client_id"))
    return not change.existed and owned and plan.in_existing_realm(change)


def _what(change: Change, plan: Plan) -> str:
    return plan.names.of(change, "client_scope_id", "client_id")
