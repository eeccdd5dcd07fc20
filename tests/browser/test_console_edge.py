"""The pages behind the edge: https, each header once, and the same walk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from ops.admin import AdminClient
from ops.realm import render_lock
from tests.browser.pages import ApiDocs, Console
from tests.browser.watch import SIZE, Watch, origin_of
from tests.support.edge import Edge, edge
from tests.support.fixtures import ServiceStarter, realm_values
from tests.support.realm import Realm, Stack
from tests.support.relay import free_port
from tests.support.secrecy import Secrets

pytestmark = pytest.mark.requirement("CONSOLE-EDGE")

ONCE = (
    "content-security-policy",
    "cross-origin-opener-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "permissions-policy",
    "cache-control",
)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def realm(stack: Stack, admin: AdminClient, client_secrets: dict[str, str], port: int) -> Iterator[Realm]:
    """The same realm for a service at https://localhost:PORT, in the same Keycloak."""
    realm = Realm(stack.keycloak_url, admin, Secrets(client_secrets), name="edge-realm")
    admin.post("", json=render_lock(realm_values(f"https://localhost:{port}", client_secrets), realm.name))
    yield realm
    admin.delete(f"/{realm.name}")


@pytest.fixture(scope="module")
def front(
    realm: Realm, start_service: ServiceStarter, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Edge]:
    """The real Nginx before a service of its own."""
    folder: Path = tmp_path_factory.mktemp("edge") / "nginx"
    audience = f"https://localhost:{port}/mcp"
    with start_service(SECURE_MCP_AUDIENCE=audience, SECURE_MCP_ISSUER=realm.issuer) as service:
        assert service.process is not None
        service.process.wait_ready(60)
        with edge(folder, port, int(service.url.rpartition(":")[2])) as front:
            yield front


def test_each_header_once_and_nothing_else_is_open(front: Edge) -> None:
    with httpx.Client(base_url=front.origin, verify=front.trust, trust_env=False) as client:
        for path in ("/", "/console/callback", "/docs", "/docs/oauth2-redirect"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert {name: len(answer.headers.get_list(name)) for name in ONCE} == dict.fromkeys(ONCE, 1), path
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert "script-src 'self';" in answer.headers["content-security-policy"]
        assert client.get("/console/config.json").json()["resource"] == f"{front.origin}/mcp"
        assert client.get("/openapi.json").status_code == 200
        assert {path: client.get(path).status_code for path in ("/console/x", "/docs/x", "/index.html")} == {
            "/console/x": 401,
            "/docs/x": 401,
            "/index.html": 404,
        }


def test_the_walk_through_the_edge(front: Edge, realm: Realm, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=SIZE, ignore_https_errors=True)
    watch = Watch(page, front.origin, origin_of(realm.issuer))
    person = realm.add_person()
    console = Console(page, watch).open().sign_in(person)
    expect(console.call("echo", text="through the edge")).to_contain_text("200: answered")
    expect(console.call("calculate", expression="6 * 7")).to_contain_text("403: insufficient scope")
    page.click("#step-up")
    expect(console.outcome.locator("code").first).to_have_text("42")
    docs = ApiDocs(page, watch).open()
    docs.sign_in("mcp:read")
    assert docs.call("echo") == "200"
    watch.assert_clean()
