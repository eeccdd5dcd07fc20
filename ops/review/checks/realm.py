"""Switches of a realm: transport, deletion, second factors, headers. Passwords and guessing: passwords.py."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.plan import Change, Plan, blocks
from ops.review.rules import Hit, about, hit
from ops.review.values import seconds, spoken

_HEADERS = (
    "content_security_policy",
    "referrer_policy",
    "strict_transport_security",
    "x_content_type_options",
    "x_frame_options",
    "x_robots_tag",
)
_EVENTS = {
    "events_enabled": "who logged in",
    "admin_events_enabled": "what administrators changed",
    "admin_events_details_enabled": "what exactly administrators changed",
}


def block(values: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return a block within blocks of which there is at most one; empty where there is none."""
    for name in path:
        found = blocks(values.get(name))
        values = found[0] if found else {}
    return values


@about("keycloak_realm")
def transport(change: Change, plan: Plan) -> Iterator[Hit]:
    """Whether logins need TLS."""
    before, now = (str(values.get("ssl_required") or "").lower() for values in (change.before, change.after))
    if now == "none" and before != "none":
        yield hit("realm-ssl-off", realm=plan.names.own(change))
    elif now == "external" and before == "all":
        yield hit("realm-ssl-weaker", realm=plan.names.own(change))


@about("keycloak_realm")
def protection(change: Change, plan: Plan) -> Iterator[Hit]:
    """Deletion protection, and what people may do by themselves."""
    if change.lost("terraform_deletion_protection"):
        yield hit("deletion-protection-off", realm=plan.names.own(change))
    if change.on("user_managed_access"):
        yield hit("user-managed-access-on", realm=plan.names.own(change))


@about("keycloak_realm")
def headers(change: Change, plan: Plan) -> Iterator[Hit]:
    """Security headers that lose their value or get another one."""
    before, after = (block(values, "security_defenses", "headers") for values in (change.before, change.after))
    for name in _HEADERS:
        if before.get(name) and before.get(name) != after.get(name):
            values = {"before": before[name], "now": after.get(name) or "nothing"}
            yield hit("headers-weaker", realm=plan.names.own(change), header=name.replace("_", "-"), **values)


@about("keycloak_realm")
def second_factors(change: Change, plan: Plan) -> Iterator[Hit]:
    """One-time codes and passkeys."""
    realm = plan.names.own(change)
    before, after = (block(values, "otp_policy") for values in (change.before, change.after))
    if after.get("code_reusable") and not before.get("code_reusable"):
        yield hit("second-factor-weaker", realm=realm, what="a one-time code works more than once")
    if before and after and int(after.get("look_ahead_window") or 0) > int(before.get("look_ahead_window") or 0):
        yield hit("second-factor-weaker", realm=realm, what="more one-time codes are good at a time")
    for name in ("web_authn_policy", "web_authn_passwordless_policy"):
        before, after = (block(values, name) for values in (change.before, change.after))
        demand, was = after.get("user_verification_requirement"), before.get("user_verification_requirement")
        if was == "required" and demand not in (None, "required"):
            yield hit("second-factor-weaker", realm=realm, what=f"a passkey need not know its owner ({name})")
        if origins := set(after.get("extra_origins") or ()) - set(before.get("extra_origins") or ()):
            yield hit("second-factor-weaker", realm=realm, what=f"passkeys are taken from {', '.join(sorted(origins))}")


@about("keycloak_realm_events")
def events(change: Change, plan: Plan) -> Iterator[Hit]:
    """The audit trail."""
    realm = plan.names.of(change, "realm_id")
    if not change.remains:
        yield hit("events-off", realm=realm, what="who logged in and what administrators changed")
        return
    for name, what in _EVENTS.items():
        if change.off(name):
            yield hit("events-off", realm=realm, what=what)
    if change.existed and change.after.get("enabled_event_types") and (kinds := change.removed("enabled_event_types")):
        yield hit("events-off", realm=realm, what=f"events of type {', '.join(sorted(kinds)[:4])}")
    if listeners := change.removed("events_listeners"):
        yield hit("events-off", realm=realm, what=f"events by the listener {', '.join(listeners)}")
    before, now = (seconds(values.get("events_expiration")) for values in (change.before, change.after))
    if now and (before is None or now < before) and change.existed:
        yield hit("events-shorter", realm=realm, before=spoken(before), now=spoken(now))
