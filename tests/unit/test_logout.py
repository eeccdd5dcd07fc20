"""A session that ended is refused at once; nobody but the authorization server can end one."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from redis.exceptions import ConnectionError as RedisDown

from service.api.logout import logout_router
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey
from service.auth.logout import LOGOUT_EVENT, LogoutToken, LogoutTokenValidator
from service.auth.revocation import Revocations
from service.auth.token import TokenValidator
from service.contract import load_contract
from service.telemetry.correlation import Correlation
from service.telemetry.outlet import flush_all
from tests.unit.jose import AUDIENCE, ISSUER, NOW, claims, sign
from tests.unit.test_audit import VALIDATOR
from tests.unit.test_token import Keys, NoKeys

SID, SUB = "5a6b", "f3a1c0de-0000-4000-8000-000000000001"


def logout_claims(**changes: Any) -> dict[str, Any]:
    good = {
        "iss": ISSUER,
        "aud": "mcp-cli",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "1",
        "typ": "Logout",
        "sub": SUB,
        "sid": SID,
        "events": {LOGOUT_EVENT: {}},
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def logout_token(typ: Any = "logout+jwt", **changes: Any) -> str:
    return sign(logout_claims(**changes), typ=typ)


def validator(keys: Keys | None = None) -> LogoutTokenValidator:
    return LogoutTokenValidator(
        issuer=ISSUER,
        clients=frozenset({"mcp-cli", "mcp-console"}),
        algorithms=SUPPORTED_ALGORITHMS,
        leeway=30,
        keys=keys or Keys(),
        clock=lambda: NOW,
    )


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (sign(claims(NOW)), "wrong_type"),
        (logout_token(typ="at+jwt"), "wrong_type"),
        (logout_token(typ=None), "wrong_type"),
        (logout_token(events=None), "wrong_type"),
        (logout_token(events=[]), "wrong_type"),
        (logout_token(events={LOGOUT_EVENT: True}), "wrong_type"),
        (logout_token(events={"http://evil.example/": {}}), "wrong_type"),
        (logout_token(nonce="n"), "wrong_type"),
        (sign(logout_claims(typ="ID"), typ="logout+jwt"), "wrong_type"),
        (logout_token(iss=ISSUER + "2"), "wrong_issuer"),
        (logout_token(aud="another"), "wrong_audience"),
        (logout_token(aud=None), "wrong_audience"),
        (logout_token(aud=[["mcp-cli"]]), "wrong_audience"),
        (logout_token(exp=None), "malformed_claims"),
        (logout_token(iat=None), "malformed_claims"),
        (logout_token(exp=NOW - 31), "expired"),
        (logout_token(iat=NOW + 31, exp=NOW + 60), "not_yet_valid"),
        (logout_token(exp=NOW + 3600), "lifetime_too_long"),
        (logout_token(sid=None, sub=None), "malformed_claims"),
        (sign(logout_claims(), alg="none", typ="logout+jwt"), "wrong_algorithm"),
        (sign(logout_claims(), "RS256", "2", kid="RS256-1", typ="logout+jwt"), "bad_signature"),
        ("x", "malformed_token"),
    ],
)
def test_a_wrong_logout_token_is_refused(token: str, reason: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        asyncio.run(validator().validate(token))
    assert caught.value.reason == reason


def test_a_good_one_says_what_ended() -> None:
    assert asyncio.run(validator().validate(logout_token())) == LogoutToken(SID, SUB, NOW)
    assert asyncio.run(validator().validate(logout_token(sid=None))) == LogoutToken(None, SUB, NOW)


def judging(revocations: Revocations) -> TokenValidator:
    return TokenValidator(
        issuer=ISSUER,
        audience=AUDIENCE,
        algorithms=SUPPORTED_ALGORITHMS,
        leeway=30,
        keys=Keys(),
        contract=load_contract(),
        revocations=revocations,
        clock=lambda: NOW,
    )


def judge(revocations: Revocations, **changes: Any) -> str | None:
    """Return why an access token is refused, or None."""
    try:
        asyncio.run(judging(revocations).validate(sign(claims(NOW, **changes))))
    except TokenRefused as refused:
        return refused.reason
    return None


def test_a_session_that_ended_never_comes_back() -> None:
    revocations = Revocations(330)
    asyncio.run(revocations.revoke("sid", SID, NOW - 100))
    assert judge(revocations) == "revoked"
    assert judge(revocations, sid="another") is None


def test_a_person_may_log_in_again() -> None:
    revocations = Revocations(330)
    asyncio.run(revocations.revoke("sub", SUB, NOW - 100))
    assert judge(revocations, iat=NOW - 100) == "revoked"
    assert judge(revocations, iat=NOW - 99) is None
    assert judge(revocations, sub="another", iat=NOW - 100) is None


def test_a_remembered_token_is_judged_too() -> None:
    revocations = Revocations(330)
    judged = judging(revocations)
    token = sign(claims(NOW))
    asyncio.run(judged.validate(token))
    asyncio.run(revocations.revoke("sid", SID, NOW))
    with pytest.raises(TokenRefused, match="revoked"):
        asyncio.run(judged.validate(token))


def test_memory_is_bounded_and_forgets_what_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.auth.revocation.MAX_ENTRIES", 10)
    revocations = Revocations(330, clock=lambda: NOW)
    for number in range(9):
        revocations._add("sid", f"old-{number}", NOW - 1000)
    revocations._add("sid", "needed", NOW)
    revocations._add("sid", "new", NOW)
    assert set(revocations._entries) == {("sid", "needed"), ("sid", "new")}
    for number in range(30):
        revocations._add("sid", f"flood-{number}", NOW)
    assert len(revocations._entries) == 10


def post(body: str | bytes, keys: Keys | None = None, revocations: Revocations | None = None) -> httpx.Response:
    inner = FastAPI()
    inner.include_router(logout_router(validator(keys), revocations or Revocations(330)))
    app = Correlation(inner)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"content-type": "application/x-www-form-urlencoded"}
            return await client.post("/backchannel-logout", content=body, headers=headers)

    return asyncio.run(send())


def test_the_endpoint_ends_the_session() -> None:
    revocations = Revocations(330)
    answer = post(urlencode({"logout_token": logout_token()}), revocations=revocations)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert judge(revocations) == "revoked"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "logout_token=",
        "logout_token=a&logout_token=b",
        "x=y",
        b"\xff",
        "a=b&" * 20 + "c=d",
        "logout_token=" + "a" * 20000,
    ],
)
def test_the_endpoint_refuses_what_is_no_logout(body: str | bytes) -> None:
    answer = post(body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.headers["cache-control"] == "no-store"


def test_the_endpoint_cannot_judge_without_keys() -> None:
    answer = post(urlencode({"logout_token": logout_token()}), keys=NoKeys())
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.requirement("AUDIT-LINE")
@pytest.mark.parametrize(
    ("body", "keys", "expected"),
    [
        ({"logout_token": logout_token()}, None, ("session_revoked", "session_ended", None, SUB, SID)),
        ({"logout_token": logout_token(sid=None)}, None, ("session_revoked", "session_ended", None, SUB, None)),
        ({"logout_token": logout_token(sub=None)}, None, ("session_revoked", "session_ended", None, None, SID)),
        ({"logout_token": logout_token(aud="another")}, None, ("logout_refused", "wrong_audience", 400, None, None)),
        ({"logout_token": "x"}, None, ("logout_refused", "malformed_token", 400, None, None)),
        ({"x": "y"}, None, ("logout_refused", "malformed_form", 400, None, None)),
        ({"logout_token": logout_token()}, NoKeys(), ("logout_refused", "keys_unavailable", 503, None, None)),
    ],
)
def test_each_logout_is_one_audit_line(
    capsys: pytest.CaptureFixture[str], body: dict[str, str], keys: Keys | None, expected: tuple[object, ...]
) -> None:
    post(urlencode(body), keys=keys)
    assert flush_all()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] != "request"]
    VALIDATOR.validate(line)
    assert (line["layer"], line["entrance"], line["method"]) == ("service", "logout", "POST")
    assert tuple(line.get(key) for key in ("event", "reason", "status", "sub", "session")) == expected
    assert body.get("logout_token", "no token") not in json.dumps(line) or body["logout_token"] == "x"


class DownRedis:
    """Redis that is away."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def xadd(self, *_: Any, **__: Any) -> None:
        raise self.error

    async def xread(self, *_: Any, **__: Any) -> None:
        raise self.error

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("error", [RedisDown(), TimeoutError(), RuntimeError("the handler is closed")])
def test_without_redis_the_session_ends_here_and_the_sender_is_told(error: Exception) -> None:
    revocations = Revocations(330, DownRedis(error))  # type: ignore[arg-type]
    answer = post(urlencode({"logout_token": logout_token()}), revocations=revocations)
    assert answer.status_code == 503
    assert judge(revocations) == "revoked"


def test_a_redis_that_is_away_stops_nothing() -> None:
    async def scenario() -> None:
        revocations = Revocations(330, DownRedis(RedisDown()))  # type: ignore[arg-type]
        await revocations.start()
        await asyncio.sleep(0)
        assert not revocations.cover(SID, SUB, NOW)
        await revocations.stop()

    asyncio.run(scenario())


def test_the_keys_state_is_an_exception_of_its_own() -> None:
    with pytest.raises(KeysUnavailable):
        asyncio.run(validator(NoKeys()).validate(logout_token()))


def test_unknown_keys_are_refused() -> None:
    class Empty(Keys):
        async def key(self, kid: str) -> VerificationKey | None:
            return None

    with pytest.raises(TokenRefused, match="unknown_key"):
        asyncio.run(validator(Empty()).validate(logout_token()))
