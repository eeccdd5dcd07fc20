"""Issuer, metadata and contract: what does not fit together is said, on /readyz too."""

import asyncio
from typing import Any

import httpx
import pytest
from aiocache import SimpleMemoryCache

from service.app import create_app
from service.auth.agreement import Agreement, disagreements
from service.auth.keys import JwksKeySource
from service.contract import Contract, load_contract
from tests.unit import jose
from tests.unit.tokens import make_settings, running

GOOD = {
    "issuer": jose.ISSUER,
    "authorization_endpoint": f"{jose.ISSUER}/protocol/openid-connect/auth",
    "jwks_uri": f"{jose.ISSUER}/protocol/openid-connect/certs",
    "code_challenge_methods_supported": ["plain", "S256"],
    "authorization_response_iss_parameter_supported": True,
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
    "scopes_supported": ["openid", "mcp:read", "mcp:write", "mcp:infer"],
}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"issuer": "http://localhost:9999/realms/x"}, "calls itself http://localhost:9999/realms/x"),
    "a slash": ({"issuer": jose.ISSUER + "/"}, "calls itself"),
    "no issuer": ({"issuer": None}, "calls itself"),
    "an issuer with control characters": ({"issuer": "\x1b[31m\n"}, "calls itself [31m,"),
    "login elsewhere": ({"authorization_endpoint": "http://keycloak:8080/auth"}, "under another URL"),
    "no S256": ({"code_challenge_methods_supported": ["plain"]}, "does not list S256"),
    "PKCE not told": ({"code_challenge_methods_supported": None}, "does not list S256"),
    "no issuer in answers": ({"authorization_response_iss_parameter_supported": False}, "RFC 9207"),
    "a scope missing": ({"scopes_supported": ["mcp:read", "mcp:write"]}, "does not offer mcp:infer of the contract"),
    "a grant missing": ({"grant_types_supported": ["authorization_code"]}, "client_credentials, refresh_token"),
    "documents announced": ({"client_id_metadata_document_supported": True}, "which the contract closes"),
}


def opened(contract: Contract) -> Contract:
    registration = dict(contract.registration) | {
        "metadata_documents": "trusted_hosts",
        "metadata_hosts": ["a.example"],
    }
    return Contract(
        contract.scopes, contract.clients, registration, contract.lifetimes, contract.passwords, contract.brute_force
    )


@pytest.mark.requirement("OPS-AGREEMENT")
def test_what_fits_is_not_mentioned() -> None:
    assert disagreements(GOOD, jose.ISSUER, load_contract()) == []
    announced = GOOD | {"client_id_metadata_document_supported": True}
    assert disagreements(announced, jose.ISSUER, opened(load_contract())) == []


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_said_with_the_remedy(changes: dict[str, Any], words: str) -> None:
    (sentence,) = disagreements(GOOD | changes, jose.ISSUER, load_contract())
    assert words in sentence
    assert "; " in sentence
    assert sentence.isprintable()


def test_documents_that_keycloak_does_not_know_are_said() -> None:
    (sentence,) = disagreements(GOOD, jose.ISSUER, opened(load_contract()))
    assert "without the feature cimd" in sentence


def answers(metadata: dict[str, Any]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        found = metadata if request.url.path.endswith("configuration") else {"keys": [jose.public_jwk("ES256")]}
        return httpx.Response(200, json=found)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("changes", "status"), [({}, 200), ({"scopes_supported": ["mcp:read"]}, 200), ({"issuer": "http://other"}, 503)]
)
def test_readyz_tells(changes: dict[str, Any], status: int) -> None:
    settings = make_settings()

    async def look() -> httpx.Response:
        agreement = Agreement(settings.issuer, load_contract())
        source = JwksKeySource(
            issuer=settings.issuer,
            internal_url=None,
            ttl=300,
            cache=SimpleMemoryCache(namespace=str(id(agreement))),
            transport=answers(GOOD | changes),
            on_metadata=agreement.see,
        )
        app = create_app(settings, source, agreement)
        async with (
            running(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as http,
        ):
            await source._fetch_once()
            return await http.get("/readyz")

    answer = asyncio.run(look())
    assert answer.status_code == status
    assert len(answer.json().get("disagreements", [])) == len(changes)
