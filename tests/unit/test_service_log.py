"""The log: JSON, one line an event, a closed list of events, no token; and the correlation id."""

import asyncio
import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.responses import Response

from service.telemetry.correlation import Correlation
from service.telemetry.events import Event
from service.telemetry.log import configure_log, redact
from service.telemetry.outlet import flush_all
from tests.unit.tokens import make_token, send

SERVICE = Path(__file__).resolve().parents[2] / "service"


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_written(capsys).splitlines()]


def text_written(capsys: pytest.CaptureFixture[str]) -> str:
    assert flush_all()
    return capsys.readouterr().out


def test_our_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    structlog.get_logger("x").info(Event.SERVICE_STARTED, text='a"\n{"event":"forged"}\u202e\x1b[31m')
    structlog.get_logger("x").debug(Event.SERVICE_STOPPED)
    out = text_written(capsys)
    assert out.count("\n") == 1
    assert out.isascii()
    entry = json.loads(out)
    assert list(entry)[:3] == ["time", "level", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", entry["time"])
    assert entry["event"] == "service_started"


def test_lines_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("gunicorn.error").warning("line 1\nline 2")
    logging.getLogger("uvicorn.access").info("GET /mcp?access_token=x")
    logging.getLogger("httpx").info("HTTP Request: GET http://localhost")
    entries = written(capsys)
    assert [(entry["event"], entry["logger"]) for entry in entries] == [
        ("library", "uvicorn.error"),
        ("library", "gunicorn.error"),
    ]
    assert entries[0]["message"] == "Started server process [7]"


def test_warnings_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    logging.captureWarnings(False)
    (entry,) = written(capsys)
    assert (entry["level"], entry["logger"]) == ("warning", "py.warnings")


def test_an_exception_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    try:
        try:
            json.loads("{argument")
        except ValueError as error:
            raise RuntimeError("argument") from error
    except RuntimeError:
        logging.getLogger("fastmcp.server").exception("failed")
        structlog.get_logger("x").exception(Event.REQUEST_FAILED)
    out = text_written(capsys)
    assert "argument" not in out
    for line in out.splitlines():
        entry = json.loads(line)
        assert entry["exception"] == "builtins.RuntimeError"
        assert entry["cause"] == "json.decoder.JSONDecodeError"
        assert entry["frames"][0].startswith("unit/test_service_log.py:")


def test_tokens_are_taken_out() -> None:
    token = make_token()
    for text in (f"x {token} y", f"Authorization: Bearer {token}", f"GET /mcp?access_token={token}&a=b", f"'{token}'"):
        clean = redact(text)
        assert "[redacted]" in clean
        assert not any(part in clean for part in token.split("."))
    assert redact("GET /mcp?a=b&access_token=opaque HTTP/1.1") == "GET /mcp?a=b&access_token=[redacted] HTTP/1.1"
    assert redact("bearer opaque") == "bearer [redacted]"
    assert len(redact("x" * 9999)) == 2000


def test_every_event_of_the_code_is_in_the_closed_list_and_the_other_way_round() -> None:
    used: set[str] = set()
    for path in SERVICE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= {Event[name].value for name in re.findall(r"\bEvent\.([A-Z_]+)", text)}
        used |= set(re.findall(r'log\.(?:debug|info|warning|error|exception)\(\s*"([^"]*)"', text))
    assert used == {event.value for event in Event}


def test_the_events_are_described() -> None:
    described = (SERVICE / "README.md").read_text(encoding="utf-8")
    assert [event.value for event in Event if f"`{event.value}`" not in described] == []


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "x" * 128])
def test_a_harmless_request_id_is_kept(given: str) -> None:
    assert send("GET", "/livez", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'a"', "ü".encode().decode("latin-1"), "a\tb", "a,b", "<a>"])
def test_any_other_request_id_is_replaced(given: str) -> None:
    headers = [(b"X-Request-ID", given.encode("latin-1"))]
    assert re.fullmatch(r"[0-9a-f]{32}", send("GET", "/livez", headers=headers).headers["x-request-id"])


def test_two_request_ids_are_replaced() -> None:
    headers = [("X-Request-ID", "a"), ("X-Request-ID", "b")]
    assert re.fullmatch(r"[0-9a-f]{32}", send("GET", "/livez", headers=headers).headers["x-request-id"])


def test_the_trace_id_serves_when_there_is_no_request_id() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert send("GET", "/livez", headers=headers).headers["x-request-id"] == trace
    for wrong in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{trace}-{'0' * 16}-01", f"ff-{trace}-00f067aa0ba902b7-01"):
        assert send("GET", "/livez", headers={"traceparent": wrong}).headers["x-request-id"] != trace


def test_the_request_id_is_on_every_line_and_in_every_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    answer = send("POST", "/mcp", headers={"X-Request-ID": "abc-1"})
    assert answer.json()["request_id"] == "abc-1"
    entries = [entry for entry in written(capsys) if not entry["event"].startswith("service_")]
    assert [(entry["event"], entry["request_id"]) for entry in entries] == [
        ("access_denied", "abc-1"),
        ("request", "abc-1"),
    ]
    assert (entries[1]["method"], entries[1]["path"], entries[1]["status"]) == ("POST", "/mcp", 401)


def test_a_query_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    send("GET", "/version?access_token=opaque")
    assert "opaque" not in text_written(capsys)


def test_an_address_forges_no_member_of_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The zone of an IPv6 address (RFC 4007 section 11) may be any text, and a proxy passes it on."""
    given = 'fe80::1%", "event": "forged'

    async def main() -> None:
        transport = httpx.ASGITransport(Correlation(Response()), client=(given, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/")

    asyncio.run(main())
    (entry,) = written(capsys)
    assert (entry["event"], entry["address"]) == ("request", given)
