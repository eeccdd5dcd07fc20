"""Which scopes clients get or may ask for, and the audience of their tokens."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

_OFFLINE = "offline_access"
_LISTS = {
    "keycloak_openid_client_default_scopes": "default_scopes",
    "keycloak_openid_client_optional_scopes": "optional_scopes",
    "keycloak_realm_default_client_scopes": "default_scopes",
    "keycloak_realm_optional_client_scopes": "optional_scopes",
}
# Keycloak gives every new client these; they carry who somebody is, not what they may do.
_USUAL = frozenset({"acr", "address", "basic", "email", "phone", "profile", "roles", "service_account", "web-origins"})
_MAPPER = "keycloak_openid_audience_protocol_mapper"


@about(*_LISTS)
def lists(change: Change, plan: Plan) -> Iterator[Hit]:
    """What is added to and taken from the lists of default and optional scopes."""
    attribute = _LISTS[change.type]
    of_realm = "realm_" in change.type
    name = plan.names.of(change, "realm_id" if of_realm else "client_id")
    if not change.remains:
        yield hit("scope-unwatched", client=name, list=attribute.replace("_", " "))
        return
    added = change.added(attribute) if change.existed else _granted_later(change, plan, attribute)
    for scope in added:
        if scope in _USUAL and attribute == "default_scopes":
            continue
        if scope == _OFFLINE:
            yield hit("scope-offline", client=f"of realm {name}" if of_realm else name)
        elif of_realm:
            kind = "default" if attribute == "default_scopes" else "optional"
            yield hit(f"scope-realm-{kind}-added", scope=scope, realm=name)
        else:
            kind = "default" if attribute == "default_scopes" else "optional"
            yield hit(f"scope-{kind}-added", scope=scope, client=name)
    for scope in change.removed(attribute):
        audiences = _audiences(plan, scope) if attribute == "default_scopes" else []
        for audience in audiences:
            yield hit("audience-lost", what=f"{'new clients of realm ' if of_realm else ''}{name}", audience=audience)
        if not audiences:
            yield hit("scope-removed", scope=scope, client=f"of realm {name}" if of_realm else name)


def _granted_later(change: Change, plan: Plan, attribute: str) -> list[str]:
    """Return the scopes of a new list whose client is there already; a new client begins with some."""
    if "realm_" in change.type:
        return change.added(attribute) if plan.in_existing_realm(change) else []
    return change.added(attribute) if plan.exists(change.after.get("client_id")) else []


def _audiences(plan: Plan, scope: str) -> list[str]:
    mappers = plan.of(_MAPPER)
    return [_audience(mapper) for mapper in mappers if plan.names.of(mapper, "client_scope_id", "client_id") == scope]


@about("keycloak_openid_client_scope", "keycloak_openid_client")
def consent_text(change: Change, plan: Plan) -> Iterator[Hit]:
    """What people read when they consent."""
    if change.lost("consent_screen_text"):
        yield hit("scope-hidden", scope=plan.names.own(change))


@about(_MAPPER)
def audiences(change: Change, plan: Plan) -> Iterator[Hit]:
    """Audience mappers of clients and of client scopes."""
    what = plan.names.of(change, "client_scope_id", "client_id")
    audience, before = _audience(change), _audience(change, before=True)
    in_token = change.after.get("add_to_access_token") is not False
    if not change.remains or (change.existed and change.off("add_to_access_token")):
        yield hit("audience-lost", what=what, audience=before)
        return
    if change.existed and before != audience and not change.is_unknown("included_custom_audience"):
        yield hit("audience-changed", what=what, before=before, now=audience)
    elif not change.existed and in_token and plan.in_existing_realm(change) and _owner_exists(change, plan):
        yield hit("audience-added", what=what, audience=audience)
    if change.on("add_to_id_token"):
        yield hit("audience-in-id-token", what=what, audience=audience)


def _owner_exists(change: Change, plan: Plan) -> bool:
    return any(plan.exists(change.after.get(name)) for name in ("client_scope_id", "client_id"))


def _audience(change: Change, *, before: bool = False) -> str:
    values = change.before if before or not change.remains else change.after
    return values.get("included_custom_audience") or values.get("included_client_audience") or "of a name not known yet"
