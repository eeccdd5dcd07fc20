"""The audit trail: its schema and the code say the same, and every reason that the code gives is in the closed list."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.auth.errors import REASONS as TOKEN_REASONS
from service.telemetry.correlation import ENTRANCES, entrance_of
from service.telemetry.log import configure_log
from service.telemetry.outlet import flush_all
from service.telemetry.reasons import REASONS
from tests.unit.tokens import call, send

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "docs" / "audit-event.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)

# Functions of the service that make a refusal, and at which place they take the reason code.
_PLACE = {
    "simple_refusal": 1,
    "Refusal": 1,
    "MessageRefused": 0,
    "TokenRefused": 0,
    "invalid_token": 0,
    "invalid_request": 0,
    "no_credentials": 0,
    "_refusal": 1,
    "parse_object": 1,
    "decode_segment": 1,
    "refused": 1,
    "record": 2,
}
# Behind the guard: the access was allowed, the call itself went wrong.
_BEHIND = {REPOSITORY / "service" / "api", REPOSITORY / "service" / "telemetry" / "correlation.py"}


def given_reasons() -> Iterator[tuple[str, str]]:
    """Yield each reason code that is written out in front of or inside the guard, with its place."""
    for path in sorted((REPOSITORY / "service").rglob("*.py")):
        if path.name != "logout.py" and any(path.is_relative_to(behind) for behind in _BEHIND):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                place = _PLACE.get(name, len(node.args))
                if place < len(node.args) and isinstance(value := node.args[place], ast.Constant):
                    yield str(value.value), f"{path.name}:{node.lineno}"


def test_every_reason_of_the_code_is_in_the_closed_list() -> None:
    unknown = [f"{where} {reason}" for reason, where in given_reasons() if reason not in REASONS]
    assert not unknown, f"add them to service/telemetry/reasons.py: {unknown}"
    assert set(TOKEN_REASONS) <= set(REASONS)


def test_no_reason_of_the_list_is_without_use() -> None:
    edge = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "nginx").glob("*.conf"))
    used = {reason for reason, _ in given_reasons()} | set(TOKEN_REASONS)
    used |= {reason for reason in REASONS if re.search(rf'[" ]{reason};', edge)}
    assert set(REASONS) - used <= {"other"}


def test_the_schema_knows_the_same_reasons_and_entrances() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["reason"]["enum"] == list(REASONS)
    assert set(SCHEMA["properties"]["entrance"]["enum"]) == {*ENTRANCES, "keycloak"}


def test_every_reason_says_what_to_do() -> None:
    for code, reason in REASONS.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert all(text for text in reason), code
        assert reason.sentence.endswith("."), code
        assert reason.fix.endswith("."), code


@pytest.mark.parametrize(
    ("path", "entrance"),
    [
        ("/mcp", "mcp"),
        ("/mcp/", "other"),
        ("/api/v1/tools", "rest"),
        ("/api/v1/tools/echo", "rest"),
        ("/api/v1/toolsecho", "other"),
        ("/.well-known/x", "metadata"),
        ("/livez", "health"),
        ("/" + "x" * 9999, "other"),
    ],
)
def test_the_entrance_is_one_of_a_few_words(path: str, entrance: str) -> None:
    assert entrance_of(path, "/mcp") == entrance
    assert entrance in ENTRANCES


def decisions(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert flush_all()
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [entry for entry in entries if entry["event"].startswith("access_")]


@pytest.mark.requirement("AUDIT-LINE")
def test_lines_fit_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    call("echo", {"text": "x"})
    call("echo", {"text": "x"}, scope=" ".join(f"s{number:04d}{'x' * 95}" for number in range(40)) + " mcp:read")
    call("calculate", {"expression": "1"}, scope="mcp:read")
    call("nothing", {}, sid=None)
    send("BREW", "/" + "x" * 3000)
    send("GET", "/mcp", headers={"Host": "evil.example"})
    lines = decisions(capsys)
    expected = ["allowed", "allowed", "denied", "allowed", "denied", "denied"]
    assert [line["event"].removeprefix("access_") for line in lines] == expected
    for line in lines:
        VALIDATOR.validate(line)
    assert max(len(json.dumps(line)) for line in lines) < 4096
    assert lines[4]["method"] == "OTHER"


def test_the_log_level_does_not_switch_the_audit_trail_off(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        send("POST", "/mcp", settings={"log_level": "error"})
    finally:
        configure_log()  # or the tests after this one would hear nothing
    (line,) = decisions(capsys)
    assert line["reason"] == "no_credentials"
