"""secure-mcp doctor against the real service and the real Keycloak: clean, and with one fault at a time on the way."""

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from tests.support.certificates import DAY, Authority
from tests.support.doctor import examine, found
from tests.support.faulty import Change, Exchange, Faulty, nothing
from tests.support.realm import Stack

pytestmark = pytest.mark.requirement("DOCTOR")

AUTHORIZATION_SERVER = ("/.well-known/oauth-authorization-server", "/realms/mcp-realm/.well-known/openid-configuration")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Way:
    """The stack behind two proxies that change nothing but what a test asks for."""

    def __init__(self, stack: Stack, closing: ExitStack) -> None:
        self._stack, self._closing = stack, closing

    def open(
        self,
        service: Change = nothing,
        keycloak: Change = nothing,
        ask: Callable[[dict[str, str]], object] | None = None,
        tls: Any = None,
    ) -> str:
        """Start both and return the URL of the MCP endpoint."""
        issuer = self._closing.enter_context(Faulty(self._stack.keycloak_url, keycloak))
        names = {self._stack.keycloak_url: issuer.origin}
        front = self._closing.enter_context(Faulty(self._stack.public_url, service, names=names, ask=ask, tls=tls))
        return f"{front.origin}/mcp"


@pytest.fixture
def way(stack: Stack) -> Iterator[Way]:
    with ExitStack() as closing:
        yield Way(stack, closing)


def at(path: str, change: Change) -> Change:
    """Change the answers below a path only."""
    return lambda exchange: change(exchange) if exchange.path.startswith(path) else None


