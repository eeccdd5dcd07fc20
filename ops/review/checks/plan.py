"""What holds for a plan as a whole: failed checks, values that nobody knows yet, how the providers are reached."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, hit
from ops.review.values import host_of, is_loopback, is_plain, listed

Placed = tuple[str, Hit]

# Attributes that decide about access: when one is unknown there is nothing to review.
MATTERS = {
    "keycloak_openid_client": (
        "access_type", "direct_access_grants_enabled", "enabled", "full_scope_allowed", "implicit_flow_enabled",
        "pkce_code_challenge_method", "service_accounts_enabled", "standard_flow_enabled", "valid_redirect_uris",
        "web_origins",
    ),
    "keycloak_saml_client": ("valid_redirect_uris", "client_signature_required", "sign_documents"),
    "keycloak_realm": (
        "ssl_required", "registration_allowed", "revoke_refresh_token", "password_policy", "access_token_lifespan",
    ),
    "keycloak_openid_client_default_scopes": ("default_scopes",),
    "keycloak_openid_client_optional_scopes": ("optional_scopes",),
    "keycloak_realm_default_client_scopes": ("default_scopes",),
    "keycloak_realm_optional_client_scopes": ("optional_scopes",),
    "keycloak_openid_audience_protocol_mapper": ("included_custom_audience",),
    "keycloak_openid_client_service_account_role": ("role",),
    "keycloak_openid_client_service_account_realm_role": ("role",),
    "keycloak_realm_client_registration_policy": ("config",),
    "keycloak_oidc_identity_provider": (
        "authorization_url", "token_url", "jwks_url", "trust_email", "validate_signature",
    ),
    "docker_container": ("ports", "privileged", "network_mode", "mounts", "capabilities", "user"),
}  # fmt: skip
# What the provider takes over from the server when it is left out (Optional and Computed).
_SPELLED = {
    "keycloak_openid_client": (
        "direct_access_grants_enabled", "implicit_flow_enabled", "service_accounts_enabled", "standard_flow_enabled",
        "consent_required", "access_token_lifespan",
    ),
    "keycloak_realm": (
        "registration_allowed", "reset_password_allowed", "edit_username_allowed", "verify_email", "remember_me",
        "duplicate_emails_allowed", "access_token_lifespan", "access_code_lifespan", "sso_session_idle_timeout",
        "sso_session_max_lifespan", "browser_flow",
    ),
}  # fmt: skip
_WITHOUT_CONFIG = ("consent-required", "scope", "client-disabled")
_REDIRECTS = ("valid_redirect_uris", "web_origins")


def failed_checks(plan: Plan) -> Iterator[Placed]:
    """Check blocks that fail."""
    for check in plan.content.get("checks") or []:
        if check.get("status") not in ("fail", "error"):
            continue
        name = (check.get("address") or {}).get("to_display", "of no name")
        problems = [
            problem.get("message", "")
            for entry in check.get("instances") or []
            for problem in entry.get("problems") or []
        ]
        yield (
            name,
            hit(
                "check-failed",
                check=name.removeprefix("check."),
                message=" ".join(filter(None, problems)).rstrip(".") or "no message",
            ),
        )


def incomplete(plan: Plan) -> Iterator[Placed]:
    """A plan with errors, or one that leaves changes for later."""
    if plan.content.get("errored"):
        yield "plan", hit("plan-incomplete", why_not="planning ended with an error")
    elif plan.content.get("complete") is False:
        yield "plan", hit("plan-incomplete", why_not="changes are left for later, by a target or by themselves")


def unknown(change: Change, plan: Plan) -> Iterator[Hit]:
    """Values that matter and that only the apply will tell."""
    for name in MATTERS.get(change.type, ()):
        mark = change.unknown.get(name)
        if name == "config" and change.after.get("provider_id") in _WITHOUT_CONFIG:
            continue  # an empty map is "known after apply" for the provider
        hidden = change.is_unknown(name) if mark is True else isinstance(mark, list) and True in mark
        if change.remains and hidden and _depends_on_others(change, name):
            yield hit("value-unknown", attribute=name, what=f"{change.address} ({plan.names.own(change)})")


def _depends_on_others(change: Change, name: str) -> bool:
    """Return whether a value can be unknown at all: an empty list, too, is "known after apply" for a provider."""
    expression = change.expressions.get(name)
    if not isinstance(expression, Mapping):  # repeated blocks
        return bool(expression)
    settled = ("count.", "path.", "terraform.") if change.module else ("count.", "each.", "path.", "terraform.", "var.")
    return any(not reference.startswith(settled) for reference in expression.get("references") or [])


def undeclared(plan: Plan) -> Iterator[Placed]:
    """Attributes that are left to the server, once for each resource of the configuration."""
    seen: set[tuple[str, str, str]] = set()
    for change in plan.of(*_SPELLED):
        block = (change.module, change.type, change.name)
        if block in seen or not change.expressions or (change.ends and not change.remains):
            continue
        seen.add(block)
        names = list(_SPELLED[change.type])
        if change.type == "keycloak_openid_client" and change.after.get("standard_flow_enabled") is not False:
            names += _REDIRECTS
        if change.after.get("access_type") == "BEARER-ONLY":
            continue
        if missing := [name for name in names if name not in change.expressions]:
            address = ".".join(filter(None, block))
            yield address, hit("attribute-undeclared", address=address, attributes=listed(missing, 6))


def drift(plan: Plan) -> Iterator[Placed]:
    """What somebody changed since the last apply."""
    for entry in plan.content.get("resource_drift") or []:
        change = entry.get("change") or {}
        before, after = change.get("before") or {}, change.get("after") or {}
        names = (
            [name for name in before if _said(before.get(name)) != _said(after.get(name))] if after else ["it is gone"]
        )
        if names:
            yield entry["address"], hit("drift", address=entry["address"], attributes=listed(names))


def _said(value: Any) -> Any:
    """Return a value without what says nothing: a provider reads back an empty map where none was given."""
    if isinstance(value, Mapping):
        return {name: said for name, item in value.items() if (said := _said(item)) is not None} or None
    if isinstance(value, list):
        return [_said(item) for item in value] or None
    return value or None


def providers(plan: Plan) -> Iterator[Placed]:
    """How Terraform itself reaches what it manages."""
    for name, provider in ((plan.content.get("configuration") or {}).get("provider_config") or {}).items():
        expressions = provider.get("expressions") or {}
        kind = str(provider.get("name") or name)
        value = {argument: _value(expression, plan) for argument, expression in expressions.items()}
        url, place = str(value.get("url") or value.get("host") or ""), f"provider.{name}"
        if kind == "keycloak" and is_plain(url):
            yield place, hit("provider-plain", provider="Keycloak", what=url)
        if kind == "keycloak" and value.get("tls_insecure_skip_verify") in (True, "true"):
            yield place, hit("provider-plain", provider="Keycloak", what="its certificate is not checked")
        secured = {"cert_path", "ca_material", "cert_material"} & expressions.keys()
        if kind == "docker" and url.startswith(("tcp://", "http://")) and not secured and not is_loopback(host_of(url)):
            yield place, hit("provider-plain", provider="the Docker engine", what=url)


def _value(expression: object, plan: Plan) -> Any:
    """Return what an expression is: a constant, or a variable that stands alone."""
    if not isinstance(expression, Mapping):
        return None
    if "constant_value" in expression:
        return expression["constant_value"]
    references = [name for name in expression.get("references") or [] if name.startswith("var.")]
    variables = plan.content.get("variables") or {}
    if len(references) == 1 and len(references[0].split(".")) == 2:
        return (variables.get(references[0].removeprefix("var.")) or {}).get("value")
    return None
