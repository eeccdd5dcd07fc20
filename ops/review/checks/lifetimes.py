"""Lifetimes of tokens, codes, links and sessions, in the realm and in clients that have their own."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit
from ops.review.values import seconds, spoken

_TOKEN_MOST_S = 15 * 60
_CODE_MOST_S = 10 * 60
_DAY_S = 86400
_SESSIONS = {
    "sso_session_idle_timeout": "an unused session",
    "sso_session_max_lifespan": "a session",
    "sso_session_idle_timeout_remember_me": "an unused remembered session",
    "sso_session_max_lifespan_remember_me": "a remembered session",
    "client_session_idle_timeout": "an unused session",
    "client_session_max_lifespan": "a session",
    "offline_session_idle_timeout": "an unused offline session",
    "offline_session_max_lifespan": "an offline session",
    "client_offline_session_idle_timeout": "an unused offline session",
    "client_offline_session_max_lifespan": "an offline session",
}
_A_DAY_AT_MOST = ("sso_session_idle_timeout", "sso_session_max_lifespan")
_LINKS = ("action_token_generated_by_user_lifespan", "access_code_lifespan_user_action")


@about("keycloak_realm", "keycloak_openid_client")
def tokens(change: Change, plan: Plan) -> Iterator[Hit]:
    """How long access tokens live."""
    kind = "realm" if change.type == "keycloak_realm" else "client"
    where = f"{kind} {plan.names.own(change)}"
    for name in ("access_token_lifespan", "access_token_lifespan_for_implicit_flow"):
        before, now = seconds(change.before.get(name)), seconds(change.after.get(name))
        if now is None or now <= (before or 0):
            continue
        if now > _TOKEN_MOST_S:
            yield hit("lifetime-access-token", where=where, now=spoken(now), before=_earlier(before))
        elif before:
            yield hit("lifetime-access-token-raised", where=where, now=spoken(now), before=spoken(before))


@about("keycloak_realm", "keycloak_openid_client")
def sessions(change: Change, plan: Plan) -> Iterator[Hit]:
    """How long sessions last."""
    kind = "realm" if change.type == "keycloak_realm" else "client"
    where = f"{kind} {plan.names.own(change)}"
    for name, what in _SESSIONS.items():
        before, now = seconds(change.before.get(name)), seconds(change.after.get(name))
        if before and now and now > before:
            yield hit("lifetime-session", what=what, where=where, before=spoken(before), now=spoken(now))
        elif not change.existed and now and now > _DAY_S and name in _A_DAY_AT_MOST:
            yield hit("lifetime-session-day", what=what, where=where, now=spoken(now))


@about("keycloak_realm")
def codes_and_links(change: Change, plan: Plan) -> Iterator[Hit]:
    """How long authorization codes and links in mails live."""
    where = plan.names.own(change)
    for name, rule, most in (
        ("access_code_lifespan", "lifetime-code", _CODE_MOST_S),
        *((link, "lifetime-action-link", _DAY_S) for link in _LINKS),
    ):
        before, now = seconds(change.before.get(name)), seconds(change.after.get(name))
        if now and (now > before if before else now > most):
            yield hit(rule, where=where, now=spoken(now), before=_earlier(before))


@about("keycloak_realm")
def refresh(change: Change, plan: Plan) -> Iterator[Hit]:
    """Whether a refresh token is good once, and whether an offline session ends."""
    where = plan.names.own(change)
    reuse, before = (int(values.get("refresh_token_max_reuse") or 0) for values in (change.after, change.before))
    if change.off("revoke_refresh_token") or (change.after.get("revoke_refresh_token") and reuse > before):
        yield hit("refresh-rotation-off", where=where)
    if change.off("offline_session_max_lifespan_enabled"):
        yield hit("lifetime-offline-endless", where=where)
    if change.on("remember_me"):
        yield hit("remember-me-on", where=where)


def _earlier(before: int | None) -> str:
    return f", {spoken(before)} before" if before else ""