def in_server_metadata(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change the metadata of the authorization server, wherever it is read."""
    return lambda exchange: exchange.edit(change) if exchange.path.startswith(AUTHORIZATION_SERVER) else None


def add_key(**extra: object) -> Change:
    """Add a key to the JWKS."""
    return lambda exchange: (
        exchange.edit(lambda document: document["keys"].append({"kid": "added", **extra}))
        if exchange.path.endswith("/certs")
        else None
    )


def without_challenge(exchange: Exchange) -> None:
    exchange.drop("WWW-Authenticate")


def two_minutes_late(exchange: Exchange) -> None:
    exchange.put("Date", format_datetime(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=2), usegmt=True))


def on_time(exchange: Exchange) -> None:
    exchange.put("Date", format_datetime(dt.datetime.now(dt.UTC), usegmt=True))


def trust_any_host(headers: dict[str, str]) -> None:
    headers["Host"] = headers["Host"] if headers["Host"].startswith("localhost") else "localhost"


def forget_origin(headers: dict[str, str]) -> None:
    if "evil" in headers.get("Origin", ""):
        del headers["Origin"]


def fail_at_garbage(exchange: Exchange) -> None:
    if 'error="invalid_token"' in exchange.header("WWW-Authenticate"):
        exchange.answer(500)


def weak_key() -> dict[str, Any]:
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n  # noqa: S505 - weak is the point
    encoded = base64.urlsafe_b64encode(modulus.to_bytes(128, "big")).decode().rstrip("=")
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": encoded}


def private_key() -> dict[str, Any]:
    return RSAKey.generate_key(2048, private=True, auto_kid=True).as_dict(private=True) | {"use": "sig", "alg": "RS256"}


PRM = "/.well-known/oauth-protected-resource"

FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "wrong issuer": (
        {"keycloak": in_server_metadata(lambda document: document.update(issuer=f"{document['issuer']}/"))},
        {"AS-ISSUER"},
    ),
    "no resource metadata": (
        {"service": at(PRM, lambda exchange: exchange.answer(404))},
        {"PRM-NONE", "PRM-CHALLENGE"},
    ),
    "metadata at the root only": (
        {"service": at(f"{PRM}/mcp", lambda exchange: exchange.answer(404))},
        {"PRM-CHALLENGE"},
    ),
    "metadata of another server": (
        {
            "service": at(
                PRM, lambda exchange: exchange.edit(lambda document: document.update(resource="https://x.example/mcp"))
            )
        },
        {"PRM-RESOURCE"},
    ),
    "401 without a challenge": ({"service": without_challenge}, {"CHALLENGE-NONE"}),
    "garbage makes it fail": ({"service": fail_at_garbage}, {"CHALLENGE-5XX"}),
    "no S256": (
        {"keycloak": in_server_metadata(lambda document: document.update(code_challenge_methods_supported=["plain"]))},
        {"AS-PKCE"},
    ),
    "http instead of https": (
        {
            "keycloak": in_server_metadata(
                lambda document: document.update(authorization_endpoint="http://auth.example.org/authorize")
            )
        },
        {"AS-TLS"},
    ),
    "no path insertion": (
        {"keycloak": at("/.well-known/", lambda exchange: exchange.answer(404))},
        {"AS-INSERTION"},
    ),
    "unknown scope": (
        {"keycloak": in_server_metadata(lambda document: document["scopes_supported"].remove("mcp:read"))},
        {"AS-SCOPES"},
    ),
    "the challenge is hidden from pages": (
        {"service": lambda exchange: exchange.drop("Access-Control-Expose-Headers")},
        {"CORS-EXPOSE"},
    ),
    "weak key": ({"keycloak": add_key(**weak_key())}, {"JWKS-WEAK"}),
    "private key in the key set": ({"keycloak": add_key(**private_key())}, {"JWKS-SECRET"}),
    "clock skew": ({"service": two_minutes_late, "keycloak": on_time}, {"CLOCK"}),
    "Host is not checked": ({"ask": trust_any_host}, {"HOST"}),
    "Origin is not checked": ({"ask": forget_origin}, {"ORIGIN"}),
    "redirect": (
        {
            "service": lambda exchange: (
                exchange.answer(307, Location="/mcp/")
                if exchange.path == "/mcp" and exchange.method == "POST"
                else None
            )
        },
        {"REDIRECT"},
    ),
}


def test_our_stack_is_clean(stack: Stack, automation_token: str) -> None:
    code, report = examine(stack.mcp_url, token=automation_token)
    assert (code, report["findings"]) == (0, [])
    states = {hop["name"]: hop["state"] for hop in report["hops"]}
    assert states.pop("DNS of the authorization server") == "skipped"
    assert set(states.values()) == {"ok"}, states


def test_the_proxies_add_no_fault_of_their_own(way: Way) -> None:
    code, report = examine(way.open())
    assert (code, report["findings"]) == (0, [])


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_recognised(way: Way, name: str) -> None:
    """Exactly what was seeded is found, nothing beside it; what follows from it counts as little as a low remark."""
    fault, expected = FAULTS[name]
    code, report = examine(way.open(**fault))
    assert code == 1
    assert found(report) == expected


CERTIFICATES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "valid": ({}, set()),
    "expired": ({"end": -DAY / 24}, {"TLS-EXPIRED"}),
    "nearly expired": ({"begin": -80 * DAY, "end": 5 * DAY}, {"TLS-EXPIRES-SOON"}),
    "of six days, three left": ({"begin": -3 * DAY, "end": 3 * DAY}, set()),
    "for another name": ({"host": "other.example"}, {"TLS-CHAIN"}),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_is_judged(way: Way, authority: Authority, name: str) -> None:
    """A wrong certificate is a finding, and the rest of the way is looked at all the same."""
    certificate, expected = CERTIFICATES[name]
    code, report = examine(way.open(tls=authority.server(**certificate)), "--ca", str(authority.file))
    assert (code, found(report)) == (int(bool(expected)), expected)
    assert report["hops"][-1]["name"] == "registration"
    assert report["hops"][-1]["state"] == "ok"


def test_an_unknown_authority_is_told(way: Way, authority: Authority, automation_token: str) -> None:
    code, report = examine(way.open(tls=authority.server()), token=automation_token)
    assert code == 1
    assert found(report) - {"TOKEN-ISSUER"} == {"TLS-CHAIN"}


def test_a_token_is_not_sent_where_the_certificate_is_wrong(
    stack: Stack, way: Way, authority: Authority, automation_token: str
) -> None:
    """The proxy leaves the issuer as it is, so that only the certificate keeps the token back."""
    sent: list[str] = []
    with Faulty(
        stack.public_url, ask=lambda headers: sent.append(headers.get("Authorization", "")), tls=authority.server()
    ) as front:
        report = examine(f"{front.origin}/mcp", token=automation_token)[1]
        assert found(report) == {"TLS-CHAIN"}
        assert not [value for value in sent if automation_token in value]
        examine(f"{front.origin}/mcp", "--ca", str(authority.file), token=automation_token)
        assert [value for value in sent if automation_token in value]
