"""What protects a client and its tokens."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan, blocks
from ops.review.rules import Hit, about, hit

_KINDS = {"PUBLIC": "without a secret", "CONFIDENTIAL": "with a secret", "BEARER-ONLY": "bearer-only"}
_STRONG = ("client-jwt", "client-x509", "federated-jwt")
_BINDINGS = {
    "require.pushed.authorization.requests": "a pushed authorization request (PAR)",
    "tls.client.certificate.bound.access.tokens": "a token bound to a certificate (mTLS)",
    "dpop.bound.access.tokens": "a token bound to a key (DPoP)",
}
_ALGORITHMS = {
    "access.token.signed.response.alg": "access tokens",
    "id.token.signed.response.alg": "ID tokens",
    "user.info.response.signature.alg": "answers about people",
    "request.object.signature.alg": "authorization requests",
    "authorization.signed.response.alg": "authorization answers",
}


@about("keycloak_openid_client")
def pkce(change: Change, plan: Plan) -> Iterator[Hit]:
    """PKCE of clients that log people in; a loss is worth a word for every client."""
    client, name = plan.names.own(change), "pkce_code_challenge_method"
    if change.is_unknown(name):
        return
    method, before = change.after.get(name), change.before.get(name)
    logs_in = change.after.get("standard_flow_enabled") is True
    began = logs_in and (not change.existed or change.before.get("standard_flow_enabled") is not True)
    if method == "plain" and before != "plain":
        yield hit("pkce-plain", client=client)
    elif not method and before:
        yield hit("pkce-lost", client=client)
    elif not method and began:
        yield hit("pkce-missing", client=client)


@about("keycloak_openid_client")
def identity(change: Change, plan: Plan) -> Iterator[Hit]:
    """Who may say that they are this client."""
    client = plan.names.own(change)
    kind = str(change.after.get("access_type"))
    if change.existed and kind == "PUBLIC" and change.before.get("access_type") != "PUBLIC":
        yield hit("client-becomes-public", client=client)
    if not change.existed and plan.in_existing_realm(change) and not change.after.get("import"):
        yield hit("client-added", client=client, kind=_KINDS.get(kind, kind))
    if change.existed and change.on("enabled"):
        yield hit("client-enabled", client=client)
    before, now = (values.get("client_authenticator_type") for values in (change.before, change.after))
    if before in _STRONG and now not in _STRONG and not change.is_unknown("client_authenticator_type"):
        yield hit("client-authentication-weaker", client=client, before=before, now=now or "a shared secret")


@about("keycloak_openid_client", "keycloak_saml_client")
def reach(change: Change, plan: Plan) -> Iterator[Hit]:
    """What a token of it carries, and whether the person is asked."""
    client = plan.names.own(change)
    if change.on("full_scope_allowed"):
        yield hit("client-full-scope", client=client)
    if change.existed and change.off("consent_required") and change.before.get("consent_required"):
        yield hit("client-consent-off", client=client)


@about("keycloak_openid_client")
def answers(change: Change, plan: Plan) -> Iterator[Hit]:
    """Binding, signature and issuer of what the client gets."""
    client = plan.names.own(change)
    before, after = (values.get("extra_config") or {} for values in (change.before, change.after))
    if change.lost("require_dpop_bound_tokens"):
        yield hit("client-binding-lost", client=client, what=_BINDINGS["dpop.bound.access.tokens"])
    if not change.is_unknown("extra_config"):
        for name, what in _BINDINGS.items():
            if before.get(name) == "true" and after.get(name) != "true":
                yield hit("client-binding-lost", client=client, what=what)
        for name, what in _ALGORITHMS.items():
            algorithm = str(after.get(name) or "")
            if algorithm != before.get(name) and (algorithm == "none" or algorithm.startswith("HS")):
                yield hit("client-algorithm", client=client, what=what, algorithm=algorithm)
    if change.on("exclude_issuer_from_auth_response"):
        yield hit("client-issuer-hidden", client=client)
    session = "backchannel_logout_session_required"
    if change.lost("backchannel_logout_url") or (change.after.get("backchannel_logout_url") and change.lost(session)):
        yield hit("client-logout-silent", client=client)


@about("keycloak_openid_client")
def authorization(change: Change, plan: Plan) -> Iterator[Hit]:
    """Authorization Services that let through what has no policy."""
    before = blocks(change.before.get("authorization"))
    for block in blocks(change.after.get("authorization")):
        for name, wrong, what in (
            ("policy_enforcement_mode", ("PERMISSIVE", "DISABLED"), "no longer enforces its policies ({})"),
            ("decision_strategy", ("AFFIRMATIVE",), "allows what one policy allows, although others refuse ({})"),
        ):
            value = block.get(name)
            if value in wrong and not any(old.get(name) == value for old in before):
                yield hit("client-authorization-loose", client=plan.names.own(change), what=what.format(value))


@about("keycloak_saml_client")
def saml(change: Change, plan: Plan) -> Iterator[Hit]:
    """Signatures of a SAML client."""
    client = plan.names.own(change)
    for name, what in (
        ("client_signature_required", "need not sign its requests"),
        ("sign_documents", "gets answers that are not signed"),
    ):
        if change.off(name):
            yield hit("saml-unsigned", client=client, what=what)
    if change.lost("sign_assertions"):
        yield hit("saml-unsigned", client=client, what="gets assertions that are not signed")
