"""The edge's own lines: never a token, however a client presents it."""

from pathlib import Path

import pytest

from tests.support.http import Service
from tests.support.realm import Stack
from tests.support.secrecy import secrets_in
from tests.support.until import until


@pytest.mark.requirement("MCP-R15", "LOG-SECRECY")
def test_no_line_of_the_edge_holds_a_token(stack: Stack, service: Service, edge_log: Path, reader_token: str) -> None:
    service.use("echo", {"text": "canary-argument"}, reader_token)
    service.get(f"/api/v1/tools?access_token={reader_token}")
    service.get(f"/console/{reader_token}")
    service.get(f"/{reader_token}")
    service.use("echo", {"text": "x"}, reader_token + ", Bearer " + reader_token)
    service.use("echo", {"text": "x"}, headers={"Cookie": f"token={reader_token}"})
    service.use("echo", {"text": "x"}, reader_token, headers={"X-Request-ID": "the-last-of-these"})
    until(lambda: "the-last-of-these" in edge_log.read_text(encoding="utf-8"), 10, "the edge's line")
    text = edge_log.read_text(encoding="utf-8")
    assert "/api/v1/tools" in text
    assert "canary-argument" not in text
    assert secrets_in(stack, edge_log, edge_log.with_name("errors.log")) == []
