"""JSON Web Signature (RFC 7515 section 5.2): from the bytes of a token to a payload that its key signed."""

from collections.abc import Sequence, Set
from typing import Final, Protocol

from service.auth.compact import decode_segment, parse_header, split
from service.auth.errors import TokenRefused
from service.auth.jwk import VerificationKey

_MAX_HEADERS: Final = 64


class KeySource(Protocol):
    """Where verification keys come from."""

    @property
    def ready(self) -> bool:
        """Whether a token can be judged now."""

    @property
    def epoch(self) -> int:
        """A number that changes whenever a key comes or goes."""

    async def start(self) -> None:
        """Begin to keep the keys fresh."""

    async def stop(self) -> None:
        """Stop, and let go of connections."""

    async def key(self, kid: str) -> VerificationKey | None:
        """Return the key with this id, or None when the authorization server has none such.

        Raises:
            KeysUnavailable: nothing can be said now.
        """


class JwsVerifier:
    """Verifies signatures with the keys of one source.

    Args:
        keys: where verification keys come from.
        algorithms: allowed values of `alg` (RFC 8725 section 3.1).
        types: allowed values of `typ`, in lower case (RFC 8725 section 3.11).
    """

    def __init__(self, keys: KeySource, algorithms: Sequence[str], types: Set[str]) -> None:
        self._keys = keys
        self._algorithms = frozenset(algorithms)
        self._types = types
        self._epoch = keys.epoch
        self._headers: dict[bytes, VerificationKey] = {}

    async def verify(self, token: bytes) -> bytes:
        """Return the payload, still encoded, of a token whose signature is good.

        Args:
            token: what `compact.encode` returned.

        Raises:
            TokenRefused: the form, the header or the signature is not good.
            KeysUnavailable: the key cannot be had now.
        """
        header, payload, signature, signing_input = split(token)
        if self._epoch != self._keys.epoch:
            self._epoch = self._keys.epoch
            self._headers.clear()
        key = self._headers.get(header) if self._keys.ready else None  # keys grow too old, remembered ones as well
        key = key or await self._key(header)
        if not key.verify(signing_input, decode_segment(signature)):
            raise TokenRefused("bad_signature")
        if len(self._headers) < _MAX_HEADERS:  # only a header that a good signature covers is remembered
            self._headers[header] = key
        return payload

    async def _key(self, header: bytes) -> VerificationKey:
        algorithm, kid = parse_header(header, self._types)
        if algorithm not in self._algorithms:
            raise TokenRefused("wrong_algorithm")
        key = await self._keys.key(kid)
        if key is None:
            raise TokenRefused("unknown_key")
        if algorithm not in key.names:
            raise TokenRefused("wrong_algorithm")
        return key
