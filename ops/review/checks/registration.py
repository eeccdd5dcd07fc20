"""Accounts and clients that make themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit
from ops.review.values import listed

_POLICY = "keycloak_realm_client_registration_policy"
_NOBODY = (".invalid", ".example", ".test")  # names that cannot exist (RFC 6761)
_CHECKS = {
    "host-sending-registration-request-must-match": "the host that asks need not be a trusted one",
    "client-uris-must-match": "their addresses need not be on a trusted host",
}
_HARMLESS_MAPPERS = ("oidc-sha256-pairwise-sub-mapper",)


@about("keycloak_realm")
def accounts(change: Change, plan: Plan) -> Iterator[Hit]:
    """People who make or change their own account."""
    realm = plan.names.own(change)
    if change.on("registration_allowed"):
        yield hit("signup-open", realm=realm)
    if change.existed and change.before.get("verify_email") and change.off("verify_email"):
        yield hit("email-unverified", realm=realm)
    for name, what in (
        ("edit_username_allowed", "people may change their own user name"),
        ("duplicate_emails_allowed", "several accounts may have the same mail address"),
    ):
        if change.on(name):
            yield hit("account-names-loose", realm=realm, what=what)


@about(_POLICY)
def policies(change: Change, plan: Plan) -> Iterator[Hit]:
    """Dynamic client registration (RFC 7591): Keycloak's policies by their kind."""
    who = str(change.after.get("sub_type") or change.before.get("sub_type"))
    policy = plan.names.own(change)
    if not change.remains or change.changed("provider_id") or change.changed("sub_type"):
        yield hit("dcr-policy-lost", who=str(change.before.get("sub_type")), policy=policy)
        return
    kind = str(change.after.get("provider_id"))
    before, after = (values.get("config") or {} for values in (change.before, change.after))
    if change.is_unknown("config"):
        return
    if kind == "trusted-hosts":
        yield from _hosts(before, after, change)
    elif kind == "allowed-client-templates":
        scopes = _new(before, after, "allowed-client-scopes") if change.existed else []
        if scopes:
            yield hit("dcr-scopes", who=who, scopes=listed(scopes))
    elif kind == "allowed-protocol-mappers":
        mappers = [
            name for name in _new(before, after, "allowed-protocol-mapper-types") if name not in _HARMLESS_MAPPERS
        ]
        if (mappers and who == "anonymous") or (mappers and change.existed):
            yield hit("dcr-mappers", who=who, mappers=listed(mappers))
    elif kind == "max-clients":
        most, least = int(after.get("max-clients") or 0), int(before.get("max-clients") or 0)
        if change.existed and least and (most > least or most <= 0):
            yield hit("dcr-more", now=most or "any number of", before=least)
    elif kind == "registration-web-origins":
        origins = _new(before, after, "web-origins") if change.existed else []
        if origins:
            yield hit("dcr-origins", origins=listed(origins))


def _hosts(before: Mapping[str, Any], after: Mapping[str, Any], change: Change) -> Iterator[Hit]:
    hosts = [host for host in _new(before, after, "trusted-hosts") if not host.endswith(_NOBODY)]
    if hosts:
        yield hit("dcr-hosts", hosts=listed(hosts))
    for name, what in _CHECKS.items():
        if after.get(name, "true") != "true" and (not change.existed or before.get(name, "true") == "true"):
            yield hit("dcr-any-host", what=what)


def _new(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> list[str]:
    old = _members(before.get(name))
    return [member for member in _members(after.get(name)) if member not in old]


def _members(value: object) -> list[str]:
    """Return the members of a list that the provider writes as one text."""
    return [member.strip() for member in str(value or "").replace("##", ",").split(",") if member.strip()]
