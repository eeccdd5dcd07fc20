"""The one JSON reader of tokens and bodies, at its edges (RFC 8259, RFC 7493)."""

import json

import pytest

from service.auth.strict_json import MAX_DEPTH, JsonFault, parse

pytestmark = pytest.mark.requirement("RFC8725BIS-UTF8", "RFC7519-4")

NOT_JSON = "The body is not JSON"
TOO_DEEP = "The body is nested too deeply"
TWICE = "The body has an object with one name twice"
NOT_UTF8 = "The body is not UTF-8 text"


def nested(depth: int, inner: bytes = b"", opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", NOT_JSON),
        (b"{", NOT_JSON),
        (b"[1,]", NOT_JSON),
        (b"{}{}", NOT_JSON),
        (b"'a'", NOT_JSON),
        (b'"\x01"', NOT_JSON),
        (b"[" + b"1" * 5000 + b"]", NOT_JSON),
        (b"[NaN]", "The body has a number that is not JSON"),
        (b"[-Infinity]", "The body has a number that is not JSON"),
        (b"[1e999]", "The body has a number that is too large"),
        (b"[-1e999]", "The body has a number that is too large"),
        (b'{"a":1,"a":1}', TWICE),
        (b'{"a":1,"\\u0061":1}', TWICE),
        (b'{"x":[{"b":{},"b":{}}]}', TWICE),
        (b"\xff", NOT_UTF8),
        (b'"\xed\xa0\x80"', NOT_UTF8),
        (b'"\\ud800"', NOT_UTF8),
        (b'"\\uDFFF"', NOT_UTF8),
        (b'{"\\uD800":1}', NOT_UTF8),
        ('{"a":1}'.encode("utf-16"), NOT_UTF8),
        (b"\xef\xbb\xbf{}", NOT_JSON),
        (nested(MAX_DEPTH + 1), TOO_DEEP),
        (nested(MAX_DEPTH + 1, b"1", b'{"a":', b"}"), TOO_DEEP),
        (nested(1, nested(MAX_DEPTH) + b",[]"), TOO_DEEP),
        (nested(2, b"[]," + nested(MAX_DEPTH - 1)), TOO_DEEP),
        (nested(100_000)[:100_000], TOO_DEEP),
        (b'["\\"",' + nested(MAX_DEPTH) + b"]", TOO_DEEP),
        (b'["\n",' + nested(MAX_DEPTH) + b"]", TOO_DEEP),
        (b'["a\\\n",' + nested(MAX_DEPTH) + b"]", TOO_DEEP),
    ],
)
def test_what_has_no_single_reading_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(JsonFault) as caught:
        parse(body)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": [1, -2, 3.5, 1e3, true, null]}\n', {"a": [1, -2, 3.5, 1000.0, True, None]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        ('"\u00e9\u202e"'.encode(), "\u00e9\u202e"),
        (b"[" + b"[],{}," * 50 + b'"x"]', [[], {}] * 50 + ["x"]),
        (b'["' + b"[{" * 100 + b'"]', ["[{" * 100]),
        (b'["' + b"]}" * 100 + b'",[]]', ["]}" * 100, []]),
        (b'["\\"' + b"[" * 100 + b'"]', ['"' + "[" * 100]),
    ],
)
def test_what_is_json_is_read(body: bytes, value: object) -> None:
    assert parse(body) == value


def test_the_depth_is_exact() -> None:
    assert parse(nested(MAX_DEPTH))
    assert parse(nested(3), 3)
    with pytest.raises(JsonFault):
        parse(nested(4), 3)
    siblings = b"[" + b",".join([nested(MAX_DEPTH - 1)] * 3) + b"]"
    assert len(parse(siblings)) == 3
    assert parse(b"[" + b",".join([nested(MAX_DEPTH - 1, b"1", b'{"a":', b"}")] * 3) + b"]")


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', '{"x":{"b":"\\":","b":1}}', '{"a": 1, "a" : 1}', '{"":"","":""}', '[{"a":[{"b":1,"b":2}]}]'],
)
def test_a_name_twice_is_seen_by_the_quick_reader_too(text: str) -> None:
    with pytest.raises(JsonFault):
        parse(text.encode())


@pytest.mark.parametrize(
    "text", ['{"a":"\\":"}', '{"\\":":1}', '{ "a" : " b" }', '{"a":{"a":{"a":1}}}', '"a"', "1.5", "[]"]
)
def test_what_looks_like_a_name_is_none(text: str) -> None:
    assert parse(text.encode()) == json.loads(text)


@pytest.mark.parametrize("text", ["1e400", "[1e400]", '{"a":[-1e999]}'])
def test_a_number_beyond_floats_is_refused(text: str) -> None:
    with pytest.raises(JsonFault):
        parse(text.encode())
