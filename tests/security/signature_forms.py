"""What can be done to the bytes of a signature; each form is a function of the draft and the good signature."""

from typing import Any

from tests.security import signing


def _numbers(r: int, s: int, size: int = 32) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _halves(good: bytes) -> tuple[int, int]:
    return int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")


def _plus_order(good: bytes) -> bytes:
    r, s = good[:32], int.from_bytes(good[32:], "little")
    return r + (s + signing.ED25519_ORDER).to_bytes(32, "little")


SIGNATURES: dict[str, Any] = {
    "zero": lambda _, good: bytes(len(good)),
    "one byte": lambda _, good: b"\x00",
    "short": lambda _, good: good[:-1],
    "long": lambda _, good: good + b"\x00",
    "leading zero": lambda _, good: b"\x00" + good,
    "twice": lambda _, good: good + good,
    "flipped": lambda _, good: bytes([good[0] ^ 1]) + good[1:],
    "der": lambda _, good: signing.der_of(good),
    "r=0": lambda _, good: _numbers(0, _halves(good)[1]),
    "s=0": lambda _, good: _numbers(_halves(good)[0], 0),
    "r=s=0": lambda _, good: bytes(64),
    "r=n": lambda _, good: _numbers(signing.P256_ORDER, _halves(good)[1]),
    "s=n": lambda _, good: _numbers(_halves(good)[0], signing.P256_ORDER),
    "r=s=n": lambda _, good: _numbers(signing.P256_ORDER, signing.P256_ORDER),
    "r=s=1": lambda _, good: _numbers(1, 1),
    "33+33": lambda _, good: _numbers(*_halves(good), 33),
    "n-s": lambda _, good: _numbers(_halves(good)[0], signing.P256_ORDER - _halves(good)[1]),
    "s+n": lambda draft, good: signing.rsa_plus_modulus(draft.key, good),
    "S+L": lambda _, good: _plus_order(good),
    "small order": lambda _, good: b"\x01" + bytes(63),
    "small order R": lambda _, good: b"\x01" + bytes(31) + good[32:],
}
