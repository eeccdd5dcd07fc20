"""Hop registration: dynamic client registration (RFC 7591), tried with a request that must not make a client.

Keycloak asks its registration policies first and looks at the redirect URI after that. A redirect URI with a fragment
is forbidden (RFC 6749 section 3.1.2): the answer tells whether the policies let it pass, and nothing is made.
"""

import json
from typing import Any

import httpx

from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import Answer

BROWSER_CLIENT = "http://localhost:6274"  # the Inspector
_METADATA = {
    "client_name": "secure-mcp doctor, dry run",
    "redirect_uris": ["http://127.0.0.1:33418/#dry-run"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


async def check(chain: Chain) -> Hop:
    """Try whether a client may register itself, and with which scopes."""
    hop = Hop("registration")
    endpoint = chain.server.get("registration_endpoint")
    if not isinstance(endpoint, str):
        return hop.skip("the authorization server announces none")
    if not chain.wishes.register:
        return hop.skip("not tried: --no-registration")
    answer = await _register(chain, hop, endpoint, {})
    if not _passed(answer):
        hop.seen = f"closed: {_said(answer)}"
        chain.facts.add("registration closed")
        return hop
    hop.seen = f"open: the dry run was refused for its redirect URI only ({_said(answer)})"
    hop.fault("REGISTRATION-OPEN", f"the policies let a registration without a token pass: {_said(answer)}")
    scopes = chain.asked_scopes
    if scopes and not _passed(got := await _register(chain, hop, endpoint, {"scope": " ".join(scopes)})):
        hop.fault("REGISTRATION-SCOPE", f"scope {' '.join(scopes)}: {_said(got)}")
        if "openid" in scopes:
            chain.facts.add("openid refused at registration")
    page = await _register(chain, hop, endpoint, {}, {"Origin": BROWSER_CLIENT})
    if not page.headers.get("access-control-allow-origin"):
        chain.facts.add("no registration from a browser")
    if "nrecognized" in (await _register(chain, hop, endpoint, {"resource": chain.url})).body.decode(
        "utf-8", "replace"
    ):
        chain.facts.add("unknown members refused at registration")
    return hop


async def _register(
    chain: Chain, hop: Hop, endpoint: str, more: dict[str, Any], headers: dict[str, str] | None = None
) -> Answer:
    content = json.dumps(_METADATA | more).encode()
    kind = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = await chain.fetcher.send("POST", endpoint, kind | (headers or {}), content)
    if answer.status == httpx.codes.CREATED:
        hop.fault("REGISTRATION-UNCHECKED", "HTTP 201 for a redirect URI with a fragment")
        await _remove(chain, hop, answer)
    return answer


async def _remove(chain: Chain, hop: Hop, answer: Answer) -> None:
    """Delete the client that should not have come to be (RFC 7592 section 2.3)."""
    try:
        made = json.loads(answer.body)
        url, token = str(made["registration_client_uri"]), str(made["registration_access_token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        hop.seen = "a client was made and cannot be deleted from here: look for `secure-mcp doctor, dry run`"
        return
    gone = await chain.fetcher.send("DELETE", url, {"Authorization": f"Bearer {token}"}, verified_only=True)
    hop.seen = f"a client was made and deleted again: {gone.said()}"


def _passed(answer: Answer) -> bool:
    """Say whether the policies let the request pass: only then the redirect URI is complained about."""
    return answer.status == httpx.codes.CREATED or "redirect" in _text(answer).lower()


def _said(answer: Answer) -> str:
    return f"{answer.said()} {_text(answer)}".strip()


def _text(answer: Answer) -> str:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    return f"{value.get('error', '')} {value.get('error_description', '')}".strip()
