"""Metadata of the authorization server, as a client finds it through the edge."""

from typing import Any

import pytest

from tests.realm.test_discovery import *  # noqa: F403
from tests.support import client
from tests.support.realm import Stack


@pytest.mark.requirement("MCP-A9")
def test_every_endpoint_is_https_and_the_edges(stack: Stack) -> None:
    document = client.get(f"{stack.issuer}/.well-known/openid-configuration").json()
    urls = [value for value in strings(document) if "://" in value]
    assert len(urls) > 10
    assert [url for url in urls if not url.startswith(f"{stack.keycloak_url}/")] == []


@pytest.mark.requirement("MCP-A2")
def test_a_page_of_any_origin_may_read_it_whoever_asked_before(stack: Stack) -> None:
    """What the edge caches for one may not keep another out."""
    for path in ("/.well-known/oauth-authorization-server/realms/{}", "/realms/{}/.well-known/openid-configuration"):
        url = stack.keycloak_url + path.format(stack.name)
        for origin in ({}, {"Origin": "https://one.example"}, {"Origin": "https://two.example"}):
            allowed = client.get(url, headers=origin).headers.get("access-control-allow-origin")
            assert not origin or allowed in {"*", origin["Origin"]}, path


def strings(value: Any) -> list[str]:
    """Return every string in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []
