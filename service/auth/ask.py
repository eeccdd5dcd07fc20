"""What this service asks the authorization server: traced, with the ids of the call, and answered in bounded size."""

from typing import Final
from urllib.parse import urlsplit

import httpx
from opentelemetry.trace import SpanKind

from service.telemetry.log import ids
from service.telemetry.traces import child_span, outgoing_headers

MAX_ANSWER_BYTES: Final = 64 * 1024
# Uncompressed: a small answer could unpack to any size before it is counted.
_HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}


class AnswerTooLarge(Exception):
    """There came more than `MAX_ANSWER_BYTES`."""


async def ask(
    client: httpx.AsyncClient, method: str, url: str, form: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Return the status and the body of an answer.

    Args:
        client: whose time-outs and transport hold; it follows no redirect.
        method: the HTTP method.
        url: where, on the authorization server.
        form: the fields of a form (RFC 6749 appendix B).

    Raises:
        AnswerTooLarge: the rest was not read.
        httpx.HTTPError: no whole answer came.
    """
    host = urlsplit(url).netloc
    with child_span(method, SpanKind.CLIENT, http__request__method=method, server__address=host) as span:
        headers = _HEADERS | outgoing_headers(ids.get()[0])
        async with client.stream(method, url, data=form, headers=headers) as response:
            if span is not None:
                span.attributes["http.response.status_code"] = response.status_code
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise AnswerTooLarge
    return response.status_code, bytes(body)
