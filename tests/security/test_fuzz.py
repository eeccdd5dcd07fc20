"""Fuzz, quick form: 5,000 cases in every run, the same ones each time; tests/long has 200,000."""

import json
import random
from typing import Any

import pytest

from tests.security.conftest import Bench
from tests.security.fuzzing import compare_with_oracle, show_to_guard
from tests.security.steps import make
from tests.security.wire import call_echo, request
from tests.support.http import message

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS", "RFC8725-3.1")


def test_nothing_is_accepted_that_the_oracle_refuses() -> None:
    counts = compare_with_oracle(3600)
    assert counts["accepted"] > 300, counts
    assert len(counts) > 10, counts  # most reasons were met


def test_no_presentation_breaks_the_guard() -> None:
    counts = show_to_guard(1000)
    assert {"200", "400", "401"} <= counts.keys(), counts


def test_no_bytes_break_the_service(bench: Bench) -> None:
    """400 requests over HTTP with bytes replaced anywhere in the header section; the service answers or hangs up."""
    dice = random.Random(7)  # noqa: S311 - the same cases in every run
    target, headers, body = call_echo("rest")
    for _ in range(400):
        token = make(dice.choice(("ES256", "EdDSA")), [], bench.service.world)
        good = b"Authorization: Bearer " + token.encode()
        line = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            line[dice.randrange(len(line))] = dice.choice((0, 9, 10, 13, 32, 46, 58, 61, 65, 127, 128, 255))
        data = request("POST", target, [*headers, bytes(line)], body, host=bench.service.host)
        answer = bench.exchange(data, token)
        assert answer.status in ((200,) if line == good else (0, 400, 401)), (answer, bytes(line))
    assert bench.service.status("/livez") == 200


METHODS = (
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "resources/read",
    "prompts/get",
    "server/discover",
    "x",
    "",
)
NAMES = ("name", "arguments", "_meta", "text", "cursor", "io.modelcontextprotocol/protocolVersion", "x", "")
LEAVES = (None, True, 0, -1, 1.5, 10**30, "", "x", "echo", "tools/call", "2026-07-28", "2025-11-25", "\0", "\u202e")


def odd(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(4 if depth < 3 else 2)
    if kind < 2:
        return dice.choice(LEAVES)
    if kind == 2:
        return [odd(dice, depth + 1) for _ in range(dice.randrange(3))]
    return {dice.choice(NAMES): odd(dice, depth + 1) for _ in range(dice.randrange(4))}


@pytest.mark.parametrize("seed", range(4))
def test_no_body_breaks_the_service(bench: Bench, seed: int) -> None:
    """100 messages each, changed in up to three places, with a good token: judged by the guard or by what is behind."""
    dice = random.Random(seed)  # noqa: S311 - the same cases in every run
    token = make("EdDSA", [], bench.service.world)
    for _ in range(100):
        parameters = {"name": "echo", "arguments": {"text": "x"}}
        body, own = message(dice.choice(METHODS), parameters, dice.choice(("2026-07-28", "2025-11-25")))
        for _ in range(dice.randint(1, 3)):
            part = dice.choice((body, body.get("params")))
            if isinstance(part, dict):
                part[dice.choice([*part, "id", "method", "params", "_meta", "result"])] = odd(dice)
        lines = [f"{name}: {value}".encode() for name, value in own.items() if dice.random() < 0.9]
        lines += [b"Content-Type: application/json", b"Authorization: Bearer " + token.encode()]
        target = dice.choice(("/mcp", "/mcp", "/api/v1/tools/echo", "/api/v1/tools/calculate"))
        data = request("POST", target, lines, json.dumps(body).encode(), host=bench.service.host)
        answer = bench.exchange(data, token)
        assert 200 <= answer.status < 500, (answer, data)
