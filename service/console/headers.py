"""What a page may do: nothing but load files of this service, call it, and talk to the authorization server."""

from collections.abc import Mapping
from typing import Final

_EVERY_PAGE: Final = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Policy = Mapping[str, str]


def console_policy(auth_origin: str) -> Policy:
    """Return the Content Security Policy of the console: no inline code, and text never becomes markup (Trusted Types).

    Args:
        auth_origin: origin of the authorization server: token requests, and the form that signs out.
    """
    return {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {auth_origin}",
        # A browser looks at redirects, too: after the sign-out the authorization server sends it back here.
        "form-action": f"'self' {auth_origin}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def docs_policy(auth_origin: str) -> Policy:
    """Return the policy of Swagger UI: it draws pictures from data: URLs and writes markup without Trusted Types.

    Args:
        auth_origin: origin of the authorization server.
    """
    policy = {name: value for name, value in console_policy(auth_origin).items() if "trusted-types" not in name}
    return {**policy, "img-src": "'self' data:", "form-action": "'none'"}


def page_headers(policy: Policy, cache: str) -> dict[str, str]:
    """Return the headers of a page. HSTS and Permissions-Policy are the edge's.

    Args:
        policy: its Content Security Policy.
        cache: its Cache-Control.
    """
    csp = "; ".join(f"{name} {value}" for name, value in policy.items())
    return {**_EVERY_PAGE, "Content-Security-Policy": csp, "Cache-Control": cache}
