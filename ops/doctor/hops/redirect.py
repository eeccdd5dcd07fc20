"""Hop redirect: the URL that clients are given should be the one that answers (RFC 9110 section 15.4)."""

from urllib.parse import urljoin, urlsplit

from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import Answer
from ops.doctor.probe import initialize

_MOST = 5


async def check(chain: Chain) -> Hop:
    """Send a first request without a token, follow where it leads, and try plain http where the URL is https."""
    hop = Hop("redirect")
    answer = await initialize(chain)
    if not answer.status:
        name = "SLOW" if "within" in answer.problem else "CONNECT-NONE"
        hop.fault(name, answer.problem)
        return hop
    chain.reached = True
    await _follow(chain, hop, answer)
    if urlsplit(chain.url).scheme == "https" and urlsplit(chain.url).port in (None, 443):
        await _try_plain(chain, hop)
    hop.seen = hop.seen or "none"
    return hop


async def _follow(chain: Chain, hop: Hop, answer: Answer) -> None:
    steps = [chain.url]
    while answer.status in (301, 302, 303, 307, 308):
        target = _target(steps[-1], answer.headers.get("location", ""))
        steps.append(target)
        if target in steps[:-1] or len(steps) > _MOST:
            hop.fault("REDIRECT-LOOP", " to ".join(steps))
            return
        answer = await initialize(chain, url=target)
        if "inner network" in answer.problem:
            hop.fault("REDIRECT-INNER", f"{steps[-2]} to {target}")
            return
    if len(steps) > 1:
        hop.fault("REDIRECT", " to ".join(steps))
        if answer.status and urlsplit(steps[-1]).netloc == urlsplit(chain.url).netloc:
            chain.url = steps[-1]  # the rest of the way is looked at where it ends
    chain.bare = answer


def _target(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return location


async def _try_plain(chain: Chain, hop: Hop) -> None:
    """See what plain http does; a closed port and a redirect are both right."""
    parts = urlsplit(chain.url)
    plain = parts._replace(scheme="http", netloc=parts.hostname or "").geturl()
    answer = await initialize(chain, url=plain)
    location = answer.headers.get("location", "")
    if answer.status in (301, 302, 307, 308) and location.startswith("https://"):
        hop.seen = f"{plain} leads to https"
    elif answer.status in (200, 401):
        hop.fault("HTTP-SERVED", f"{plain} answers {answer.said()}")
