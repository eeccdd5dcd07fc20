"""Passwords of a realm and who tries to guess them."""

import re
from collections.abc import Iterator

from ops.review.checks.realm import block
from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

_RULE = re.compile(r"(\w+)(?:\(([^)]*)\))?")
# More of these is weaker, less of those is weaker.
_TRIES = {"max_login_failures": "wrong passwords in a row", "quick_login_check_milli_seconds": "ms between tries"}
_WAITS = {
    "wait_increment_seconds": "seconds of the first wait",
    "max_failure_wait_seconds": "seconds of the longest wait",
    "failure_reset_time_seconds": "seconds until it is forgotten",
    "minimum_quick_login_wait_seconds": "seconds of wait after quick tries",
}


@about("keycloak_realm")
def guessing(change: Change, plan: Plan) -> Iterator[Hit]:
    """Brute force detection."""
    realm = plan.names.own(change)
    path = ("security_defenses", "brute_force_detection")
    before, after = (block(values, *path) for values in (change.before, change.after))
    if not after:
        if before or not change.existed:
            yield hit("brute-force-off", realm=realm)
        return
    if after.get("permanent_lockout") and not before.get("permanent_lockout"):
        yield hit("lockout-permanent", realm=realm)
    for names, sign in ((_TRIES, 1), (_WAITS, -1)):
        for name, what in names.items():
            was, now = before.get(name), after.get(name)
            # A smaller distance between quick tries makes fewer of them count as quick.
            way = -sign if name.startswith("quick_login") else sign
            if isinstance(was, int) and isinstance(now, int) and (now - was) * way > 0:
                yield hit("brute-force-weaker", realm=realm, what=what, before=was, now=now)


@about("keycloak_realm")
def policy(change: Change, plan: Plan) -> Iterator[Hit]:
    """The password policy."""
    realm = plan.names.own(change)
    before, after = (_rules(values.get("password_policy")) for values in (change.before, change.after))
    if change.is_unknown("password_policy"):
        return
    if not after:
        if before or not change.existed:
            yield hit("password-policy-off", realm=realm)
        return
    for name, value in before.items():
        if name not in after:
            yield hit("password-policy-weaker", realm=realm, what=f"{name} is gone")
        elif value.isdigit() and after[name].isdigit() and _weaker(name, int(value), int(after[name])):
            yield hit("password-policy-weaker", realm=realm, what=f"{name} {value} becomes {after[name]}")


def _weaker(name: str, before: int, now: int) -> bool:
    """Return whether a number got weaker; more is stronger but for the days after which a password has to change."""
    return now > before if name in ("forceExpiredPasswordChange", "maxLength") else now < before


def _rules(value: object) -> dict[str, str]:
    parts = str(value or "").split(" and ")
    return {found[1]: found[2] or "" for part in parts if (found := _RULE.match(part.strip()))}
