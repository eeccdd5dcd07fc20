"""Redirect URIs and web origins of OpenID Connect and SAML clients."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit
from ops.review.values import host_of, is_plain, scheme_of

_SCRIPTS = ("javascript", "data", "vbscript", "blob", "file")
_CLIENTS = ("keycloak_openid_client", "keycloak_saml_client")
# Where SAML sends its answers, besides the redirect URIs.
_SAML_URLS = (
    "assertion_consumer_post_url",
    "assertion_consumer_redirect_url",
    "logout_service_post_binding_url",
    "logout_service_redirect_binding_url",
    "master_saml_processing_url",
)


@about(*_CLIENTS)
def redirects(change: Change, plan: Plan) -> Iterator[Hit]:
    """Each redirect URI that is new."""
    client = plan.names.own(change)
    new = change.added("valid_redirect_uris")
    for name in _SAML_URLS:
        uri = change.after.get(name)
        if isinstance(uri, str) and uri and uri != change.before.get(name):
            new.append(uri)
    for uri in new:
        yield from _judged(uri, client, change)


def _judged(uri: str, client: str, change: Change) -> Iterator[Hit]:
    scheme, host = scheme_of(uri), host_of(uri)
    # With PKCE another app that claims the scheme gets a code that it cannot use (RFC 8252 section 8.1).
    proven = change.after.get("pkce_code_challenge_method") == "S256"
    if scheme in _SCRIPTS:
        yield hit("redirect-script", client=client, uri=uri)
    elif _any_host(uri):
        yield hit("redirect-anywhere", client=client, uri=uri)
    elif "*" in uri:
        yield hit("redirect-wildcard", client=client, uri=uri)
    elif is_plain(uri):
        yield hit("redirect-http", client=client, uri=uri, host=host)
    elif scheme and scheme not in ("http", "https") and "." not in scheme and not proven:
        yield hit("redirect-scheme", client=client, uri=uri, scheme=scheme)
    elif change.existed:
        yield hit("redirect-added", client=client, uri=uri)


def _any_host(uri: str) -> bool:
    """Return whether a wildcard stands where the host should: Keycloak takes `*` only at the end, and then for all."""
    rest = uri.split("://", 1)[-1]
    host = rest.split("/", 1)[0].split("?", 1)[0]
    return uri.strip() in ("*", "+*") or ("*" in host and not uri.startswith("/"))


@about(*_CLIENTS)
def logout_redirects(change: Change, plan: Plan) -> Iterator[Hit]:
    """Each wildcard among the addresses after logout; `+` stands for the redirect URIs and is judged there."""
    for uri in change.added("valid_post_logout_redirect_uris"):
        if "*" in uri:
            yield hit("logout-redirect-anywhere", client=plan.names.own(change), uri=uri)


@about("keycloak_openid_client")
def web_origins(change: Change, plan: Plan) -> Iterator[Hit]:
    """Each web origin that is new; `+` stands for the origins of the redirect URIs."""
    client = plan.names.own(change)
    own = {uri.split("//", 1)[-1].split("/", 1)[0] for uri in change.added("valid_redirect_uris")}
    for origin in change.added("web_origins"):
        if "*" in origin:
            yield hit("web-origin-any", client=client, origin=origin)
        elif origin != "+" and change.existed and origin.split("//", 1)[-1] not in own:
            # The origin of a redirect URI that is new with it is said there.
            yield hit("web-origin-added", client=client, origin=origin)
