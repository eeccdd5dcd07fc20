"""Answers and log lines of the guard, whole and exact, where a status alone would not tell."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from service.auth.body import BODY_IS_THERE, MAX_BODY_BYTES, Disconnected, read_body, replay
from service.auth.challenge import Challenges, Refusal
from service.auth.jsonrpc import MessageRefused
from tests.security.inside import ask, decisions, guarded
from tests.security.judge import Keys, token, validator
from tests.security.wire import Answer

pytestmark = pytest.mark.requirement("HOSTILE-TOKENS")

HEADER_OF_TWO_SCOPES = (
    b'Bearer error="insufficient_scope", error_description="This call needs the scope a b", '
    b'resource_metadata="http://x/", scope="a b"'
)
ID = [(b"x-request-id", b"abc")]


def test_an_outage_is_told_and_logged() -> None:
    keys = Keys()
    keys.away = True
    with decisions() as lines:
        answer = ask(guarded(validator(keys=keys)), [*ID, (b"authorization", b"Bearer " + token("ES256").encode())])
    body = json.dumps(
        {
            "error": "temporarily_unavailable",
            "error_description": "The authorization server's keys are not available; try again later",
            "request_id": "abc",
        }
    ).encode()
    assert (answer.status, answer.body) == (503, body)
    assert dict(answer.headers) == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "content-length": str(len(body)),
        "retry-after": "5",
        "x-request-id": "abc",
    }
    assert [(line["event"], line["reason"]) for line in lines] == [("access_denied", "keys_unavailable")]


@pytest.mark.parametrize(("seconds", "told"), [(0, "1"), (-5, "1"), (1, "1"), (2, "2"), (7, "7")])
def test_clients_are_never_told_to_come_back_at_once(seconds: int, told: str) -> None:
    headers, _ = Challenges("http://x/", ()).keys_unavailable(seconds).render("id")
    assert (b"retry-after", told.encode()) in headers


def test_a_refusal_carries_its_reason_for_the_log_only() -> None:
    challenges = Challenges("http://x/", ("mcp:read",))
    made: list[tuple[Refusal, str]] = [
        (challenges.no_credentials("why"), "why"),
        (challenges.invalid_token("why", "text"), "why"),
        (challenges.invalid_request("why", "text"), "why"),
        (challenges.insufficient_scope(("a", "b")), "insufficient_scope"),
        (challenges.keys_unavailable(5), "keys_unavailable"),
    ]
    for refusal, reason in made:
        assert (refusal.reason, str(refusal)) == (reason, reason)
        headers, body = refusal.render("id")
        assert b"why" not in body + b"".join(value for _, value in headers)


def test_every_scope_that_a_call_needs_is_named() -> None:
    headers, body = Challenges("http://x/", ()).insufficient_scope(("a", "b")).render("id")
    assert json.loads(body)["error_description"] == "This call needs the scope a b"
    assert (b"www-authenticate", HEADER_OF_TWO_SCOPES) in headers


def test_a_client_that_registered_itself_is_told_how_to_get_more() -> None:
    challenges = Challenges("http://x/", (), frozenset({"declared"}))
    for client, more in (
        ("declared", ""),
        (
            "stranger",
            ". Should the authorization server answer invalid_scope, this client registered with fewer scopes: "
            "register it again without naming any",
        ),
    ):
        _, body = challenges.insufficient_scope(("a", "b"), client).render("id")
        assert json.loads(body)["error_description"] == f"This call needs the scope a b{more}"


@pytest.mark.parametrize("path", ["/api/v1/tools/calculate", "/calculate", "/x/calculate", "/api/v1/tools/x/calculate"])
def test_a_tool_is_named_by_its_own_path_only(path: str) -> None:
    """`calculate` needs mcp:write; another path that ends so is no call of it and needs what any request needs."""
    shown = [(b"authorization", b"Bearer " + token("ES256").encode())]
    with decisions():
        status = ask(guarded(validator()), shown, path=path).status
    assert status == (403 if path == "/api/v1/tools/calculate" else 200)


def test_a_body_is_played_back_once_and_then_the_connection_goes_on() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def main() -> None:
        again = replay(b"body", receive)
        assert await again() == {"type": "http.request", "body": b"body", "more_body": False}
        assert [await again() for _ in range(2)] == [{"type": "http.disconnect"}] * 2

    asyncio.run(main())


def test_what_stands_in_a_challenge_cannot_end_it() -> None:
    value = 'a"b\\c\r\nd\u00e9~ \x7f'
    headers, _ = Challenges("http://x/", ()).invalid_token("why", value).render("id")
    quoted = b'error_description="a\\"b\\\\c??d?~ ?"'
    assert (
        dict(headers)[b"www-authenticate"]
        == b'Bearer error="invalid_token", %b, resource_metadata="http://x/"' % quoted
    )


def with_token(*headers: tuple[bytes, bytes], **how: Any) -> Answer:
    """Ask with a good token."""
    shown = [(b"authorization", b"Bearer " + token("ES256").encode()), *ID, *headers]
    with decisions() as lines:
        answer = ask(guarded(validator()), shown, **how)
    REASONS[:] = [line["reason"] for line in lines]
    return answer


REASONS: list[str] = []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (b"application/json", 200),
        (b"Application/JSON; charset=utf-8", 200),
        (b" application/json ;x", 200),
        (b"application/jsonx", 415),
        (b"text/json;application/json", 415),
        (b"text/plain", 415),
        (b"", 415),
    ],
)
def test_a_body_is_json(content_type: bytes, status: int) -> None:
    answer = with_token(content_type=content_type)
    assert answer.status == status
    if status == 415:
        assert answer.json() == {
            "error": "unsupported_media_type",
            "error_description": "Send the body as Content-Type: application/json",
            "request_id": "abc",
        }
        assert REASONS == ["unsupported_media_type"]


def test_two_content_types_are_none() -> None:
    assert with_token((b"content-type", b"application/json")).status == 415


def test_a_message_that_cannot_be_judged_is_a_json_rpc_error() -> None:
    answer = with_token(path="/mcp", body=b"[]")
    error = {"code": -32600, "message": "Batches are not supported; send one message in each request"}
    assert (answer.status, answer.json()) == (400, {"jsonrpc": "2.0", "id": None, "error": error})
    assert REASONS == ["batch"]


TOO_LARGE = "413 body_too_large: Send at most 1048576 bytes"


def read(*messages: dict[str, Any], length: bytes | None = None) -> bytes | str:
    """Read a body and return it, or how it was refused."""
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    headers = [(b"x", b"1")] + ([(b"content-length", length)] if length is not None else [])
    try:
        return asyncio.run(read_body({"type": "http", "headers": headers}, receive))
    except Refusal as refusal:
        return f"{refusal.status} {refusal.reason}: {refusal.body['error_description']}"
    except Disconnected:
        return "disconnected"


def part(body: bytes, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "length", "expected"),
    [
        ([part(b"a", True), part(b"b", True), part(b"c", False)], None, b"abc"),
        ([{"type": "http.request"}], b"0", b""),
        ([{"type": "http.request", "more_body": True}, {"type": "http.request", "body": b"x"}], None, b"x"),
        ([part(b"a", True), {"type": "http.disconnect"}], None, "disconnected"),
        ([part(b"a" * MAX_BODY_BYTES, False)], str(MAX_BODY_BYTES).encode(), b"a" * MAX_BODY_BYTES),
        ([part(b"a" * MAX_BODY_BYTES, True), part(b"b", False)], None, TOO_LARGE),
        ([], str(MAX_BODY_BYTES + 1).encode(), TOO_LARGE),
        ([part(b"", False)], b"000000005", b""),
        ([], b"0000000005", TOO_LARGE),
        ([], b"-1", TOO_LARGE),
        ([], b"1 ", TOO_LARGE),
        ([], b"9" * 5000, TOO_LARGE),
    ],
)
def test_a_body_is_read_within_its_limit(messages: list[dict[str, Any]], length: bytes | None, expected: Any) -> None:
    assert read(*messages, length=length) == expected


@pytest.mark.requirement("EDGE-SLOW-CLIENTS")
@pytest.mark.parametrize("pause", [0.01, 60], ids=["dribbles", "never begins"])
def test_a_body_that_dribbles_is_refused(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    monkeypatch.setattr("service.auth.body.BODY_SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return part(b"x", more=True)

    with pytest.raises(Refusal) as refused:
        asyncio.run(read_body({"type": "http", "headers": []}, receive))
    assert (refused.value.status, refused.value.reason) == (408, "body_too_slow")
    assert (b"connection", b"close") in refused.value.headers
    assert refused.value.body["error_description"] == "Send the whole body within 0 seconds"


@pytest.mark.requirement("SERVICE-ONE-WRITE")
def test_only_a_body_that_is_still_to_come_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.auth.body.BODY_SECONDS", 0)

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return part(b"x", more=False)

    assert asyncio.run(read_body({"type": "http", "headers": [], BODY_IS_THERE: True}, receive)) == b"x"
    with pytest.raises(Refusal):
        asyncio.run(read_body({"type": "http", "headers": []}, receive))


def test_a_message_that_is_refused_says_how() -> None:
    refused = MessageRefused("word", -1, "text", 7)
    assert (refused.reason, refused.code, refused.message, refused.request_id) == ("word", -1, "text", 7)
    assert str(refused) == "text"
