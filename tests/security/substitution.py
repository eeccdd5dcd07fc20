"""One character of a good token replaced by another: no such token may be accepted."""

import random
from collections.abc import Iterator

from service.auth.token import Caller
from tests.security.judge import token, validator, verdict

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def substitutions(good: str) -> Iterator[str]:
    """Yield every token that differs from a good one in one character of the alphabet, or has another at a dot."""
    for at, old in enumerate(good):
        for new in ALPHABET:
            if new != old:
                yield good[:at] + new + good[at + 1 :]


def accepted(algorithm: str, sample: int | None, seed: int = 5) -> tuple[int, list[str]]:
    """Try substitutions and return how many were tried and which were accepted.

    Args:
        sample: how many, chosen by the seed; None means all.
    """
    good = token(algorithm)
    judge = validator()
    assert isinstance(verdict(judge, good), Caller)
    tried = list(substitutions(good))
    if sample is not None:
        tried = random.Random(seed).sample(tried, sample)  # noqa: S311 - a sample, no secret
    return len(tried), [text for text in tried if isinstance(verdict(judge, text), Caller)]
