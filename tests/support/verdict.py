"""The closed list of answers to a request that is not let in (RFC 6750 section 3.1, RFC 9728 section 5.1)."""

import httpx

from tests.support.http import Service, challenge
from tests.support.realm import Stack


def assert_no_credentials(response: httpx.Response, stack: Stack) -> None:
    """Nobody sent a token: 401 that says where to ask and for what, without an error code."""
    assert response.status_code == 401, response.text
    assert challenge(response) == {"resource_metadata": stack.metadata_url, "scope": "mcp:read"}


def assert_invalid_token(response: httpx.Response, stack: Stack) -> None:
    """The token is no good: 401 invalid_token, and not a word about what was expected."""
    assert response.status_code == 401, f"{response.status_code} {response.text}"
    told = challenge(response)
    assert (told["error"], told["resource_metadata"]) == ("invalid_token", stack.metadata_url)
    assert response.json()["error"] == "invalid_token"
    _assert_tells_nothing(response)


def assert_refused(service: Service, stack: Stack, token: str) -> None:
    """The token is refused by both entrances of the service."""
    for entrance in ("mcp", "rest"):
        assert_invalid_token(service.use("echo", {"text": "x"}, token, entrance=entrance), stack)


def assert_insufficient_scope(response: httpx.Response, stack: Stack, scope: str) -> None:
    """The token is good but may not do this: 403 with every scope that the call needs."""
    assert response.status_code == 403, f"{response.status_code} {response.text}"
    told = challenge(response)
    found = (told["error"], told["scope"], told["resource_metadata"])
    assert found == ("insufficient_scope", scope, stack.metadata_url)
    assert response.json()["error"] == "insufficient_scope"


def assert_cannot_judge(response: httpx.Response) -> None:
    """The service has no keys: 503 with a time to come back, never a 401 (clients would throw their tokens away)."""
    assert response.status_code == 503, f"{response.status_code} {response.text}"
    assert int(response.headers["retry-after"]) > 0
    assert "www-authenticate" not in response.headers


def _assert_tells_nothing(response: httpx.Response) -> None:
    seen = response.text + response.headers["www-authenticate"]
    for word in ("Traceback", "Error(", "joserfc", "kid"):
        assert word not in seen, f"the refusal leaks {word!r}: {seen}"
