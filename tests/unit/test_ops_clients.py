"""ops.calls, ops.challenge, ops.browser and ops.tokens: what a client reads and what it believes."""

import pytest

from ops.browser import check_answer
from ops.calls import parse_arguments
from ops.challenge import parse_challenge
from ops.errors import OperatorError
from ops.tokens import claims_of

ISSUER = "http://localhost:8080/realms/mcp-realm"
ANSWER = {"state": "s", "iss": ISSUER, "code": "c"}


def test_challenge_is_decoded():
    header = 'Bearer error="insufficient_scope", scope="mcp:read mcp:write", resource_metadata="http://h/m"'
    challenge = parse_challenge(403, header)
    assert (challenge.error, challenge.scope, challenge.description) == ("insufficient_scope", "mcp:read mcp:write", "")
    assert '--scope "mcp:read mcp:write"' in challenge.next_step("calculate")


@pytest.mark.parametrize(
    ("status", "header", "step"),
    [
        (401, 'Bearer resource_metadata="http://h/m"', "http://h/m"),
        (401, 'Bearer error="invalid_token"', "Get a new one"),
        (400, 'Bearer error="invalid_request"', "one Authorization header"),
    ],
)
def test_every_refusal_says_how_to_go_on(status, header, step):
    assert step in parse_challenge(status, header).next_step("echo")


def test_arguments_are_text_or_json():
    assert parse_arguments(["a=1", "b:=1", "c=x=y", 'd:={"e": []}', "f="]) == {
        "a": "1",
        "b": 1,
        "c": "x=y",
        "d": {"e": []},
        "f": "",
    }


@pytest.mark.parametrize("pair", ["a", "=1", ":=1", "a:=x"])
def test_wrong_argument_is_refused(pair):
    with pytest.raises(OperatorError):
        parse_arguments([pair])


def test_right_answer_gives_the_code():
    assert check_answer(ANSWER, "s", ISSUER) == "c"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "other"}, "another login"),
        ({"state": ""}, "another login"),
        ({"iss": "http://evil.example"}, "iss differs"),
        ({"iss": ""}, "iss differs"),
        ({"error": "access_denied"}, "access_denied"),
        ({"code": ""}, "no code"),
    ],
)
def test_wrong_answer_is_refused(change, words):
    with pytest.raises(OperatorError, match=words):
        check_answer(ANSWER | change, "s", ISSUER)


@pytest.mark.parametrize("text", ["", "a.b", "a.!.c", "a.YQ.c"])
def test_what_is_no_jwt_is_refused(text):
    with pytest.raises(OperatorError, match="no JWT"):
        claims_of(text)
