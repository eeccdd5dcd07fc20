"""The validator in this process, with the keys of the ring and without a network, for what needs very many tokens."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey, import_keys
from service.auth.token import Caller, TokenValidator
from service.contract import Contract, load_contract
from tests.security.draft import World
from tests.security.keyring import published
from tests.security.steps import make

WORLD = World(
    iss="http://localhost:8080/realms/mcp-realm",
    aud="http://localhost:8000/mcp",
    canary="localhost:9",
    origin="http://localhost:8000",
)
LEEWAY = 30
MAX_LIFETIME = 3600


class Keys:
    """The keys of the ring; `away` is an outage."""

    def __init__(self, document: object = None) -> None:
        keys, self.dropped = import_keys(document or {"keys": list(published())}, SUPPORTED_ALGORITHMS)
        self.keys: dict[str, VerificationKey] = keys
        self.away = False
        self.epoch = 0

    @property
    def ready(self) -> bool:
        return not self.away

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def key(self, kid: str) -> VerificationKey | None:
        if self.away:
            raise KeysUnavailable(5)
        return self.keys.get(kid)


@cache
def contract() -> Contract:
    """Return the access contract."""
    return load_contract()


def validator(clock: Callable[[], float] | None = None, keys: Keys | None = None, **options: Any) -> TokenValidator:
    """Return a validator of the world; it remembers nothing unless told to."""
    settings: dict[str, Any] = {"algorithms": SUPPORTED_ALGORITHMS, "cache_seconds": 0, "max_lifetime": MAX_LIFETIME}
    if clock:
        settings["clock"] = clock
    settings |= {"issuer": WORLD.iss, "audience": WORLD.aud, "leeway": LEEWAY, "contract": contract()}
    return TokenValidator(**{**settings, "keys": keys or Keys(), **options})


def verdict(judge: TokenValidator, token: str) -> str | Caller:
    """Return the caller, or the reason of the refusal; any other exception fails the test that asked."""
    try:
        coroutine = judge.validate(token)
        return _run(coroutine)
    except TokenRefused as refused:
        return refused.reason
    except KeysUnavailable:
        return "keys_unavailable"


def _run(coroutine: Any) -> Any:
    """Run a coroutine that never waits, without an event loop: some hundred thousand times a minute."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    return asyncio.run(coroutine)


def token(algorithm: str, *steps: dict[str, Any]) -> str:
    """Return a token of the world."""
    sequence: Sequence[dict[str, Any]] = steps
    return make(algorithm, sequence, WORLD)
