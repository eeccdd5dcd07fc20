"""Keycloak's login and administration events are JSON on its standard output; the queries of the docs find them."""

import re
import shutil
import subprocess

import httpx
import pytest

from ops.admin import AdminClient
from ops.environment import REALM, REPOSITORY
from ops.secrets import BOOTSTRAP_ADMIN
from tests.stack.conftest import RunningStack
from tests.support.until import until

PAGE = (REPOSITORY / "docs" / "observability.md").read_text(encoding="utf-8")
SHOWN = PAGE.partition("<!-- queries: keycloak -->")[2].partition("<!-- end -->")[0]
QUERIES = dict(re.findall(r"^    # (.+)\n    (.+)$", SHOWN, re.MULTILINE))


def answer(stack: RunningStack, begin: str) -> str:
    """Run a query of the docs on this stack."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    (query,) = [query for question, query in QUERIES.items() if question.startswith(begin)]
    query = query.replace("secure-mcp-dev-", f"secure-mcp-{stack.environment.name}-")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", query], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.requirement("AUDIT-KEYCLOAK")
def test_a_refused_login_is_found(stack: RunningStack, https: httpx.Client) -> None:
    body = {"grant_type": "client_credentials", "client_id": "mcp-reader", "client_secret": "guessed-by-a-stranger"}
    url = f"{stack.environment.keycloak_url}/realms/{REALM}/protocol/openid-connect/token"
    assert https.post(url, data=body).status_code == 401
    until(lambda: 'clientId="mcp-reader"' in answer(stack, "who was refused"), 20, "the event in the log")
    said = answer(stack, "who was refused")
    assert 'type="CLIENT_LOGIN_ERROR"' in said
    assert 'error="invalid_client_credentials"' in said
    assert "guessed-by-a-stranger" not in said


@pytest.mark.requirement("AUDIT-KEYCLOAK")
def test_the_same_client_is_found_on_both_sides(stack: RunningStack, https: httpx.Client) -> None:
    assert stack.echo(https, stack.token("mcp-automation")).status_code == 200
    until(lambda: 'type="CLIENT_LOGIN"' in answer(stack, "what one client"), 20, "the login")
    until(lambda: '"tool":"echo"' in answer(stack, "the same id"), 20, "the call")


@pytest.mark.requirement("AUDIT-KEYCLOAK")
def test_what_an_administrator_changed_is_found(stack: RunningStack) -> None:
    with AdminClient(stack.environment.operator_url, "master", BOOTSTRAP_ADMIN, stack.secret(BOOTSTRAP_ADMIN)) as admin:
        admin.post(f"/{REALM}/users", {"username": "seen-by-the-audit", "enabled": False})
        (user,) = admin.get(f"/{REALM}/users", username="seen-by-the-audit")
        admin.delete(f"/{REALM}/users/{user['id']}")
    until(lambda: user["id"] in answer(stack, "what administrators"), 20, "the change")
    said = answer(stack, "what administrators")
    assert re.search(rf'operationType="DELETE".*resourcePath="users/{user["id"]}"', said)


def test_every_query_is_tried() -> None:
    assert len(QUERIES) == 4
