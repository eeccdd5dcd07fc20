"""A tool of the stack calls another API (`downstream` in conftest.py), a container of its own in the network `app`."""

import subprocess
from collections.abc import Iterator

import pytest

from ops.containers.engine import docker
from ops.tokens import claims_of
from tests.stack.conftest import RunningStack
from tests.support.until import until

pytestmark = pytest.mark.requirement("EXCHANGE-AUDIENCE", "EXCHANGE-NO-PASSTHROUGH")

# Says what is in the token that it was sent; whether its signature holds is the realm tier's.
API = """
import base64, http.server, json

class Says(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        claims = self.headers["authorization"].split(".")[1]
        body = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("", 8000), Says).serve_forever()
"""


@pytest.fixture
def api(stack: RunningStack) -> Iterator[str]:
    name = f"{stack.container('service')}-tested-api"
    network = stack.container("service").replace("-service", "-app")
    image = stack.inspect("service")["Image"]
    docker(
        "run", "--detach", f"--name={name}", f"--network={network}", "--network-alias=api", "--no-healthcheck",
        "--entrypoint=python", image, "-c", API,
    )  # fmt: skip
    probe = ["docker", "exec", name, "python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000))"]
    until(lambda: subprocess.run(probe, capture_output=True).returncode == 0, 60, "the other API listens")
    yield name
    docker("rm", "--force", name)


def test_a_tool_calls_another_api_with_a_token_made_for_it(stack: RunningStack, api: str) -> None:
    token = stack.token("mcp-reader")
    with stack.client() as client:
        answer = client.post(
            f"{stack.environment.public_url}/api/v1/tools/whoami_downstream",
            json={},
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text
    said = answer.json()["result"]["answer"]
    assert (said["aud"], said["azp"], said["scope"]) == ("downstream-api", "mcp-server", "mcp:read")
    assert said["sub"] == claims_of(token)["sub"]
    assert said["jti"] != claims_of(token)["jti"]
