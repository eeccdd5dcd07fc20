"""Issuer, metadata and contract: what does not fit together is said, on /readyz too."""

import asyncio
from typing import Any

import httpx
import pytest
from aiocache import SimpleMemoryCache
from structlog.testing import capture_logs

from service.app import create_app
from service.auth.agreement import Agreement, disagreements
from service.auth.keys import JwksKeySource
from service.contract import Contract, load_contract
from service.telemetry.events import Event
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
PUBLIC = f"the service expects {jose.ISSUER}; give Keycloak's --hostname and SECURE_MCP_ISSUER the same URL"
NO_S256 = "The metadata does not list S256, so that MCP clients refuse to log in; use a Keycloak that does PKCE"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": (
        {"issuer": "http://localhost:9999/realms/x"},
        f"Keycloak calls itself http://localhost:9999/realms/x, {PUBLIC}",
    ),
    "a slash": ({"issuer": jose.ISSUER + "/"}, f"Keycloak calls itself {jose.ISSUER}/, {PUBLIC}"),
    "no issuer": ({"issuer": ""}, f"Keycloak calls itself nothing, {PUBLIC}"),
    "an issuer with control characters": (
        {"issuer": "\x1b[31m\n ~\x7f\xe9"},
        f"Keycloak calls itself [31m~, {PUBLIC}",
    ),
    "a long issuer": ({"issuer": "x" * 300}, f"Keycloak calls itself {'x' * 200}, {PUBLIC}"),
    "login elsewhere": (
        {"authorization_endpoint": "http://keycloak:8080/auth"},
        "People would log in under another URL than the issuer's; set Keycloak's --hostname to the public URL",
    ),
    "no S256": ({"code_challenge_methods_supported": ["plain"]}, NO_S256),
    "PKCE not told": ({"code_challenge_methods_supported": None}, NO_S256),
    "no issuer in answers": (
        {"authorization_response_iss_parameter_supported": False},
        "Authorization responses do not name the issuer (RFC 9207); use Keycloak 26 or newer",
    ),
    "scopes missing": (
        {"scopes_supported": ["mcp:read"]},
        "The realm does not offer mcp:infer, mcp:write of the contract; apply terraform/keycloak",
    ),
    "a grant missing": (
        {"grant_types_supported": ["authorization_code"]},
        "The realm does not serve client_credentials, refresh_token; switch the grants on in Keycloak",
    ),
    "documents announced": (
        {"client_id_metadata_document_supported": True},
        "Keycloak announces client ID metadata documents, which the contract closes: clients that use them fail; "
        "run it without the feature cimd",
    ),
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


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_fit_is_said_with_the_remedy(changes: dict[str, Any], sentence: str) -> None:
    assert disagreements(GOOD | changes, jose.ISSUER, load_contract()) == [sentence]


def test_documents_that_keycloak_does_not_know_are_said() -> None:
    assert disagreements(GOOD, jose.ISSUER, opened(load_contract())) == [
        "The contract opens client ID metadata documents, and Keycloak runs without the feature cimd: the realm "
        "may answer 500 to everything; run it with the feature, or write metadata_documents: closed"
    ]


def test_a_change_of_what_is_found_is_one_line() -> None:
    agreement = Agreement(jose.ISSUER, load_contract())
    lines: list[Any] = []
    for metadata in (GOOD, GOOD | {"issuer": ""}, GOOD | {"issuer": ""}, GOOD, GOOD):
        with capture_logs() as seen:
            agreement.see(metadata)
        lines.append([(line["log_level"], line["event"], line["disagreements"]) for line in seen])
    sentence = f"Keycloak calls itself nothing, {PUBLIC}"
    warned = [("warning", Event.REALM_AGREEMENT, [sentence])]
    assert lines == [[], warned, [], [("info", Event.REALM_AGREEMENT, [])], []]


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
