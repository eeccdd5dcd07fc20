"""A bounded memory of tokens that were verified a moment ago.

The key is a digest of the exact bytes, so no bearer token stays in memory. It must never serve as an identity of the
token (replay, denylist): ES256 has a second valid signature for the same content. Only successes are kept, entries are
immutable, and what depends on the call (scopes, revocation) is judged after it, on every hit.
"""

from typing import Final, Generic, TypeVar

MAX_ENTRIES: Final = 10_000

Entry = TypeVar("Entry")


class VerifiedTokens(Generic[Entry]):
    """Remembers what a token said, for a short time.

    Args:
        seconds: how long; 0 remembers nothing.
        max_entries: how many; the oldest goes first.
    """

    def __init__(self, seconds: int, max_entries: int = MAX_ENTRIES) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._entries: dict[bytes, tuple[float, Entry]] = {}

    def get(self, digest: bytes, now: float) -> Entry | None:
        """Return what is remembered, unless its time is over.

        Args:
            digest: of the exact bytes of the token.
            now: seconds since the epoch.
        """
        found = self._entries.get(digest)
        if found is None:
            return None
        deadline, entry = found
        if now < deadline:
            return entry
        del self._entries[digest]
        return None

    def put(self, digest: bytes, entry: Entry, now: float, expires_at: float) -> None:
        """Remember a verified token until the time is over or it expires, whichever comes first."""
        if self._seconds <= 0:
            return
        if len(self._entries) >= self._max_entries:
            del self._entries[next(iter(self._entries))]
        self._entries[digest] = (min(now + self._seconds, expires_at), entry)

    def clear(self) -> None:
        """Forget everything: the keys or the rules changed."""
        self._entries.clear()
