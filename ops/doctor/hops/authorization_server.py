"""Hop authorization server metadata (RFC 8414): found where clients look, and the same issuer, S256, the endpoints."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ops.doctor.chain import Chain, Hop, words
from ops.doctor.fetch import origin_of, split

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


async def check(chain: Chain) -> Hop:
    """Fetch the metadata in the order of a client and judge it."""
    hop = Hop("authorization server metadata")
    if not chain.issuer:
        return hop.skip("no authorization server is known")
    candidates = candidates_of(chain.issuer)
    answers = [await chain.fetcher.send("GET", url) for url in candidates]
    found = [answer for answer in answers if answer.json() is not None]
    if not found:
        hop.fault("AS-NONE", "; ".join(f"{answer.url}: {answer.said()}" for answer in answers))
        if all("inner network" in answer.problem for answer in answers):
            hop.fault("REDIRECT-INNER", f"authorization_servers names {chain.issuer}")
        return hop
    if answers[0].json() is None:
        hop.fault("AS-INSERTION", f"{answers[0].url}: {answers[0].said()}")
        chain.facts.add("no path insertion")
    chain.server_answer = found[0]
    chain.server = found[0].json() or {}
    _judge_issuer(chain, hop, [answer.json() or {} for answer in found])
    _judge_code_flow(chain, hop)
    _judge_scopes(chain, hop)
    _note_facts(chain)
    hop.seen = f"{found[0].url}: issuer {chain.server.get('issuer')}, {_summary(chain.server)}"
    return hop


def candidates_of(issuer: str) -> list[str]:
    """Return the URLs that a client tries for an issuer, in its order (MCP authorization, section 2.3 of discovery)."""
    origin, path = origin_of(urlsplit(issuer)), urlsplit(issuer).path.rstrip("/")
    return list(dict.fromkeys((f"{origin}{OAUTH}{path}", f"{origin}{OPENID}{path}", f"{origin}{path}{OPENID}")))


def _judge_issuer(chain: Chain, hop: Hop, documents: list[Mapping[str, Any]]) -> None:
    wrong = [str(document.get("issuer")) for document in documents if document.get("issuer") != chain.issuer]
    if wrong:
        hop.fault(
            "AS-ISSUER", f"it says {wrong[0]}, the resource says {chain.issuer}{_difference(wrong[0], chain.issuer)}"
        )


def _difference(said: str, named: str) -> str:
    if said.rstrip("/") == named.rstrip("/"):
        return ": a slash at the end"
    if said.partition(":")[2] == named.partition(":")[2]:
        return ": http and https"
    first, second = split(said), split(named)
    if first and second and first.path == second.path and first.hostname != second.hostname:
        return ": another host"
    return ""


def _judge_code_flow(chain: Chain, hop: Hop) -> None:
    missing = [name for name in _NEEDED if not isinstance(chain.server.get(name), str)]
    if missing:
        hop.fault("AS-ENDPOINTS", f"absent: {', '.join(missing)}")
    endpoints = [value for name, value in chain.server.items() if name.endswith(("_endpoint", "jwks_uri"))]
    parts = [split(value) for value in endpoints if isinstance(value, str)]
    clear = sorted(
        {origin_of(part) for part in parts if part and part.scheme == "http" and not _is_local(part.hostname)}
    )
    if clear:
        hop.fault("AS-TLS", f"endpoints at {', '.join(clear)}")
    if "S256" not in words(chain.server.get("code_challenge_methods_supported")):
        said = chain.server.get("code_challenge_methods_supported")
        hop.fault("AS-PKCE", f"code_challenge_methods_supported is {said!r}")
    if chain.server.get("authorization_response_iss_parameter_supported") is not True:
        hop.fault("AS-ISS", "authorization_response_iss_parameter_supported is not true")


def _judge_scopes(chain: Chain, hop: Hop) -> None:
    known = words(chain.server.get("scopes_supported"))
    unknown = sorted({*chain.asked_scopes, *words(chain.resource.get("scopes_supported"))} - set(known))
    if known and unknown:
        hop.fault("AS-SCOPES", f"unknown there: {', '.join(unknown)}")


def _note_facts(chain: Chain) -> None:
    scopes = words(chain.server.get("scopes_supported"))
    if chain.server.get("client_id_metadata_document_supported") is True:
        chain.facts.add("client id metadata documents")
    if "offline_access" in scopes:
        chain.facts.add("offline_access announced")
    if not {"openid", "email", "profile"} <= set(scopes):
        chain.facts.add("no profile scopes")
    if chain.server.get("registration_endpoint"):
        chain.facts.add("registration endpoint")


def _summary(server: Mapping[str, Any]) -> str:
    methods = "/".join(words(server.get("code_challenge_methods_supported"))) or "none"
    ways = ["registration"] if server.get("registration_endpoint") else []
    ways += ["client id documents"] if server.get("client_id_metadata_document_supported") is True else []
    return f"PKCE {methods}, {' and '.join(ways) or 'no registration'}"


def _is_local(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1") or (host or "").endswith(".localhost")
