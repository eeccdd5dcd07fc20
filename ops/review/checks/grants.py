"""Which grants a client may use."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

# Wrong wherever they are switched on.
_ALWAYS = {
    "direct_access_grants_enabled": "grant-password",
    "implicit_flow_enabled": "grant-implicit",
    "oauth2_device_authorization_grant_enabled": "grant-device",
    "oauth2_jwt_authorization_grant_enabled": "grant-assertion",
    "use_refresh_tokens_client_credentials": "grant-refresh-for-jobs",
}
# A change of what a client is; a new client may be that.
_LATER = {
    "standard_flow_enabled": "grant-code-added",
    "service_accounts_enabled": "grant-service-account-added",
    "standard_token_exchange_enabled": "grant-exchange-added",
}


@about("keycloak_openid_client")
def grants(change: Change, plan: Plan) -> Iterator[Hit]:
    """Each grant that is switched on."""
    client = plan.names.own(change)
    for attribute, rule in _ALWAYS.items():
        if change.on(attribute):
            yield hit(rule, client=client)
    exchanges = "standard_token_exchange_enabled"
    public = change.after.get("access_type") == "PUBLIC"
    for attribute, rule in _LATER.items():
        if change.existed and change.on(attribute) and not (attribute == exchanges and public):
            yield hit(rule, client=client)
    if change.after.get(exchanges) and public and (change.on(exchanges) or change.changed("access_type")):
        yield hit("grant-exchange-public", client=client)


@about("keycloak_openid_client")
def ciba(change: Change, plan: Plan) -> Iterator[Hit]:
    """The one grant that the provider has no argument for."""
    name = "oidc.ciba.grant.enabled"
    was, becomes = ((values.get("extra_config") or {}).get(name) for values in (change.before, change.after))
    if becomes == "true" and was != "true":
        yield hit("grant-ciba", client=plan.names.own(change))
