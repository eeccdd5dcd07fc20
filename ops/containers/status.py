"""The parts of a stack on an engine, as `secure-mcp status` shows them."""

import json

from ops.containers.engine import docker, exists
from ops.containers.environment import StackEnvironment
from ops.down import Part


def status(environment: StackEnvironment) -> list[Part]:
    """Return the parts; one is up when its container runs and its health check says so."""
    urls = {"edge" if "edge" in environment.parts else "service": environment.mcp_url, "keycloak": environment.issuer}
    parts = []
    for part in environment.parts:
        name = environment.container(part)
        state = json.loads(docker("container", "inspect", name))[0]["State"] if exists("container", name) else {}
        up = state.get("Health", {}).get("Status") == "healthy"
        parts.append(Part(part, up, state.get("Pid") or None, urls.get(part, "-"), f"docker logs {name}"))
    return parts
