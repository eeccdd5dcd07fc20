"""How the tests speak HTTP: each request on a connection of its own, to loopback, past any proxy."""

import ssl
from functools import partial

import httpx

# Loopback http only. A context without authorities refuses every https, and loading them would cost 40 ms a request.
_OPTIONS = {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "timeout": 30, "trust_env": False}

request = partial(httpx.request, **_OPTIONS)
get = partial(httpx.get, **_OPTIONS)
post = partial(httpx.post, **_OPTIONS)
Client = partial(httpx.Client, **_OPTIONS)
