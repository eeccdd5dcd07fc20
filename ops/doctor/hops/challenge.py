"""Hop challenge: 401 with a Bearer challenge that says where to log in (RFC 6750 section 3, RFC 9728 section 5.1)."""

from ops.challenge import parse_challenge
from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import Answer
from ops.doctor.probe import initialize

_GARBAGE = "doctor.sends.garbage"


async def check(chain: Chain) -> Hop:
    """Judge the answer to a request without a token, and to one with a token that is none."""
    hop = Hop("challenge")
    if chain.bare is None or not chain.bare.status:
        return hop.skip("the server does not answer")
    hop.seen = chain.bare.said()
    _judge_bare(chain, hop, chain.bare)
    answer = await initialize(chain, token=_GARBAGE)
    if answer.status >= 500:
        hop.fault("CHALLENGE-5XX", f"HTTP {answer.status} for the token `{_GARBAGE}`")
    elif answer.status in (200, 202) and chain.bare.status == 401:
        hop.fault("CHALLENGE-GARBAGE", f"HTTP {answer.status} for the token `{_GARBAGE}`")
    return hop


def _judge_bare(chain: Chain, hop: Hop, bare: Answer) -> None:
    if bare.status in (200, 202):
        hop.fault("CHALLENGE-OPEN", f"initialize without a token: HTTP {bare.status}")
        return
    if bare.status != 401:
        hop.fault("CHALLENGE-STATUS", f"HTTP {bare.status}")
        return
    headers = [value for value in bare.headers.get_list("www-authenticate") if value.lower().startswith("bearer")]
    if not headers:
        other = bare.headers.get("www-authenticate", "")
        hop.fault("CHALLENGE-NONE", f"HTTP 401, WWW-Authenticate: {other[:80] or 'absent'}")
        return
    challenge = chain.challenge = parse_challenge(bare.status, headers[0])
    hop.seen = (
        f"HTTP 401, scope {challenge.scope or 'not named'}, metadata {challenge.resource_metadata or 'not named'}"
    )
    if not challenge.resource_metadata:
        hop.fault("CHALLENGE-METADATA", headers[0])
    if not challenge.scope:
        hop.fault("CHALLENGE-SCOPE", headers[0])
        chain.facts.add("challenge without scope")
    if challenge.error:
        hop.fault("CHALLENGE-ERROR", f'error="{challenge.error}"')
    if "offline_access" in challenge.scope.split():
        hop.fault("OFFLINE-SCOPE", f'scope="{challenge.scope}"')
