"""Hop token: an access token against this server (RFC 9068, RFC 8707), and the server against a broken one."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ops.challenge import parse_challenge
from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import Answer
from ops.doctor.hops.jwks import public_key
from ops.doctor.probe import initialize

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_OTHER_TYPES = ("ID", "Refresh", "Offline", "Logout")  # the claim typ of Keycloak's other tokens
_LONG_S = 3600


async def check(chain: Chain) -> Hop:
    """Read the token, then try it. It is sent to the MCP URL only, and only when it is from the server's issuer."""
    hop = Hop("token")
    token = chain.wishes.token
    if not token:
        return hop.skip("none was given: --token-file")
    claims = _claims(token)
    if claims is None:
        hop.fault("TOKEN-FORM", f"{token.count('.') + 1} parts, {len(token)} characters")
        return hop
    hop.seen = _describe(claims)
    issued = claims.get("iat")
    chain.issued = float(issued) if isinstance(issued, int | float) else None
    if not chain.issuer or claims.get("iss") != chain.issuer:
        hop.fault("TOKEN-ISSUER", f"iss is {claims.get('iss')}, the metadata names {chain.issuer or 'none'}")
        return hop
    _judge_time(hop, claims)
    if chain.keys and not _verifies(token, chain):
        hop.fault("TOKEN-KEY", "no key of the JWKS verifies it")
    answer = await initialize(chain, token=token)
    if not answer.status:
        hop.seen += f"; not tried: {answer.problem}"
    elif answer.status in (401, 403):
        _judge_refusal(chain, hop, claims, answer)
    else:
        await _judge_acceptance(chain, hop, claims, answer)
    return hop


def _judge_time(hop: Hop, claims: Mapping[str, Any]) -> None:
    now, expires = time.time(), claims.get("exp")
    if not isinstance(expires, int | float):
        hop.fault("TOKEN-TIME", "it has no exp")
        return
    start = claims.get("nbf", claims.get("iat"))
    if expires < now:
        hop.fault("TOKEN-TIME", f"it expired {now - expires:.0f} s ago")
    elif isinstance(start, int | float) and start > now + 5:
        hop.fault("TOKEN-TIME", f"it counts in {start - now:.0f} s only")
    issued = claims.get("iat")
    if isinstance(issued, int | float) and expires - issued > _LONG_S:
        hop.fault("TOKEN-LONG", f"{expires - issued:.0f} s")


def _judge_refusal(chain: Chain, hop: Hop, claims: Mapping[str, Any], answer: Answer) -> None:
    challenge = parse_challenge(answer.status, answer.headers.get("www-authenticate", ""))
    said = f"HTTP {answer.status} {challenge.error} {challenge.description}".strip()
    if not _is_for(claims, chain):
        hop.fault("TOKEN-AUDIENCE", f"aud is {' '.join(_audience(claims)) or 'absent'}; the server says {said}")
    if claims.get("typ") in _OTHER_TYPES:
        hop.fault("TOKEN-TYPE", f"typ is {claims['typ']}; the server says {said}")
    if missing := _missing_scopes(chain, claims):
        hop.fault("TOKEN-SCOPE", f"missing: {' '.join(missing)}; the server says {said}")
        chain.facts.add("step-up needed")
    if not hop.findings:
        hop.fault("TOKEN-REFUSED", said)


async def _judge_acceptance(chain: Chain, hop: Hop, claims: Mapping[str, Any], answer: Answer) -> None:
    chain.facts.add("token accepted")
    hop.seen += f"; accepted: HTTP {answer.status}"
    if not _is_for(claims, chain):
        audience = _audience(claims)
        said = " ".join(audience) or "absent"
        # A server may check for a client id of its own instead of its URL; that cannot be told from outside.
        name = "AUDIENCE-OTHER" if set(audience) - {"account"} else "AUDIENCE-UNCHECKED"
        hop.fault(name, f"aud is {said}, and the server answers HTTP {answer.status}")
    if claims.get("typ") in _OTHER_TYPES:
        hop.fault("TYPE-UNCHECKED", f"typ is {claims['typ']}, and the server answers HTTP {answer.status}")
    broken = await initialize(chain, token=_break(chain.wishes.token))
    if broken.status and broken.status not in (400, 401, 403):
        hop.fault("SIGNATURE-UNCHECKED", f"with one character changed: HTTP {broken.status}")


def _claims(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _verifies(token: str, chain: Chain) -> bool:
    keys = [key for row in chain.keys if (key := public_key(row)) is not None]
    try:
        jwt.decode(token, KeySet(keys), algorithms=_ALGORITHMS)
    except (JoseError, ValueError):
        return False
    return True


def _audience(claims: Mapping[str, Any]) -> list[str]:
    value = claims.get("aud")
    return [value] if isinstance(value, str) else [item for item in value or () if isinstance(item, str)]


def _is_for(claims: Mapping[str, Any], chain: Chain) -> bool:
    return bool({chain.given, chain.url, chain.resource.get("resource")} & set(_audience(claims)))


def _missing_scopes(chain: Chain, claims: Mapping[str, Any]) -> list[str]:
    held = str(claims.get("scope", "")).split()
    return [scope for scope in chain.asked_scopes if scope not in held]


def _break(token: str) -> str:
    """Change the first character of the signature: the last one may hold bits that do not count."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature.startswith('A') else 'A'}{signature[1:]}"


def _describe(claims: Mapping[str, Any]) -> str:
    audience = " ".join(sorted(_audience(claims))) or "none"
    scope = " ".join(sorted(str(claims.get("scope", "")).split())) or "none"
    return f"typ {claims.get('typ', 'absent')}, aud {audience}, scope {scope}"
