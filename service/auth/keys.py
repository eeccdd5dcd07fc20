"""The keys of the authorization server: discovered, fetched, kept fresh, and kept through an outage.

OpenID Connect Discovery 1.0 section 4 and RFC 7517 section 5. Four rules hold always:
a key at hand never waits for the network; a failed or broken answer never shrinks a good set; unknown key ids cannot
make us flood the authorization server; an outage is `KeysUnavailable`, never a refusal.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx
import structlog
from aiocache.base import BaseCache  # type: ignore[import-untyped]

from service.auth.ask import AnswerTooLarge, ask
from service.auth.errors import KeysUnavailable
from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey, import_keys
from service.telemetry.events import Event

FETCH_SECONDS: Final = 3.0
MAX_STALE_SECONDS: Final = 4 * 3600
RETRY_AFTER_SECONDS: Final = 5
# An unknown key id may cause 2 fetches at once and one every 30 s after that; it waits at most 2 s for its turn.
UNKNOWN_KID_BURST: Final = 2
UNKNOWN_KID_REFILL_SECONDS: Final = 30.0
UNKNOWN_KID_WAIT_SECONDS: Final = 2.0
_CACHE_KEY: Final = "secure-mcp:jwks"

log = structlog.get_logger(__name__)


class FetchFailed(Exception):
    """The authorization server gave no usable key set; the text is a short reason for the log."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys by `kid`, and when they were fetched (steady seconds: a clock that is set makes no set older)."""

    keys: Mapping[str, VerificationKey]
    fetched_at: float


@dataclass(slots=True)
class KeyStatistics:
    """How keys were had, for metrics. `fetched_at` is in seconds since the epoch, 0 before the first set."""

    successes: int = 0
    failures: int = 0
    dropped: int = 0
    keys: int = 0
    fetched_at: float = 0.0


