"""The log of the service: a line for each decision, and never a token, a secret or an argument."""

import json
from typing import Any

import pytest

from tests.support.http import Service
from tests.support.realm import Stack
from tests.support.secrecy import secrets_in
from tests.support.until import until


def lines_of(stack: Stack, request_id: str) -> list[dict[str, Any]]:
    """Return the log lines of one request."""
    lines = stack.service_log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if request_id in line]


@pytest.mark.requirement("LOG-DECISIONS")
@pytest.mark.parametrize(
    ("case", "status"),
    [("allowed", 200), ("forbidden", 403), ("nobody", 401), ("forged", 401)],
    ids=lambda value: str(value),
)
def test_each_decision_is_one_line(stack: Stack, service: Service, reader_token: str, case: str, status: int) -> None:
    token = {"nobody": None, "forged": reader_token[:-6] + "AAAAAA"}.get(case, reader_token)
    tool, arguments = (
        ("calculate", {"expression": "40 + 2"}) if case == "forbidden" else ("echo", {"text": "canary-argument"})
    )
    request_id = f"decision-{case}"
    response = service.use(tool, arguments, token, headers={"X-Request-ID": request_id})
    assert response.status_code == status
    lines = until(lambda: lines_of(stack, request_id), 5, "the log line")
    decisions = [line for line in lines if line["event"].startswith("access_")]
    assert len(decisions) == 1, lines
    decision = decisions[0]
    assert decision["event"] == ("access_allowed" if status == 200 else "access_denied")
    assert status == 200 or (decision["reason"], decision["status"])[1] == status
    if case in {"allowed", "forbidden"}:
        assert (decision["client"], decision["tool"]) == ("mcp-reader", tool)
        assert decision["sub"]


@pytest.mark.requirement("LOG-SECRECY", "MCP-R15")
def test_no_log_holds_a_token_a_secret_or_an_argument(
    stack: Stack, service: Service, reader_token: str, automation_token: str
) -> None:
    request_id = "secrecy-last"
    service.use("echo", {"text": "canary-argument"}, reader_token)
    service.use("calculate", {"expression": "987654321 * 2"}, automation_token, entrance="rest")
    service.use("calculate", {"expression": "canary ("}, automation_token, entrance="rest")
    service.use("echo", {"canary-name": "x"}, reader_token)
    service.get(f"/livez?access_token={reader_token}")
    service.get(f"/api/v1/tools?access_token={reader_token}")
    service.use("echo", {"text": "x"}, reader_token[:-4] + "AAAA")
    service.use("echo", {"text": "x"}, headers={"Authorization": f"Bearer {reader_token}, Bearer {automation_token}"})
    service.use("echo", {"text": "x"}, reader_token, headers={"X-Request-ID": request_id})
    until(lambda: lines_of(stack, request_id), 5, "the last log line")
    assert secrets_in(stack, stack.service_log) == []
    log = stack.service_log.read_text(encoding="utf-8")
    assert "canary-argument" not in log
    assert "987654321" not in log
    assert "canary" not in log


@pytest.mark.requirement("LOG-SECRECY")
def test_every_line_of_the_log_is_json(stack: Stack, service: Service) -> None:
    service.use("echo", {"text": "x"}, "x\\ny.z.{}")
    for line in stack.service_log.read_text(encoding="utf-8").splitlines():
        assert {"event", "time", "level"} <= json.loads(line).keys(), line


@pytest.mark.requirement("LOG-SECRECY")
def test_keycloak_logs_no_secret(stack: Stack, reader_token: str) -> None:
    assert secrets_in(stack, stack.keycloak_log) == []
