"""What workers share, in Redis: keys, revocations, counts of requests; a single worker keeps them in its memory."""

from typing import Final
from urllib.parse import unquote, urlsplit

from aiocache import SimpleMemoryCache  # type: ignore[import-untyped]
from aiocache.backends.redis import RedisCache  # type: ignore[import-untyped]
from aiocache.base import BaseCache  # type: ignore[import-untyped]
from aiocache.serializers import StringSerializer  # type: ignore[import-untyped]
from redis.asyncio import Redis

# A cache that is slower than this is no help: the keys can be fetched.
TIMEOUT_SECONDS: Final = 0.5
# Longer than a read of the stream of revocations waits for news.
STREAM_TIMEOUT_SECONDS: Final = 3.0


def build_cache(redis_url: str | None) -> BaseCache:
    """Return the cache.

    Args:
        redis_url: a checked URL such as `rediss://user:password@host:6379/0`; None means memory.
    """
    if redis_url is None:
        return SimpleMemoryCache()
    parts = urlsplit(redis_url)
    options = {"username": unquote(parts.username)} if parts.username else {}
    return RedisCache(
        serializer=StringSerializer(),
        timeout=TIMEOUT_SECONDS,
        create_connection_timeout=TIMEOUT_SECONDS,
        endpoint=parts.hostname,
        port=parts.port or 6379,
        db=int(parts.path.strip("/") or 0),
        password=unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        connection_pool_kwargs=options,
    )


def build_redis(redis_url: str | None, timeout: float) -> Redis | None:
    """Return the connection that revocations, or counts of requests, are shared by.

    Args:
        redis_url: a checked URL; None means that there is one worker.
        timeout: seconds that an answer may take.
    """
    if redis_url is None:
        return None
    return Redis.from_url(
        redis_url, decode_responses=True, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=timeout
    )
