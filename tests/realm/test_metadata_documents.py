"""Clients by metadata document, on a Keycloak with the feature and a realm whose contract opens them."""

import copy
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ops.admin import AdminClient
from ops.features import METADATA_DOCUMENTS
from ops.keycloak import BOOTSTRAP_CLIENT, KeycloakServer, ensure_distribution, make_instance
from ops.realm import render_lock
from tests.support import client
from tests.support.browser import Browser
from tests.support.fixtures import STARTS_WITHIN_S, realm_values
from tests.support.login import CodeFlow
from tests.support.realm import Realm, answered
from tests.support.relay import free_port
from tests.support.secrecy import Secrets

pytestmark = pytest.mark.requirement("MCP-A4")

REDIRECT = "http://127.0.0.1:49152/callback"


class Documents:
    """A web server with metadata documents, on loopback and without TLS."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        documents = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                documents.asked.append(self.path)
                found = documents.documents.get(self.path)
                body = json.dumps(found).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, name: str, **changes: Any) -> str:
        """Put a document up and return its URL, which is the client id."""
        path = f"/{name}-{secrets.token_hex(3)}.json"
        usual = {"client_name": name, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"}
        grants = {"grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]}
        self.documents[path] = {"client_id": self.url + path} | usual | grants | changes
        return self.url + path


def opened(realm: dict[str, Any]) -> dict[str, Any]:
    """Return the realm as policies_metadata.tf declares it, but for host and scheme: a test has no public host."""
    realm = copy.deepcopy(realm)
    configuration = {
        "cimd-allow-http-scheme": "true",
        "cimd-allow-permitted-domains": ["127.0.0.1", "localhost"],
        "cimd-restrict-same-domain": "false",
        "cimd-required-properties": ["client_name", "redirect_uris"],
        "only-allow-confidential-client": "false",
    }
    executor = {"executor": "client-id-metadata-document", "configuration": configuration}
    realm["clientProfiles"]["profiles"].append({"name": "secure-mcp-metadata-documents", "executors": [executor]})
    hosts = {"client-id-uri-scheme": ["http"], "client-id-uri-allow-permitted-domains": ["localhost"]}
    condition = {"condition": "client-id-uri", "configuration": hosts}
    for policy in realm["clientPolicies"]["policies"]:
        if policy["name"] == "self-registered":
            policy["conditions"][0]["configuration"]["update-client-source"].remove("ByAnonymous")
    policy = {"name": "metadata-documents", "enabled": True, "conditions": [condition]}
    realm["clientPolicies"]["policies"].append(policy | {"profiles": ["secure-mcp-metadata-documents"]})
    return realm


@pytest.fixture(scope="module")
def realm(tmp_path_factory, public_url, client_secrets) -> Iterator[Realm]:
    """A realm of a Keycloak of its own: a server has the feature, or has it not."""
    home, secret = tmp_path_factory.mktemp("documents") / "keycloak", secrets.token_urlsafe(32)
    make_instance(ensure_distribution((METADATA_DOCUMENTS,)), home)
    server = KeycloakServer(home, free_port(), free_port(), secret, {})
    file = home.parent / "realm.json"
    file.write_text(json.dumps(opened(render_lock(realm_values(public_url, client_secrets)))), encoding="utf-8")
    server.start(file)
    try:
        server.wait_ready(STARTS_WITHIN_S)
        with AdminClient(server.url, "master", BOOTSTRAP_CLIENT, secret) as admin:
            yield Realm(server.url, admin, Secrets(client_secrets))
    finally:
        server.stop()


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    documents = Documents()
    yield documents
    documents.server.shutdown()
    documents.server.server_close()


@pytest.fixture
def browser(realm: Realm) -> Iterator[Browser]:
    with Browser(realm.keycloak_url) as browser:
        yield browser


def flow_of(realm: Realm, client_id: str, scope: str = "mcp:read", redirect_uri: str = REDIRECT) -> CodeFlow:
    return realm.flow(client_id=client_id, redirect_uri=redirect_uri, scope=scope)


def test_the_metadata_announces_them(realm: Realm) -> None:
    metadata = client.get(f"{realm.issuer}/.well-known/openid-configuration").json()
    assert metadata["client_id_metadata_document_supported"] is True


def test_a_client_by_document_logs_a_person_in_and_steps_up(realm: Realm, documents: Documents) -> None:
    client_id, person = documents.publish("good"), realm.add_person()
    for scope in ("mcp:read", "mcp:read mcp:write"):
        flow = flow_of(realm, client_id, scope)
        with Browser(realm.keycloak_url) as browser:
            answer = answered(flow.exchange(flow.log_in(browser, person).answer["code"]))
        assert set(scope.split()) <= set(answer["scope"].split())
    kept = realm.admin.get(f"/{realm.name}/clients", clientId=client_id)[0]
    assert (kept["consentRequired"], kept["fullScopeAllowed"]) == (True, False)


def test_without_pkce_there_is_no_code(realm: Realm, documents: Documents, browser: Browser) -> None:
    flow = flow_of(realm, documents.publish("pkce"))
    assert flow.open(browser, code_challenge=None, code_challenge_method=None).answer["error"] == "invalid_request"


@pytest.mark.parametrize("scope", ["mcp-roles", "mcp-declared", "service_account"])
def test_a_document_brings_no_inner_scope(realm: Realm, documents: Documents, browser: Browser, scope: str) -> None:
    flow = flow_of(realm, documents.publish("scope", scope=f"mcp:read {scope}"), f"mcp:read {scope}")
    assert "error" in flow.open(browser).answer


def test_a_document_brings_no_service_account(realm: Realm, documents: Documents, browser: Browser) -> None:
    flow = flow_of(realm, documents.publish("job", grant_types=["authorization_code", "client_credentials"]))
    assert "error" in flow.open(browser).answer


def test_a_document_is_fetched_from_a_trusted_host_only(realm: Realm, documents: Documents, browser: Browser) -> None:
    client_id = documents.publish("elsewhere").replace("localhost", "127.0.0.1")
    asked = len(documents.asked)
    page = flow_of(realm, client_id).open(browser)
    assert (page.status, page.redirect, len(documents.asked)) == (400, None, asked)


WRONG: dict[str, dict[str, Any]] = {
    "another client id": {"client_id": "http://localhost/other.json"},
    "redirect to a host that is not trusted": {"redirect_uris": ["https://evil.example/callback"]},
    "a secret": {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "x" * 32},
    "no name": {"client_name": None},
    "a member that nobody knows": {"wombat": 1},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_document_is_refused(
    realm: Realm, documents: Documents, browser: Browser, changes: dict[str, Any]
) -> None:
    redirect = changes.get("redirect_uris", [REDIRECT])[0]
    client_id = documents.publish("wrong", **changes)
    page = flow_of(realm, client_id, redirect_uri=redirect).open(browser)
    assert (page.status, page.redirect) == (400, None)
    assert page.form("password") is None
