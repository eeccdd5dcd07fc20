"""Hop DNS: does the name have addresses, and of which kind (RFC 1034)."""

from urllib.parse import urlsplit

from ops.doctor.addresses import Unresolved, kind_of
from ops.doctor.chain import Chain, Hop


async def check(chain: Chain) -> Hop:
    """Resolve the name of the MCP server; what later hops may reach follows from its addresses."""
    return await look_up(chain, chain.url, Hop("DNS"), is_target=True)


async def check_server(chain: Chain) -> Hop:
    """Resolve the name of the authorization server."""
    hop = Hop("DNS of the authorization server")
    if not chain.issuer:
        return hop.skip("no authorization server is known")
    if urlsplit(chain.issuer).hostname == urlsplit(chain.url).hostname:
        return hop.skip("the same name as the MCP server")
    return await look_up(chain, chain.issuer, hop)


async def look_up(chain: Chain, url: str, hop: Hop, is_target: bool = False) -> Hop:
    """Resolve the host of a URL."""
    parts = urlsplit(url)
    try:
        addresses = await chain.fetcher.addresses(parts)
    except Unresolved as error:
        hop.fault("DNS-NONE", f"{parts.hostname}: {error}")
        return hop
    if is_target:
        chain.fetcher.target = addresses
    hop.seen = f"{parts.hostname} is {', '.join(f'{address} ({kind_of(address)})' for address in addresses)}"
    return hop