class JwksKeySource:
    """Keeps the verification keys of one issuer.

    Args:
        issuer: the exact issuer; discovery must return the very same string (RFC 8414 section 3.3).
        internal_url: where the issuer is reached from here, when that differs from its public URL.
        ttl: seconds until a set is due for renewal; renewal begins at four fifths of it.
        cache: shares the last good set between processes and over restarts; memory of the process by default.
        algorithms: allowed values of `alg`.
        on_metadata: told the issuer's metadata at each fetch.
        transport: for tests.
        clock: seconds since the epoch, for what processes share.
        steady: seconds that only go on, for the age of a set.
    """

    def __init__(
        self,
        *,
        issuer: str,
        internal_url: str | None,
        ttl: int,
        cache: BaseCache,
        algorithms: Sequence[str] = SUPPORTED_ALGORITHMS,
        on_metadata: Callable[[Mapping[str, Any]], None] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._base = internal_url or issuer
        self._ttl = ttl
        self._cache = cache
        self._algorithms = tuple(algorithms)
        self._clock = clock
        self._steady = steady
        self._on_metadata = on_metadata
        self._client = httpx.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False, transport=transport)
        self._set: KeySet | None = None
        self._shared_at = 0.0
        """When the newest set that this process shared, or took from there, was fetched (seconds since the epoch)."""
        self._dropped: list[tuple[str, str]] = []
        self._epoch = 0
        self._fetch: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._began_at = 0.0
        self._failed = False
        self._permits = float(UNKNOWN_KID_BURST)
        self._permits_at = time.monotonic()
        self.statistics = KeyStatistics()

    @property
    def ready(self) -> bool:
        """Whether there are keys, fresh or stale, that may still be used."""
        return self._set is not None and self._steady() - self._set.fetched_at <= MAX_STALE_SECONDS

    @property
    def epoch(self) -> int:
        """A number that changes whenever a key comes or goes."""
        return self._epoch

    async def start(self) -> None:
        """Take the shared set if there is one, and begin to renew it."""
        await self._load_shared()
        self._renewal = asyncio.create_task(self._renew_for_ever())

    async def stop(self) -> None:
        """Stop renewing and close connections."""
        for task in (self._renewal, self._fetch):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._client.aclose()
        await self._cache.close()

    async def key(self, kid: str) -> VerificationKey | None:
        """Return the key with this id.

        Args:
            kid: the `kid` of a token, so anything a stranger may write.

        Returns:
            The key, or None when the authorization server has none such.

        Raises:
            KeysUnavailable: nothing can be said now.
        """
        if self._set is not None and self.ready and (key := self._set.keys.get(kid)):
            return key
        asked_at = time.monotonic()
        if not self.ready:
            await self._fetch_once()
        else:
            # A fetch that began before the question may have missed the key.
            while kid not in self._set_keys() and self._began_at < asked_at:
                if not await self._permitted_fetch(asked_at + UNKNOWN_KID_WAIT_SECONDS):
                    break
        if not self.ready or self._set is None:
            raise KeysUnavailable(RETRY_AFTER_SECONDS)
        key = self._set.keys.get(kid)
        if key is None and self._failed:
            raise KeysUnavailable(RETRY_AFTER_SECONDS)  # nobody could be asked: the key may well be genuine
        return key

    def _set_keys(self) -> Mapping[str, VerificationKey]:
        return self._set.keys if self._set is not None else {}

    async def _permitted_fetch(self, deadline: float) -> bool:
        """Fetch as soon as the token bucket allows, or say False when that is after the deadline (monotonic seconds).

        Everybody who asks meanwhile waits for the same fetch.
        """
        if self._fetch is None or self._fetch.done():
            now = time.monotonic()
            refilled = self._permits + (now - self._permits_at) / UNKNOWN_KID_REFILL_SECONDS
            self._permits, self._permits_at = min(float(UNKNOWN_KID_BURST), refilled), now
            wait = max(0.0, (1.0 - self._permits) * UNKNOWN_KID_REFILL_SECONDS)
            if now + wait > deadline:
                return False
            self._permits -= 1.0
            await self._fetch_once(wait)
        else:
            await self._fetch_once()
        return True

    async def _fetch_once(self, wait: float = 0.0) -> None:
        """Join the fetch under way or begin one after `wait` seconds; returns when it ended, well or badly."""
        if self._fetch is None or self._fetch.done():
            self._fetch = asyncio.create_task(self._fetch_and_keep(wait))
        await asyncio.shield(self._fetch)

    async def _renew_for_ever(self) -> None:
        failures = 0
        while True:
            before = self._set
            due = 0.0 if before is None else before.fetched_at + 0.8 * self._ttl - self._steady()
            if failures:
                due = min(2.0**failures, 30.0) if self.ready else 1.0
            await asyncio.sleep(max(due, 0.0) * random.uniform(0.9, 1.1))  # noqa: S311 - spreads workers, no secret
            await self._fetch_once()
            failures = failures + 1 if self._set is before else 0

    async def _fetch_and_keep(self, wait: float) -> None:
        if wait:
            await asyncio.sleep(wait)
        self._began_at = time.monotonic()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = await self._download()
        except Exception as error:  # noqa: BLE001 - whatever it is: who stops to fetch ends with keys that are too old
            reason = str(error) if isinstance(error, FetchFailed) else type(error).__name__
            log.warning(Event.JWKS_FETCH_FAILED, reason=reason, keys_at_hand=self._set is not None)
            self._failed = True
            self.statistics.failures += 1
            await self._load_shared()
            return
        self._failed = False
        self.statistics.successes += 1
        self._keep(document, self._steady())
        await self._share(document)

    async def _download(self) -> Any:
        metadata = await self._get(f"{self._base}/.well-known/openid-configuration")
        if isinstance(metadata, dict) and self._on_metadata is not None:
            self._on_metadata(metadata)
        if not isinstance(metadata, dict) or metadata.get("issuer") != self._issuer:
            raise FetchFailed("another_issuer")
        jwks_uri = metadata.get("jwks_uri")
        if not isinstance(jwks_uri, str):
            raise FetchFailed("no_jwks_uri")
        for base in (self._issuer, self._base):  # never follow a URL to another host
            if jwks_uri.startswith(f"{base}/"):
                document = await self._get(self._base + jwks_uri.removeprefix(base))
                break
        else:
            raise FetchFailed("foreign_jwks_uri")
        if not import_keys(document, self._algorithms)[0]:
            raise FetchFailed("no_usable_key")
        return document

    async def _get(self, url: str) -> Any:
        try:
            status, body = await ask(self._client, "GET", url)
        except AnswerTooLarge:
            raise FetchFailed("too_large") from None
        if status != httpx.codes.OK:
            raise FetchFailed(f"status_{status}")
        return json.loads(body.decode("utf-8"))

    def _keep(self, document: object, fetched_at: float) -> None:
        """Take a set over unless it is older than ours (steady seconds) or has no usable key."""
        if self._set is not None and fetched_at < self._set.fetched_at:
            return
        keys, dropped = import_keys(document, self._algorithms)
        if not keys:
            return
        if dropped != self._dropped:
            self._dropped = dropped
            self.statistics.dropped += len(dropped)
            for kid, reason in dropped:
                log.info(Event.JWK_DROPPED, kid=kid, reason=reason)
        if self._set is None or self._set.keys != keys:
            log.info(Event.JWKS_CHANGED, keys=sorted(keys))
            self._epoch += 1
        self._set = KeySet(keys, fetched_at)
        self.statistics.keys = len(keys)
        self.statistics.fetched_at = self._clock() - (self._steady() - fetched_at)

    async def _load_shared(self) -> None:
        """Take the set that another process has fetched, if it is newer."""
        try:
            shared = await self._cache.get(_CACHE_KEY)
            if shared:
                entry = json.loads(shared)
                fetched_at = float(entry["fetched_at"])
                age = self._clock() - fetched_at
                # What is known already would be taken for younger once the clock was set back.
                if entry["issuer"] == self._issuer and age >= 0 and fetched_at > self._shared_at:
                    self._keep(entry["document"], self._steady() - age)
                    self._shared_at = fetched_at
        except Exception as error:  # noqa: BLE001 - the cache is a convenience: without it we fetch
            log.warning(Event.JWKS_CACHE_FAILED, operation="get", error=type(error).__name__)

    async def _share(self, document: object) -> None:
        self._shared_at = self._clock()
        entry = {"issuer": self._issuer, "fetched_at": self._shared_at, "document": document}
        try:
            await self._cache.set(_CACHE_KEY, json.dumps(entry), ttl=MAX_STALE_SECONDS)
        except Exception as error:  # noqa: BLE001 - the cache is a convenience: the set is in memory already
            log.warning(Event.JWKS_CACHE_FAILED, operation="set", error=type(error).__name__)
