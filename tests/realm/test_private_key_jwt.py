"""A machine client that has a key and no secret (RFC 7523 section 2.2), at the real Keycloak: refusals first."""

import base64
import datetime
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, RSAKey

from ops.assertion import client_assertion
from tests.support.changes import client_of
from tests.support.oauth import CLIENT_CREDENTIALS, claims_of, request_token
from tests.support.realm import Stack, answered

pytestmark = pytest.mark.requirement("REALM-PRIVATE-KEY-JWT")

Key = RSAKey | ECKey


@dataclass(frozen=True)
class Job:
    """A machine client, its private key, and the name of that in a published set."""

    client_id: str
    key: Key
    key_id: str | None

    def form(self, audience: str, key: Key | None = None, client_id: str | None = None) -> dict[str, str]:
        """Return how it authenticates; key and client id may be somebody else's."""
        return client_assertion(client_id or self.client_id, key or self.key, audience, self.key_id)


def certificate_of(key: RSAKey) -> str:
    """A self-signed certificate as Keycloak keeps it: base64 of DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "job")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key)
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    der = builder.sign(key.private_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return base64.b64encode(der).decode()


@pytest.fixture
def jwks_url() -> Iterator[Callable[[Key], str]]:
    """Publish a key and return the URL of its set."""
    published: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(published["keys"])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    def publish(key: Key) -> str:
        public = key.as_dict(private=False) | {"use": "sig", "kid": key.thumbprint()}
        published["keys"] = json.dumps({"keys": [public]}).encode()
        return f"http://127.0.0.1:{server.server_port}/jwks"

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield publish
        server.shutdown()
        thread.join()


@pytest.fixture(params=["RSA by certificate", "EC by JWKS URL"])
def job(request: pytest.FixtureRequest, stack: Stack, jwks_url: Callable[[Key], str]) -> Iterator[Job]:
    """A service account that authenticates by private_key_jwt only, and its key."""
    by_certificate = request.param == "RSA by certificate"
    key = RSAKey.generate_key(2048) if by_certificate else ECKey.generate_key("P-256")
    source = (
        {"jwt.credential.certificate": certificate_of(key), "use.jwks.url": "false"}
        if by_certificate
        else {"use.jwks.url": "true", "jwks.url": jwks_url(key)}
    )
    declared = client_of(stack, "mcp-reader")
    copied = ("publicClient", "standardFlowEnabled", "fullScopeAllowed", "defaultClientScopes", "optionalClientScopes")
    client = {name: declared[name] for name in copied} | {
        "clientId": f"job-{secrets.token_hex(4)}",
        "serviceAccountsEnabled": True,
        "clientAuthenticatorType": "client-jwt",
        "attributes": declared["attributes"]
        | source
        | {"token.endpoint.auth.signing.alg": "RS256" if by_certificate else "ES256"},
    }
    stack.admin.post(f"/{stack.name}/clients", json=client)
    yield Job(client["clientId"], key, None if by_certificate else key.thumbprint())
    stack.admin.delete(f"/{stack.name}/clients/{client_of(stack, client['clientId'])['id']}")


def ask(stack: Stack, form: dict[str, str]) -> httpx.Response:
    return request_token(stack.token_endpoint, CLIENT_CREDENTIALS, **form)


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code in {400, 401}, answer.text
    assert answer.json()["error"] in {"invalid_client", "unauthorized_client"}, answer.text


def test_a_key_that_is_not_its_own_is_refused(stack: Stack, job: Job) -> None:
    other = RSAKey.generate_key(2048) if isinstance(job.key, RSAKey) else ECKey.generate_key("P-256")
    assert_refused(ask(stack, job.form(stack.issuer, key=other)))


@pytest.mark.parametrize("audience", ["https://other.example/realms/mcp-realm", "MCP", "MASTER"])
def test_an_assertion_for_somebody_else_is_refused(stack: Stack, job: Job, audience: str) -> None:
    meant = {"MCP": stack.mcp_url, "MASTER": f"{stack.keycloak_url}/realms/master"}.get(audience, audience)
    assert_refused(ask(stack, job.form(meant)))


def test_an_assertion_is_good_once(stack: Stack, job: Job) -> None:
    form = job.form(stack.issuer)
    answered(ask(stack, form))
    assert_refused(ask(stack, form))


def test_no_secret_is_taken_in_its_place(stack: Stack, job: Job) -> None:
    kept = client_of(stack, job.client_id).get("secret")
    for secret in ("guess", "", kept):
        assert_refused(ask(stack, {"client_id": job.client_id, "client_secret": secret}))


def test_another_clients_name_is_not_taken(stack: Stack, job: Job) -> None:
    assert_refused(ask(stack, job.form(stack.issuer, client_id="mcp-automation")))


def test_its_own_key_gets_it_what_it_holds(stack: Stack, job: Job) -> None:
    answer = answered(ask(stack, job.form(stack.issuer)))
    claims = claims_of(answer["access_token"])
    assert (claims["azp"], "refresh_token" in answer) == (job.client_id, False)
    assert stack.mcp_url in claims["aud"]
    assert {name for name in claims["scope"].split() if name.startswith("mcp:")} == {"mcp:read"}


def test_the_service_does_not_know_a_machine_client_that_the_contract_does_not_name(stack, service, job: Job) -> None:
    token = answered(ask(stack, job.form(stack.issuer)))["access_token"]
    assert service.mcp.call("echo", {"text": "x"}, token=token).status_code == 401
