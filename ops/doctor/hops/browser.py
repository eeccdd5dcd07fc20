"""Hops CORS and Host/Origin: what a page in a browser may do, and what it may not (Fetch; MCP Streamable HTTP)."""

from ops.doctor.chain import Chain, Hop
from ops.doctor.probe import PROTOCOL, initialize

EVIL_ORIGIN = "https://evil.example"
EVIL_HOST = "evil.example"
_ASKED = ("authorization", "content-type", "mcp-protocol-version")


async def check_cors(chain: Chain) -> Hop:
    """Play a page of the wished origin: preflight, then a request without a token."""
    hop = Hop("CORS")
    if chain.bare is None or not chain.bare.status:
        return hop.skip("the server does not answer")
    origin = chain.wishes.origin or chain.origin
    answer = await initialize(chain, {"Origin": origin})
    allowed = answer.headers.get("access-control-allow-origin", "")
    if allowed not in ("*", origin):
        hop.fault("CORS-NONE", f"Origin: {origin} gets no Access-Control-Allow-Origin")
        return hop
    hop.seen = f"{origin} may call"
    exposed = {name.strip().lower() for name in answer.headers.get("access-control-expose-headers", "").split(",")}
    if answer.status == 401 and "www-authenticate" not in exposed:
        hop.fault("CORS-EXPOSE", f"Access-Control-Expose-Headers: {', '.join(sorted(exposed - {''})) or 'absent'}")
    await _preflight(chain, hop, origin)
    foreign = await initialize(chain, {"Origin": EVIL_ORIGIN})
    if foreign.headers.get("access-control-allow-origin", "") in ("*", EVIL_ORIGIN):
        hop.fault("CORS-ANY", f"Origin: {EVIL_ORIGIN} is allowed")
    return hop


async def _preflight(chain: Chain, hop: Hop, origin: str) -> None:
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ",".join(_ASKED),
    }
    answer = await chain.fetcher.send("OPTIONS", chain.url, asks)
    allowed = {name.strip().lower() for name in answer.headers.get("access-control-allow-headers", "").split(",")}
    # The star does not cover Authorization (Fetch, section 3.3.3).
    missing = [name for name in _ASKED if name not in allowed and ("*" not in allowed or name == "authorization")]
    if not 200 <= answer.status < 300 or missing:
        hop.fault("CORS-PREFLIGHT", f"{answer.said()}, not allowed: {', '.join(missing) or 'nothing'}")


async def check_origin(chain: Chain) -> Hop:
    """Lie about Origin and about Host; both lies must be refused before anything else is looked at."""
    hop = Hop("Host and Origin")
    if chain.bare is None or not chain.bare.status:
        return hop.skip("the server does not answer")
    token = chain.wishes.token if "token accepted" in chain.facts else ""
    with_token = " with a valid token" if token else ""
    usual = 200 if token else chain.bare.status
    origin = await initialize(chain, {"Origin": EVIL_ORIGIN}, token)
    if origin.status == usual:
        hop.fault("ORIGIN", f"Origin: {EVIL_ORIGIN}{with_token} is answered like no Origin: HTTP {origin.status}")
    host = await initialize(chain, {"Host": EVIL_HOST}, token)
    if host.status == usual:
        hop.fault("HOST", f"Host: {EVIL_HOST}{with_token} is answered like the server's own: HTTP {host.status}")
    hop.seen = f"foreign Origin: {origin.said()}, foreign Host: {host.said()} (protocol {PROTOCOL}{with_token})"
    return hop
