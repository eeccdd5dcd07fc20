"""Hop clocks: the servers' beside each other and beside this machine's, by Date (RFC 9110 section 6.6.1).

Keycloak itself sends no Date, a proxy in front of it does. A token tells at least when Keycloak's clock is ahead: it
was issued before it was looked at.
"""

import time
from email.utils import parsedate_to_datetime

from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import Answer

# A Date has whole seconds, and an answer takes a moment.
ALLOWED_S = 5.0


async def check(chain: Chain) -> Hop:
    """Compare the clocks."""
    hop = Hop("clocks")
    server = _ahead(chain.bare)
    issuer = _ahead(chain.server_answer)
    if server is None and issuer is None:
        return hop.skip("no answer carries a Date")
    named = [("MCP server", server), ("authorization server", issuer)]
    hop.seen = ", ".join(f"{name} {ahead:+.0f} s" for name, ahead in named if ahead is not None)
    hop.seen += " against this machine"
    if server is not None and issuer is not None and abs(server - issuer) > ALLOWED_S:
        hop.fault("CLOCK", f"the authorization server is {issuer - server:+.0f} s from the MCP server")
    if server is not None and chain.issued is not None:
        early = chain.issued - (time.time() + server)
        if early > ALLOWED_S:
            hop.fault("CLOCK", f"the token was issued {early:.0f} s ahead of the MCP server's clock")
    known = [ahead for ahead in (server, issuer) if ahead is not None]
    if min(abs(ahead) for ahead in known) > ALLOWED_S:
        hop.fault("CLOCK-LOCAL", f"{hop.seen}")
    return hop


def _ahead(answer: Answer | None) -> float | None:
    """Return how many seconds a server's clock is ahead of ours; a cached answer carries the Date of another time."""
    if answer is None or not (date := answer.headers.get("date")) or "age" in answer.headers:
        return None
    try:
        return parsedate_to_datetime(date).timestamp() - answer.received + 0.5
    except (ValueError, OverflowError):
        return None
