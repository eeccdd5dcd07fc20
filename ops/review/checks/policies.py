"""Client policies and login flows."""

from collections.abc import Iterator
from typing import Any

from ops.review.plan import Change, Plan, blocks
from ops.review.rules import Hit, about, hit

_BINDINGS = {
    "browser_flow": "login by browser",
    "registration_flow": "registration of people",
    "direct_grant_flow": "login without a browser",
    "reset_credentials_flow": "a forgotten password",
    "client_authentication_flow": "authentication of clients",
    "first_broker_login_flow": "first login from elsewhere",
}
_STRICTNESS = {"REQUIRED": 3, "CONDITIONAL": 2, "ALTERNATIVE": 1, "DISABLED": 0}
_WITHOUT_PROOF = ("allow-access-authenticator", "direct-grant-validate-username-only", "script-")


@about("keycloak_realm_client_policy_profile")
def profiles(change: Change, plan: Plan) -> Iterator[Hit]:
    """What a profile demands."""
    profile = plan.names.own(change)
    if not change.remains:
        yield hit("policy-removed", what=f"profile {profile}")
        return
    before, after = (_by_name(values.get("executor")) for values in (change.before, change.after))
    for name, configuration in before.items():
        if name not in after:
            yield hit("policy-executor-removed", profile=profile, executor=name)
        elif configuration != after[name]:
            yield hit(
                "policy-executor-changed",
                profile=profile,
                executor=name,
                before=_written(configuration),
                now=_written(after[name]),
            )


@about("keycloak_realm_client_policy_profile_policy")
def policies(change: Change, plan: Plan) -> Iterator[Hit]:
    """Whom a policy holds for."""
    policy = plan.names.own(change)
    if not change.remains or (change.existed and change.off("enabled")):
        yield hit("policy-removed", what=f"policy {policy}")
        return
    for profile in change.removed("profiles"):
        yield hit("policy-removed", what=f"profile {profile} (policy {policy})")
    before, after = (_by_name(values.get("condition")) for values in (change.before, change.after))
    if change.existed and before != after and "any-client" not in after:
        yield hit("policy-narrowed", policy=policy, before=", ".join(before), now=", ".join(after) or "nobody")


def _written(configuration: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(configuration.items())) or "nothing"


def _by_name(value: object) -> dict[str, dict[str, Any]]:
    return {str(entry.get("name")): dict(entry.get("configuration") or {}) for entry in blocks(value)}


@about("keycloak_realm", "keycloak_authentication_bindings")
def bindings(change: Change, plan: Plan) -> Iterator[Hit]:
    """Which flow a login goes through."""
    realm = plan.names.own(change) if change.type == "keycloak_realm" else plan.names.of(change, "realm_id")
    for name, what in _BINDINGS.items():
        before, now = change.before.get(name), change.after.get(name)
        if change.existed and before and now and before != now:
            yield hit("flow-bound", what=what, realm=realm, before=before, now=now)
        elif not change.existed and now and change.type.endswith("bindings") and plan.in_existing_realm(change):
            yield hit("flow-bound", what=what, realm=realm, before="the one of the realm", now=now)


@about("keycloak_openid_client", "keycloak_saml_client")
def overrides(change: Change, plan: Plan) -> Iterator[Hit]:
    """Clients with a login flow of their own."""
    name = "authentication_flow_binding_overrides"
    if blocks(change.after.get(name)) and change.after.get(name) != change.before.get(name):
        yield hit("flow-bound-client", client=plan.names.own(change))


@about("keycloak_authentication_execution", "keycloak_authentication_subflow")
def steps(change: Change, plan: Plan) -> Iterator[Hit]:
    """The steps of a flow."""
    values = change.after or change.before
    step = str(values.get("authenticator") if change.type.endswith("execution") else values.get("alias"))
    flow = plan.names.of(change, "parent_flow_alias")
    before, now = (str(values.get("requirement") or "DISABLED") for values in (change.before, change.after))
    if change.existed and _STRICTNESS.get(now, 0) < _STRICTNESS.get(before, 0):
        yield hit("flow-step-weaker", step=step, flow=flow, before=before, now=now if change.remains else "gone")
    if change.remains and not change.existed and step.startswith(_WITHOUT_PROOF):
        yield hit("flow-step-script", step=step, flow=flow)


@about("keycloak_required_action")
def actions(change: Change, plan: Plan) -> Iterator[Hit]:
    """What people are asked to do before they are let in."""
    alias = str((change.after or change.before).get("alias"))
    if change.existed and (not change.remains or change.off("enabled") or change.lost("default_action")):
        yield hit("required-action-off", realm=plan.names.of(change, "realm_id"), action=alias)
