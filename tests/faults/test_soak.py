"""Good and hostile calls for a while: every answer is the right one, and memory does not grow."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.faults.conftest import Measure
from tests.faults.drills import LONG
from tests.faults.ground import Ground
from tests.support.hostile import HOSTILE_BODIES
from tests.support.http import bearer, message
from tests.support.load import token_of_unknown_key
from tests.support.oauth import base64url

SECONDS = 1200 if LONG else 60
WARM_S = 300 if LONG else 15
RENEW_S = 120

pytestmark = pytest.mark.requirement("FAULT-SOAK")

Hostile = tuple[str, dict[str, str], bytes, frozenset[int]]


def hostile(token: Callable[[], str]) -> Iterator[Hostile]:
    """Yield name, headers, body and allowed answers, for ever; `token` gives one that may read and no more."""
    body, headers = message("tools/call", {"name": "echo", "arguments": {"text": "x"}})
    content, headers = _json(body), headers | {"Content-Type": "application/json"}
    refused = frozenset({401})
    for number in itertools.count():
        good = token()
        head, payload, signature = good.split(".")
        none = ".".join([base64url(b'{"alg":"none"}'), payload, ""])
        tokens = {
            "unknown key": token_of_unknown_key(),
            "no signature": none,
            "a signature of zeros": f"{head}.{payload}.{'A' * len(signature)}",
            "another payload": f"{head}.{base64url(b'%d' % number)}.{signature}",
            "no token at all": "x" * (1 + number % 7000),
        }
        for name, made_up in tokens.items():
            yield name, headers | bearer(made_up), content, refused
        yield "no credentials", headers, content, refused
        names = list(HOSTILE_BODIES)
        name = names[number % len(names)]
        yield name, headers | bearer(good), HOSTILE_BODIES[name], frozenset({200, 202, 400, 403, 404, 413, 415})
        more, own = message("tools/call", {"name": "calculate", "arguments": {"expression": "1"}})
        yield (
            "a scope too few",
            own | {"Content-Type": "application/json"} | bearer(good),
            _json(more),
            frozenset({403}),
        )


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def resident(place: Ground) -> int:
    """Return the resident bytes of gunicorn and its workers."""
    return sum(process.memory_info().rss for process in [place.service.master, *place.service.workers()])


def test_soak(place: Ground, drill: Measure) -> None:
    measure, answers, wrong = drill("soak"), Counter[int](), []
    workers = {worker.pid for worker in place.service.workers()}
    begin = renewed = time.monotonic()
    warm = ended = 0
    with place.load(rate=60) as load, httpx.Client(verify=place.edge.trust, trust_env=False, timeout=30) as client:
        tokens = [place.keycloak.token()]
        for name, headers, body, allowed in hostile(lambda: tokens[-1]):
            try:
                answer = client.post(f"{place.edge.origin}/mcp", headers=headers, content=body)
            except httpx.RemoteProtocolError:
                ended += 1  # RFC 9112 section 9.3.1: a kept connection may end at any time
                continue
            answers[answer.status_code] += 1
            if answer.status_code not in allowed:
                wrong.append(f"{name}: {answer.status_code}")
            now = time.monotonic()
            if not warm and now > begin + WARM_S:
                warm = resident(place)
            if now > renewed + RENEW_S:
                tokens.append(place.keycloak.token())
                load.use(tokens[-1])
                renewed = now
            if now > begin + SECONDS:
                break
        after = resident(place)
    assert {worker.pid for worker in place.service.workers()} == workers
    print(f"hostile answers {dict(answers)}, wrong {wrong[:10]}")
    measure.measured(
        failed=load.failed(),
        wrong=len(wrong),
        server_errors=sum(count for status, count in answers.items() if status >= 500),
        memory_growth_percent=100 * (after - warm) / warm,
        good_calls=len(load.calls),
        hostile_calls=sum(answers.values()),
        ended_percent=100 * ended / (ended + sum(answers.values())),
        resident_mib=after / 2**20,
    )
