"""The closed list of reason codes: why a request was allowed or refused, and what `secure-mcp why` says about it.

A hole such as `{needed}` is filled from the audit line, the access contract and the settings (ops/why.py). This is also
what bounds the label `reason` of the metrics and what docs/audit-event.schema.json allows.
"""

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """What a code means: what happened, what decides about it, and what to do."""

    sentence: str
    decided_by: str
    fix: str


_ANEW: Final = "Get a new access token from the authorization server"
_GENUINE: Final = "Send an access token that {issuer} issued for {audience}"

REASONS: Final[dict[str, Reason]] = {
    "sufficient_scope": Reason(
        "The token held every scope that was needed.", "access.yaml", "Nothing: the call was let through."
    ),
    # A session ended: service/api/logout.py
    "session_ended": Reason(
        "The authorization server said that a session, or every session of a person, has ended.",
        "back-channel logout of the realm",
        "Nothing: its tokens are refused from now on.",
    ),
    "malformed_form": Reason(
        "The body of the logout is no form of at most 16 KiB with exactly one logout_token.",
        "OpenID Connect Back-Channel Logout 1.0 section 2.5",
        "Send `logout_token=<token>` as application/x-www-form-urlencoded.",
    ),
    # Credentials: service/auth/bearer.py
    "no_credentials": Reason(
        "No access token was sent.",
        "the guard; every path but the public ones needs one",
        "Send `Authorization: Bearer <token>` with a token that has the scope {first_scopes}.",
    ),
    "other_scheme": Reason(
        "The Authorization header has another scheme than Bearer.",
        "RFC 6750 section 2.1",
        "Send `Authorization: Bearer <token>`; passwords and API keys are not taken.",
    ),
    "several_credentials": Reason(
        "Credentials were sent in two ways or twice.",
        "RFC 6750 section 2",
        "Send the token once, in the Authorization header, and not in the query or in a form.",
    ),
    "malformed_credentials": Reason(
        "What follows `Bearer` is no token.",
        "RFC 6750 section 2.1",
        "Send one token after `Bearer `, without quotes, blanks or commas.",
    ),
    # The token: service/auth/errors.py
    "token_too_large": Reason(
        "The access token is longer than 8192 bytes.",
        "a fixed limit of the service",
        "Give the person fewer roles in the realm, or map fewer claims into the token; then get a new token.",
    ),
    "malformed_token": Reason(
        "The access token is no JWT in compact form.", "RFC 7515 section 3.1", f"{_GENUINE}, unchanged."
    ),
    "wrong_algorithm": Reason(
        "The access token is signed with an algorithm that is not accepted here.",
        "SECURE_MCP_ALGORITHMS",
        "Let the realm sign access tokens with one of {algorithms}.",
    ),
    "unknown_key": Reason(
        "The access token is signed with a key that the authorization server does not publish.",
        "the realm's JWKS",
        f"{_GENUINE}; it may come from another realm, or from before a change of keys.",
    ),
    "bad_signature": Reason(
        "The signature of the access token is wrong: it was changed on its way, or never genuine.",
        "the realm's JWKS",
        f"{_ANEW} and send it unchanged.",
    ),
    "malformed_claims": Reason(
        "A claim of the access token is missing or has a wrong form.",
        "RFC 9068 section 2.2 and docs/hostile-tokens.md",
        f"{_GENUINE}; a mapper of the realm may have changed a claim.",
    ),
    "wrong_type": Reason(
        "The token is no access token; it may be an ID token, a refresh token or a logout token.",
        "RFC 9068 section 4",
        "Send the `access_token` of the token response, no other token.",
    ),
    "wrong_issuer": Reason(
        "The access token was issued by another authorization server or realm.", "SECURE_MCP_ISSUER", f"{_GENUINE}."
    ),
    "wrong_audience": Reason(
        "The access token was issued for another resource.",
        "SECURE_MCP_AUDIENCE and the client scope mcp-audience of the realm",
        f"{_GENUINE}; give the client the default scope mcp-audience.",
    ),
    "expired": Reason(
        "The access token has expired.",
        "lifetimes.access_token in access.yaml ({access_token_seconds} s) and SECURE_MCP_LEEWAY_SECONDS",
        f"{_ANEW} with the refresh token; if it is new, set the clocks right.",
    ),
    "not_yet_valid": Reason(
        "The access token is not valid yet: its time begins in the future.",
        "SECURE_MCP_LEEWAY_SECONDS",
        "Set the clocks of the authorization server and of this machine right (NTP).",
    ),
    "lifetime_too_long": Reason(
        "The access token lives longer than the contract allows.",
        "lifetimes.access_token in access.yaml ({access_token_seconds} s)",
        "Apply terraform/keycloak: the realm or the client has another access token lifespan than declared.",
    ),
    "revoked": Reason(
        "The session of the access token has ended: a logout, or an administrator.",
        "back-channel logout of the realm",
        "Log in again.",
    ),
    "sender_constrained": Reason(
        "The access token is bound to a key (DPoP or mTLS), whose proof is not judged here.",
        "RFC 9449 section 7.2",
        "Ask for the token without a DPoP proof and without a client certificate.",
    ),
    "client_not_allowed": Reason(
        "The client of the access token may not call this service.",
        "SECURE_MCP_ALLOWED_CLIENTS and the clients of access.yaml",
        "Declare the client in access.yaml, or add it to SECURE_MCP_ALLOWED_CLIENTS where that is set.",
    ),
    "keys_unavailable": Reason(
        "The token could not be judged, because the authorization server's keys could not be had.",
        "SECURE_MCP_ISSUER_INTERNAL_URL and the state of Keycloak",
        "Bring Keycloak back (`secure-mcp status`), then try again; the token may well be good.",
    ),
    # Scopes: service/auth/scopes.py
    "insufficient_scope": Reason(
        "The token of {client} holds {held}, and {tool} needs {needed}.",
        "access.yaml and the scopes that the tool declares",
        "Ask the authorization server for the scope {needed}; {who_may}.",
    ),
    # How many: service/auth/rate.py
    "caller_rate_limited": Reason(
        "This caller sent more requests in a minute than one caller may, counted over all its clients and addresses.",
        "SECURE_MCP_CALLER_REQUESTS_PER_MINUTE, caller_requests_per_minute in terraform/environments",
        "Wait as long as Retry-After says and send fewer; raise `caller_requests_per_minute` if the load is meant.",
    ),
    # The request: service/auth/guard.py, body.py, jsonrpc.py
    "method_not_allowed": Reason(
        "The MCP endpoint takes POST only.", "MCP Streamable HTTP", "Send POST; there is no stream to GET here."
    ),
    "unsupported_media_type": Reason(
        "The body is not declared as JSON.", "MCP Streamable HTTP", "Send `Content-Type: application/json`."
    ),
    "body_too_large": Reason(
        "The body is larger than 1 MiB.", "a fixed limit of the service", "Send less in one call."
    ),
    "body_too_slow": Reason(
        "The body did not arrive within 15 s.", "a fixed limit of the service", "Send the whole body at once."
    ),
    "malformed_body": Reason(
        "The body is no JSON-RPC message with exactly one reading.",
        "JSON-RPC 2.0 and RFC 8259",
        "Send one JSON object with `jsonrpc`, `method` and `params`, without doubled names.",
    ),
    "batch": Reason(
        "The body is a batch of messages.", "MCP, revision 2025-06-18", "Send one message in each request."
    ),
    "header_mismatch": Reason(
        "The MCP headers say something else than the body, or come twice.",
        "MCP Streamable HTTP, Server Validation",
        "Let MCP-Protocol-Version, Mcp-Method and Mcp-Name repeat exactly what the body says, or leave them out.",
    ),
    # Host and Origin: service/auth/origin.py
    "bad_host": Reason(
        "There is not exactly one Host header with a host name.", "RFC 9110 section 7.2", "Send one Host header."
    ),
    "foreign_host": Reason(
        "The request was sent to a host name that is not this service's.",
        "SECURE_MCP_AUDIENCE",
        "Use the public URL {audience}; a proxy in between has to pass its host name on.",
    ),
    "foreign_origin": Reason(
        "A browser page of an origin that is not listed called.",
        "SECURE_MCP_CORS_ORIGINS",
        "Add the page's origin to SECURE_MCP_CORS_ORIGINS if it may call.",
    ),
    # The edge: nginx/edge.conf
    "rate_limited": Reason(
        "This address sent more requests, or held more open, than the edge allows.",
        "rates in terraform/environments/<environment>/docker.tfvars",
        "Wait as long as Retry-After says and send fewer at once; raise `rates` if the load is meant.",
    ),
    "edge_body_too_large": Reason(
        "The request is larger than the edge lets through.", "client_max_body_size in nginx/", "Send less in one call."
    ),
    "edge_not_found": Reason(
        "There is nothing at that address; the edge passes on only what it knows.",
        "the locations of nginx/mcp.conf and nginx/keycloak.conf",
        "Call the MCP endpoint {audience}, or a path of its API documentation.",
    ),
    "edge_bad_request": Reason(
        "The edge could not read the request as HTTP, or it took too long to come.",
        "RFC 9112 and the time limits in nginx/edge.conf",
        "Send a complete request with valid headers of at most 16 KiB.",
    ),
    "upstream_unavailable": Reason(
        "The edge could not reach the server behind it.",
        "the state of the service",
        "Start it again: `secure-mcp status` shows which part is down.",
    ),
    "other": Reason("A reason that this version does not name.", "the code", "Look at the lines around it in the log."),
}


def known(reason: str) -> str:
    """Return the code, or `other` when the list does not have it."""
    return reason if reason in REASONS else "other"
