"""The way of a client, hop by hop, within a bounded time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ops.doctor.chain import Chain, Hop
from ops.doctor.hops import (
    authorization_server,
    browser,
    challenge,
    clock,
    dns,
    jwks,
    metadata,
    redirect,
    registration,
    tls,
    token,
)

WHOLE_S: Final = 120.0

# In the order of a client; each reads what the ones before it left in the chain.
HOPS: Final[tuple[tuple[str, Callable[[Chain], Awaitable[Hop]]], ...]] = (
    ("DNS", dns.check),
    ("TLS", tls.check),
    ("redirect", redirect.check),
    ("challenge", challenge.check),
    ("protected resource metadata", metadata.check),
    ("DNS of the authorization server", dns.check_server),
    ("TLS of the authorization server", tls.check_server),
    ("authorization server metadata", authorization_server.check),
    ("JWKS", jwks.check),
    ("token", token.check),
    ("CORS", browser.check_cors),
    ("Host and Origin", browser.check_origin),
    ("clocks", clock.check),
    ("registration", registration.check),
)


async def walk(chain: Chain, told: Callable[[Hop], None], whole_s: float = WHOLE_S) -> list[Hop]:
    """Look at each hop and return what was seen.

    Args:
        chain: where the way begins.
        told: called with each hop as soon as it was looked at.
        whole_s: seconds for all of them; what is not reached by then is not looked at.
    """
    hops: list[Hop] = []
    end = asyncio.get_running_loop().time() + whole_s
    for name, check in HOPS:
        try:
            async with asyncio.timeout_at(end):
                hop = await check(chain)
        except TimeoutError:
            hop = Hop(name)
            if not any(finding.id == "SLOW" for seen in hops for finding in seen.findings):
                hop.fault("SLOW", f"the whole way took longer than {whole_s:g} s")
            hop.skip("out of time")
        hops.append(hop)
        told(hop)
    return hops
