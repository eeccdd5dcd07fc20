"""Thirty and more kinds of calls through a real edge: one audit line each, one id everywhere, no secret anywhere."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from ops.cli import app
from service.telemetry.chain import verify
from tests.security.issuer import FakeIssuer, serving
from tests.security.kinds import CANARY, ECHO, HANDSHAKE, JSON, OTHER, Call, eager, kinds
from tests.security.system import Service, free_port, service
from tests.security.test_revocation import log_out, logout_token
from tests.support.collector import Collector, attributes
from tests.support.edge import Edge, edge
from tests.support.until import until
from tests.unit.test_audit import VALIDATOR

CLIENT_SECRET = "7f0c2d9be1a84c63b5d09f3e"
# Parts of tokens that are shorter prove nothing.
SHORTEST = 16
# More than the kinds send of one caller.
CALLER_RATE = 100


@dataclass(frozen=True)
class Evidence:
    """What was called and answered, and everything that was written about it."""

    calls: dict[str, Call]
    answers: dict[str, httpx.Response]
    traceparents: dict[str, str]
    edge_log: list[dict[str, Any]]
    service_log: list[dict[str, Any]]
    audit_file: Path
    collector: Collector
    texts: dict[str, str]

    def id_of(self, name: str) -> str:
        return request_id(name)

    def audit_lines(self, lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
        wanted = self.id_of(name)
        return [line for line in lines if line["event"].startswith("access_") and line["request_id"] == wanted]

    def decision(self, name: str) -> dict[str, Any]:
        (line,) = self.audit_lines(self.edge_log + self.service_log, name)
        return line


def request_id(name: str) -> str:
    return f"kind-{re.sub('[^A-Za-z0-9]', '-', name)}"


def made(client: httpx.Client, origin: str, name: str, call: Call, traceparent: str) -> httpx.Response:
    headers = {"X-Request-ID": request_id(name), "traceparent": traceparent, **call.headers}
    return client.request(call.method, f"{origin}{call.path}", headers=headers, content=call.body)


@pytest.fixture(scope="module")
def evidence(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    folder = tmp_path_factory.mktemp("kinds")
    port, audit_file = free_port(), folder / "audit.jsonl"
    settings = {
        "AUDIENCE": f"https://localhost:{port}/mcp",
        "AUDIT_SINKS": "stdout,file,otlp",
        "AUDIT_FILE": str(audit_file),
        "CALLER_REQUESTS_PER_MINUTE": str(CALLER_RATE),
        "CLIENT_SECRET": CLIENT_SECRET,
        "TRACE_RATIO": "1",
    }
    # The edge counts: so slowly that a flood is one, so generously that the calls before it are none.
    rates = {"rate_mcp": "1r/m", "burst_mcp": "120"}
    answers: dict[str, httpx.Response] = {}
    with serving(Collector()) as collector:
        settings["OTLP_ENDPOINT"] = collector.url
        with service(issuer.issuer("shared"), folder, **settings) as running:
            audience = Service(f"https://localhost:{port}", running.issuer, running.log)
            calls = kinds(audience.world)
            traceparents = {name: f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00" for name in calls}
            with (
                edge(folder / "edge", port, int(running.origin.rpartition(":")[2]), **rates) as front,
                _client(front) as client,
            ):
                _send_too_much(running, audience)
                answers = _call_all(calls, traceparents, front, client, running, issuer, folder)
                until(lambda: _written(running, collector, calls), 20, "the last line, span and record")
                edge_log = _lines(front.log)
                texts = {"edge": front.log.read_text(), "errors of the edge": front.errors.read_text()}
        texts |= {"service": running.log.read_text(), "audit file": audit_file.read_text()}
        edge_log += _lines(folder / "dead" / "access.log")
        texts["errors of the other edge"] = (folder / "dead" / "errors.log").read_text()
        texts["collector"] = "\n".join(body.decode("latin-1") for _, body in collector.received)
        yield Evidence(calls, answers, traceparents, edge_log, _lines(running.log), audit_file, collector, texts)


def _send_too_much(running: Service, audience: Service) -> None:
    """Let one caller use its rate up, past the edge, which has one of its own for each address."""
    headers = {
        **HANDSHAKE,
        **JSON,
        "Host": audience.origin.removeprefix("https://"),
        "Authorization": f"Bearer {eager(audience.world)}",
    }
    with httpx.Client(trust_env=False, headers=headers) as client:
        statuses = {client.post(f"{running.origin}/mcp", content=ECHO).status_code for _ in range(CALLER_RATE + 1)}
    assert statuses == {200, 429}


def _client(front: Edge) -> httpx.Client:
    """A connection for each call: an answer that came before the end of a body may be the last on its connection."""
    alone = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(verify=front.trust, trust_env=False, timeout=30, limits=alone)


def _call_all(
    calls: dict[str, Call],
    traceparents: dict[str, str],
    front: Edge,
    client: httpx.Client,
    running: Service,
    issuer: FakeIssuer,
    folder: Path,
) -> dict[str, httpx.Response]:
    answers = {}
    assert log_out(running, logout_token(running, sid="ended-session")) == 200
    special = {"too many", "no keys", "no service"}
    for name, call in calls.items():
        if name not in special:
            answers[name] = made(client, front.origin, name, call, traceparents[name])
    issuer.down = True
    try:
        answers["no keys"] = made(client, front.origin, "no keys", calls["no keys"], traceparents["no keys"])
    finally:
        issuer.down = False
    until(lambda: client.get(f"{front.origin}/livez").status_code == 429, 60, "the edge to have enough")
    answers["too many"] = made(client, front.origin, "too many", calls["too many"], traceparents["too many"])
    with (
        edge(folder / "dead", free_port(), free_port()) as dead,
        httpx.Client(verify=dead.trust, trust_env=False) as other,
    ):
        answers["no service"] = made(other, dead.origin, "no service", calls["no service"], traceparents["no service"])
    return answers


def _written(running: Service, collector: Collector, calls: dict[str, Call]) -> bool:
    of_service = {request_id(name) for name, call in calls.items() if call.layer == "service"}
    spans = {attributes(span).get("secure_mcp.request_id") for span in collector.spans()}
    records = {attributes(record).get("secure_mcp.request_id") for record in collector.records()}
    log = running.log.read_text()
    return of_service <= spans and of_service <= records and all(f'"{found}"' in log for found in of_service)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.requirement("AUDIT-LINE")
def test_each_call_is_answered_as_it_should(evidence: Evidence) -> None:
    assert len(evidence.calls) >= 30
    wrong = {
        name: answer.status_code
        for name, answer in evidence.answers.items()
        if answer.status_code != evidence.calls[name].status
    }
    assert wrong == {}
    assert evidence.answers.keys() == evidence.calls.keys()


@pytest.mark.requirement("AUDIT-LINE")
def test_each_call_has_exactly_one_audit_line_in_each_sink_that_fits_the_schema(evidence: Evidence) -> None:
    of_file = _lines(evidence.audit_file)
    for name, call in evidence.calls.items():
        line = evidence.decision(name)
        VALIDATOR.validate(line)
        allowed = call.reason == "sufficient_scope"
        assert (line["event"], line["layer"], line["reason"]) == (
            "access_allowed" if allowed else "access_denied",
            call.layer,
            call.reason,
        ), name
        assert line.get("status") == (None if allowed else call.status), name
        if call.layer == "service":
            (copy,) = evidence.audit_lines(of_file, name)
            VALIDATOR.validate(copy)
            assert {key: value for key, value in copy.items() if key != "chain"} == line
            (record,) = [
                found
                for found in evidence.collector.records()
                if attributes(found).get("secure_mcp.request_id") == evidence.id_of(name)
            ]
            assert json.loads(record.body.string_value) == line


@pytest.mark.requirement("AUDIT-LINE")
def test_a_logout_has_exactly_one_audit_line_in_each_sink(evidence: Evidence) -> None:
    sinks = [evidence.service_log, _lines(evidence.audit_file)]
    sinks.append([json.loads(found.body.string_value) for found in evidence.collector.records()])
    for lines in sinks:
        (line,) = [line for line in lines if line["event"].startswith(("session_", "logout_"))]
        VALIDATOR.validate(line)
        assert (line["event"], line["session"], line["entrance"]) == ("session_revoked", "ended-session", "logout")


@pytest.mark.requirement("AUDIT-CHAIN")
def test_the_file_is_one_chain_and_its_anchor_is_in_the_log(evidence: Evidence) -> None:
    lines = evidence.audit_file.read_text().splitlines()
    anchors = {line["seq"]: line["hash"] for line in evidence.service_log if line["event"] == "audit_anchor"}
    assert anchors
    assert verify(lines, anchors).problems == []


@pytest.mark.requirement("LOG-CORRELATION")
def test_one_id_in_edge_service_trace_and_answer(evidence: Evidence) -> None:
    spans = evidence.collector.spans()
    for name, call in evidence.calls.items():
        wanted, trace = evidence.id_of(name), evidence.traceparents[name].split("-")[1]
        answer = evidence.answers[name]
        assert answer.headers.get_list("x-request-id") == [wanted], name
        (passed,) = [
            line for line in evidence.edge_log if line["event"] == "edge_request" and line["request_id"] == wanted
        ]
        assert (passed["trace_id"], passed["status"]) == (trace, call.status), name
        assert evidence.decision(name)["trace_id"] == trace, name
        if call.layer == "service":
            (request,) = [
                line for line in evidence.service_log if line["event"] == "request" and line["request_id"] == wanted
            ]
            assert (request["trace_id"], request["status"]) == (trace, call.status), name
            (span,) = [found for found in spans if attributes(found).get("secure_mcp.request_id") == wanted]
            assert span.trace_id.hex() == trace, name
            assert span.parent_span_id.hex() == evidence.traceparents[name].split("-")[2], name
            assert attributes(span)["http.response.status_code"] == call.status, name


@pytest.mark.requirement("TRACES")
def test_a_trace_goes_from_the_request_to_the_tool_and_out_to_keycloak(evidence: Evidence) -> None:
    def names(call: str) -> set[str]:
        trace = evidence.traceparents[call].split("-")[1]
        return {span.name for span in evidence.collector.spans() if span.trace_id.hex() == trace}

    # A worker that remembers the token from a call before does not validate it again.
    assert names("a tool") - {"validate token"} == {"POST {mcp endpoint}", "execute_tool echo"}
    assert names("REST") - {"validate token"} == {"POST /api/v1/tools/{name}", "execute_tool echo"}
    assert names("no token") == {"POST {mcp endpoint}"}
    assert {"GET", "validate token"} <= names("an unknown key")


@pytest.mark.requirement("LOG-SECRECY")
def test_no_sink_holds_a_token_a_secret_or_an_argument(evidence: Evidence) -> None:
    tokens = {
        call.headers["Authorization"].partition(" ")[2]
        for call in evidence.calls.values()
        if "Authorization" in call.headers
    }
    parts = {part for token in tokens for part in re.split(r"[., ]+", token)[1:] if len(part) >= SHORTEST}
    assert len(parts) > 25
    forbidden = {
        *parts,
        CLIENT_SECRET,
        CANARY,
        OTHER,
        "271828182",
        "Y2FuYXJ5",
        "canary",
        "evil.example",
        "opaque-token",
    }
    leaks = {(sink, word[:24]) for sink, text in evidence.texts.items() for word in forbidden if word in text}
    assert leaks == set()


@pytest.mark.requirement("AUDIT-WHY")
def test_why_explains_each_call_in_a_sentence_that_names_the_fix(evidence: Evidence, tmp_path: Path) -> None:
    log = tmp_path / "everything.log"
    log.write_text("\n".join(json.dumps(line) for line in evidence.edge_log + evidence.service_log))
    said = {}
    for name, call in evidence.calls.items():
        done = CliRunner().invoke(app, ["why", evidence.id_of(name), "--file", str(log), "--json"])
        assert done.exit_code == 0, (name, done.output)
        (found,) = json.loads(done.stdout)
        assert found["reason"] == call.reason
        assert found["fix"].endswith(".")
        assert "{" not in found["fix"] + found["sentence"]
        said[name] = found["sentence"] + found["fix"]
    fixes = {call.reason: said[name] for name, call in evidence.calls.items()}
    assert len(set(fixes.values())) == len(fixes)
    assert "mcp:write" in fixes["insufficient_scope"]
    assert "mcp-automation" in fixes["insufficient_scope"]
