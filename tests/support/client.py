"""How the tests speak HTTP: each request on a connection of its own, to loopback, past any proxy."""

import ssl
from functools import partial

import httpx

# Without authorities it refuses every https, and loading them would cost 40 ms a request; tests/edge adds its own.
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_OPTIONS = {"verify": TRUST, "timeout": 30, "trust_env": False}

request = partial(httpx.request, **_OPTIONS)
get = partial(httpx.get, **_OPTIONS)
post = partial(httpx.post, **_OPTIONS)
Client = partial(httpx.Client, **_OPTIONS)
