"""JSON with one reading only (RFC 8259, RFC 7493), so that the guard and the code behind it see the same."""

import json
import re
from math import isinf
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 64

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class JsonFault(Exception):
    """The text is no JSON with one reading; the message says why and is safe to show."""


def parse(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text.

    Args:
        body: UTF-8 without a byte order mark, no name twice in an object, finite numbers.
        max_depth: how deep it may be nested.

    Raises:
        JsonFault: it is not that.
    """
    # Depth is at most the count of opening brackets, so the walk over a small body is saved.
    if body.count(b"[") + body.count(b"{") > max_depth and _depth(body) > max_depth:
        raise JsonFault("The body is nested too deeply")
    try:
        text = body.decode("utf-8")
        value, end = _DECODER.raw_decode(text) if text.startswith("{") else (None, -1)
        if end != len(text):
            value = _DECODER.decode(text)  # of any type, and looks for the white space around the value, which costs
        if "\\" in text and _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except JsonFault:
        raise
    except UnicodeError:
        raise JsonFault("The body is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise JsonFault("The body is not JSON") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JsonFault("The body has an object with one name twice")
    return value


def _constant(_name: str) -> NoReturn:
    raise JsonFault("The body has a number that is not JSON")


def _number(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise JsonFault("The body has a number that is too large")
    return value


# Integers need no hook: int() itself stops at 4,300 digits.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)


def _depth(body: bytes) -> int:
    """Return how deep the brackets outside strings go."""
    deepest = depth = 0
    for match in re.finditer(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', body, re.DOTALL):
        bracket = match[0][:1]
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in b"]}":
            depth -= 1
    return deepest
