"""Hop protected resource metadata (RFC 9728): which server is this, and who issues its tokens."""

from ops.doctor.chain import Chain, Hop, words
from ops.doctor.fetch import split

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_PAGE = "https://page.example"


async def check(chain: Chain) -> Hop:
    """Fetch the metadata in the order of a client: the challenge's URL, the path-inserted one, the root."""
    hop = Hop("protected resource metadata")
    if not chain.reached:
        return hop.skip("the server does not answer")
    named = chain.challenge.resource_metadata if chain.challenge else ""
    inserted = chain.origin + WELL_KNOWN + chain.path
    candidates = list(dict.fromkeys(url for url in (named, inserted, chain.origin + WELL_KNOWN) if url))
    answers = [await chain.fetcher.send("GET", url, {"Origin": _PAGE}) for url in candidates]
    if named and answers[0].json() is None:
        hop.fault("PRM-CHALLENGE", f"{named}: {answers[0].said()}{_no_json(answers[0].status)}")
        if "inner network" in answers[0].problem:
            hop.fault("REDIRECT-INNER", f"resource_metadata is {named}")
    answer = next((answer for answer in answers if answer.json() is not None), None)
    if answer is None:
        hop.fault("PRM-NONE", "; ".join(f"{got.url}: {got.said()}{_no_json(got.status)}" for got in answers))
        return hop
    chain.resource = answer.json() or {}
    hop.seen = f"{answer.url}: resource {chain.resource.get('resource')}"
    _judge_resource(chain, hop)
    _judge_servers(chain, hop)
    scopes = words(chain.resource.get("scopes_supported"))
    if "offline_access" in scopes:
        hop.fault("OFFLINE-SCOPE", f"scopes_supported: {' '.join(scopes)}")
    if scopes == ["openid"]:
        hop.fault("FASTMCP-DEFAULTS", "scopes_supported: openid")
    if not answer.headers.get("access-control-allow-origin"):
        hop.fault("PRM-CORS", "no Access-Control-Allow-Origin")
    return hop


def _judge_resource(chain: Chain, hop: Hop) -> None:
    resource = chain.resource.get("resource")
    if not isinstance(resource, str) or not (_same(resource, chain.url) or _same(resource, chain.given)):
        hop.fault("PRM-RESOURCE", f"resource is {resource!r}, the URL is {chain.url}")
    if resource is None:
        chain.facts.add("metadata without resource")


def _judge_servers(chain: Chain, hop: Hop) -> None:
    servers = words(chain.resource.get("authorization_servers"))
    if not servers or split(servers[0]) is None:
        hop.fault("PRM-SERVERS", f"authorization_servers is {chain.resource.get('authorization_servers')!r}")
        return
    chain.issuer = servers[0]
    others = f" and {len(servers) - 1} more" if len(servers) > 1 else ""
    hop.seen += f", authorization server {chain.issuer}{others}"


def _same(left: str, right: str) -> bool:
    """Compare as RFC 3986 section 6.2.2.1 and RFC 9728 allow: case of scheme and host, nothing else."""
    first, second = split(left), split(right)
    if first is None or second is None:
        return False
    if first.path in ("", "/") and second.path in ("", "/"):
        first, second = first._replace(path=""), second._replace(path="")
    return first._replace(scheme=first.scheme.lower(), netloc=first.netloc.lower()) == second._replace(
        scheme=second.scheme.lower(), netloc=second.netloc.lower()
    )


def _no_json(status: int) -> str:
    return " without a JSON object" if status == 200 else ""
