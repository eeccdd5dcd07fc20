"""`secure-mcp why`: every reason becomes a sentence that names the fix; nothing is left unfilled."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.explain import explain
from service.contract import load_contract
from service.telemetry.chain import GENESIS, Link, chained
from service.telemetry.reasons import REASONS

RUN = CliRunner()
CONTRACT = load_contract()


def line(reason: str, **changes: Any) -> dict[str, Any]:
    events = {"sufficient_scope": "access_allowed", "session_ended": "session_revoked"}
    event = events.get(reason, "access_denied")
    common = {"time": "2026-11-22T10:00:00.000000Z", "level": "info", "event": event, "request_id": "r-1"}
    return {**common, "layer": "service", "reason": reason, "status": 403, **changes}


@pytest.mark.requirement("AUDIT-WHY")
@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_a_sentence_with_a_way_out(reason: str) -> None:
    found = explain(
        line(reason, client="mcp-reader", tool="calculate"), CONTRACT, "http://issuer", "http://audience/mcp"
    )
    for text in (found.sentence, found.fix):
        assert text.endswith(".")
        assert "{" not in text
    assert found.decided_by


@pytest.mark.requirement("AUDIT-WHY")
def test_a_logout_is_explained_as_one() -> None:
    refused = explain(line("wrong_audience", event="logout_refused", client_address="192.0.2.7"), CONTRACT, "i", "a")
    assert refused.sentence == "A logout token was refused (wrong_audience), so no session ended."
    assert refused.decision == "refused with HTTP 403 by the service"
    assert "from 192.0.2.7" in refused.fix
    assert "try again" in explain(line("keys_unavailable", event="logout_refused"), CONTRACT, "i", "a").fix
    assert explain(line("session_ended"), CONTRACT, "i", "a").decision == "taken: the session ended"


@pytest.mark.requirement("AUDIT-WHY")
@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("mcp-cli", "access.yaml lets mcp-cli ask for it"),
        ("mcp-reader", "mcp-reader may not: add mcp:write to its optional_scopes in access.yaml, or call as "),
        ("somebody", "registered by itself"),
    ],
)
def test_a_missing_scope_says_who_may_ask_for_it(client: str, words: str) -> None:
    given = line(
        "insufficient_scope", client=client, tool="calculate", scopes_asked=["mcp:write"], scopes_held=["mcp:read"]
    )
    found = explain(given, CONTRACT, "", "")
    assert found.sentence == f"The token of {client} holds mcp:read, and the tool calculate needs mcp:write."
    assert words in found.fix


def test_the_command_reads_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    log = tmp_path / "service.log"
    other = {**line("expired"), "request_id": "r-2"}
    log.write_text(
        "".join(f"{json.dumps(entry)}\n" for entry in (other, line("revoked"), {"request_id": "r-1"})) + "r-1\n"
    )
    done = RUN.invoke(app, ["why", "r-1", "--file", str(log)])
    assert done.exit_code == 0
    assert "refused with HTTP 403 by the service, reason revoked" in done.output
    assert "Log in again." in done.output
    done = RUN.invoke(app, ["why", "r-2", "--file", "-", "--json"], input=log.read_text())
    assert json.loads(done.stdout)[0]["reason"] == "expired"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["r-9"], "No decision about r-9"), (["a b"], "is no request id"), (["r-1", "--file", "nowhere"], "no file")],
)
def test_what_cannot_be_explained_says_so(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "service.log").write_text("")
    done = RUN.invoke(app, ["why", *arguments])
    assert words in str(done.exception)


@pytest.mark.requirement("AUDIT-CHAIN")
def test_verify_proves_a_file_or_names_the_place(tmp_path: Path) -> None:
    path, last = tmp_path / "audit.jsonl", Link(0, GENESIS)
    texts = []
    for _ in range(3):
        text, last = chained(json.dumps(line("expired")), last)
        texts.append(text)
    path.write_text("\n".join(texts) + "\n")
    done = RUN.invoke(app, ["audit-log", "verify", str(path), "--anchor", f"{last.seq}:{last.hash}"])
    assert done.exit_code == 0, done.output
    report = RUN.invoke(app, ["audit-log", "verify", str(path), "--json"])
    assert json.loads(report.stdout)["lines"] == 3
    path.write_text("\n".join([texts[0], texts[2]]) + "\n")
    assert RUN.invoke(app, ["audit-log", "verify", str(path), "--json"]).exit_code == 1
    assert "is broken in 1 places" in str(RUN.invoke(app, ["audit-log", "verify", str(path)]).exception)
    path.write_text("")
    assert "holds no line" in str(RUN.invoke(app, ["audit-log", "verify", str(path)]).exception)
    assert "is no anchor" in str(RUN.invoke(app, ["audit-log", "verify", str(path), "--anchor", "1"]).exception)
