"""Bodies that are no JSON, no JSON-RPC, or JSON that parsers disagree about."""


def _message(rest: str, request_id: str = "1") -> bytes:
    return f'{{"jsonrpc":"2.0","id":{request_id},{rest}}}'.encode()


def _call(params: str) -> bytes:
    return _message(f'"method":"tools/call","params":{params}')


_LIST = '"method":"tools/list"'

HOSTILE_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a word": b"hello",
    "null": b"null",
    "a number": b"1",
    "text": b'"tools/call"',
    "an empty list": b"[]",
    "half": b'{"jsonrpc": "2.0", "method":',
    "UTF-16": _message(_LIST).decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + _message(_LIST),
    "no UTF-8": _message('"method":"?"').replace(b"?", b"\xff"),
    "a lone surrogate": _call('{"name":"echo","arguments":{"text":"\\ud800"}}'),
    "a null character": _call('{"name":"ec\\u0000ho","arguments":{}}'),
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000,
    "deep params": _call('{"a":' * 20_000 + "1" + "}" * 20_000),
    "NaN": _message(_LIST, "NaN"),
    "Infinity": _message(_LIST, "Infinity"),
    "a huge exponent": _message(_LIST, "1e400"),
    "a huge number": _message(_LIST, "9" * 5000),
    "method twice": _message(f'{_LIST},"method":"tools/call"'),
    "name twice": _call('{"name":"echo","name":"calculate","arguments":{}}'),
    "method is a list": _message('"method":["tools/call"]'),
    "params is text": _call('"echo"'),
    "params is a list": _call('["echo"]'),
    "name is a list": _call('{"name":["echo"],"arguments":{}}'),
    "name is an object": _call('{"name":{},"arguments":{}}'),
    "no name": _call('{"arguments":{}}'),
    "arguments is a list": _call('{"name":"echo","arguments":[1]}'),
    "id is an object": _message(_LIST, "{}"),
    "a response": _message('"result":{}'),
    "meta is text": _message(f'{_LIST},"params":{{"_meta":"x"}}'),
    "a long method": _message(f'"method":"{"x" * 100_000}"'),
}
