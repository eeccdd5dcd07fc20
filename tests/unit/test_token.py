"""Access tokens: what is refused, and what comes out of a good one."""

import asyncio
import json

import pytest

from service.auth.compact import ACCESS_TOKEN_TYPES, decode_segment, parse_header
from service.auth.compact import encode as compact_bytes
from service.auth.errors import KeysUnavailable, TokenRefused
from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey, import_keys
from service.auth.token import CLOCK_READS_SECONDS, Caller, TokenValidator
from service.auth.verified import VerifiedTokens
from service.contract import load_contract
from tests.unit.jose import AUDIENCE, ISSUER, NOW, claims, encode, public_jwk, sign, sign_raw

KEYS, _ = import_keys({"keys": [public_jwk(alg) for alg in SUPPORTED_ALGORITHMS]}, SUPPORTED_ALGORITHMS)


class Keys:
    """Keys at hand, without a network."""

    ready = True
    epoch = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def key(self, kid: str) -> VerificationKey | None:
        return KEYS.get(kid)


class NoKeys(Keys):
    ready = False

    async def key(self, kid: str) -> VerificationKey | None:
        raise KeysUnavailable(5)


def validate(token: str, *, now: float = NOW, keys: Keys | None = None, **settings: object) -> Caller:
    options: dict[str, object] = {"leeway": 30, "algorithms": SUPPORTED_ALGORITHMS, **settings}
    validator = TokenValidator(
        issuer=ISSUER,
        audience=AUDIENCE,
        keys=keys or Keys(),
        contract=load_contract(),
        clock=lambda: now,
        **options,  # type: ignore[arg-type]
    )
    return asyncio.run(validator.validate(token))


def refusal(token: str, **settings: object) -> str:
    with pytest.raises(TokenRefused) as caught:
        validate(token, **settings)  # type: ignore[arg-type]
    return caught.value.reason


def good(**changes: object) -> str:
    return sign(claims(NOW, **changes))


HEADER = {"alg": "RS256", "typ": "JWT", "kid": "RS256-1"}
BODY = json.dumps(claims(NOW)).encode()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, "wrong_algorithm"),
        ({"alg": "HS256"}, "wrong_algorithm"),
        ({"alg": "RS384"}, "wrong_algorithm"),
        ({"alg": "rs256"}, "wrong_algorithm"),
        ({"alg": "ES256"}, "wrong_algorithm"),
        ({"alg": "PS256"}, "wrong_algorithm"),
        ({"alg": ["RS256"]}, "malformed_token"),
        ({"alg": None}, "malformed_token"),
        ({"kid": "other"}, "unknown_key"),
        ({"kid": None}, "unknown_key"),
        ({"kid": ["RS256-1"]}, "unknown_key"),
        ({"kid": "x" * 300}, "unknown_key"),
        ({"typ": None}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": "logout+jwt"}, "wrong_type"),
        ({"typ": 1}, "wrong_type"),
        ({"crit": ["exp"]}, "malformed_token"),
        ({"crit": []}, "malformed_token"),
        ({"jku": "https://evil.example/"}, "malformed_token"),
        ({"x5u": "https://evil.example/"}, "malformed_token"),
        ({"jwk": {}}, "malformed_token"),
        ({"zip": "DEF"}, "malformed_token"),
        ({"b64": False, "crit": ["b64"]}, "malformed_token"),
    ],
)
def test_a_foreign_header_is_refused(header: dict[str, object], reason: str) -> None:
    members = {name: value for name, value in {**HEADER, **header}.items() if value is not None}
    assert refusal(sign_raw(json.dumps(members).encode(), BODY)) == reason


@pytest.mark.parametrize("head", ["null", '"alg"', '["alg"]', "[" * 500, '{"a":' * 150, "{}", "", "1" * 400])
def test_a_header_that_is_no_object_is_refused(head: str) -> None:
    assert refusal(sign_raw(head.encode(), BODY)) == "malformed_token"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_only_utf_8_is_read(encoding: str) -> None:
    head = json.dumps(HEADER)
    assert refusal(sign_raw(head.encode(encoding), BODY)) == "malformed_token"
    assert refusal(sign_raw(head.encode(), BODY.decode().encode(encoding))) == "malformed_claims"


@pytest.mark.parametrize("head", ['{"alg":"none","alg":"RS256",%s', '{"alg":"RS256","alg":"none",%s'])
def test_a_name_that_stands_twice_is_refused(head: str) -> None:
    rest = '"typ":"JWT","kid":"RS256-1"}'
    assert refusal(sign_raw((head % rest).encode(), BODY)) == "malformed_token"
    twice = BODY[:-1] + b', "sub": "somebody-else"}'
    assert refusal(sign_raw(json.dumps(HEADER).encode(), twice)) == "malformed_claims"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "." * 8000,
        " " + good(),
        good() + "\n",
        good() + "=",
        good().replace(".", "。"),
        good() + "\ud800",
        good().replace(".", "..", 1),
        good()[:-1] + "é",
        '{"payload":"","signatures":[]}',
    ],
)
def test_what_is_no_compact_form_is_refused(token: str) -> None:
    assert refusal(token) == "malformed_token"


def test_a_large_token_is_refused_before_anything_else() -> None:
    assert refusal("a" * 8193) == "token_too_large"
    assert refusal(good(groups=["x" * 20] * 500)) == "token_too_large"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_second_spelling_of_the_same_bytes_is_refused(part: int) -> None:
    parts = [encode(b"ab"), encode(b"ab"), encode(b"ab")]
    assert parts[part] == "YWI"
    parts[part] = "YWJ"
    assert refusal(".".join(parts)) in {"malformed_token", "malformed_claims"}


@pytest.mark.parametrize("algorithm", SUPPORTED_ALGORITHMS)
def test_every_algorithm_is_verified(algorithm: str) -> None:
    token = sign(claims(NOW), algorithm)
    assert validate(token).client_id == "mcp-automation"
    head, body, signature = token.split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert refusal(f"{head}.{body}.{flipped}") == "bad_signature"
    other = encode(json.dumps(claims(NOW, sub="somebody-else")).encode())
    assert refusal(f"{head}.{other}.{signature}") == "bad_signature"
    assert refusal(sign(claims(NOW), algorithm, "2", kid=f"{algorithm}-1")) == "bad_signature"
    rest = [name for name in SUPPORTED_ALGORITHMS if name not in (algorithm, "EdDSA", "Ed25519")]
    assert refusal(sign(claims(NOW), algorithm), algorithms=rest) == "wrong_algorithm"


def test_ed25519_has_two_names() -> None:
    assert validate(sign(claims(NOW), "EdDSA", alg="Ed25519")).subject
    assert validate(sign(claims(NOW), "Ed25519", alg="EdDSA")).subject


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"typ": "ID"}, "wrong_type"),
        ({"typ": "Refresh"}, "wrong_type"),
        ({"typ": "Offline"}, "wrong_type"),
        ({"typ": "Logout"}, "wrong_type"),
        ({"typ": None}, "wrong_type"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": ISSUER.replace("mcp-realm", "master")}, "wrong_issuer"),
        ({"iss": [ISSUER]}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": "account"}, "wrong_audience"),
        ({"aud": AUDIENCE + "2"}, "wrong_audience"),
        ({"aud": AUDIENCE.upper()}, "wrong_audience"),
        ({"aud": {"a": AUDIENCE}}, "wrong_audience"),
        ({"aud": [[AUDIENCE]]}, "wrong_audience"),
        ({"aud": [AUDIENCE, 1]}, "wrong_audience"),
        ({"exp": None}, "malformed_claims"),
        ({"exp": str(NOW + 60)}, "malformed_claims"),
        ({"exp": True}, "malformed_claims"),
        ({"exp": 0}, "expired"),
        ({"exp": -1}, "expired"),
        ({"exp": NOW + 10**7}, "lifetime_too_long"),
        ({"exp": (NOW + 300) * 1000}, "malformed_claims"),
        ({"iat": None}, "malformed_claims"),
        ({"iat": 1}, "lifetime_too_long"),
        ({"iat": NOW + 60}, "not_yet_valid"),
        ({"nbf": NOW + 60}, "not_yet_valid"),
        ({"nbf": "0"}, "malformed_claims"),
        ({"sub": None}, "malformed_claims"),
        ({"sub": ""}, "malformed_claims"),
        ({"sub": 1}, "malformed_claims"),
        ({"sub": "a\r\nb"}, "malformed_claims"),
        ({"sub": "x" * 256}, "malformed_claims"),
        ({"sub": "\u202eevil"}, "malformed_claims"),
        ({"azp": None}, "malformed_claims"),
        ({"azp": {"id": "mcp-cli"}}, "malformed_claims"),
        ({"scope": ["mcp:read"]}, "malformed_claims"),
        ({"scope": 1}, "malformed_claims"),
        ({"cnf": {"jkt": "x"}}, "sender_constrained"),
        ({"cnf": {"x5t#S256": "x"}}, "sender_constrained"),
    ],
)
def test_a_wrong_claim_is_refused(changes: dict[str, object], reason: str) -> None:
    assert refusal(good(**changes)) == reason


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" * 25, "1" * 4000])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    body = BODY.replace(f'"exp": {NOW + 300}'.encode(), f'"exp": {number}'.encode())
    assert refusal(sign_raw(json.dumps(HEADER).encode(), body)) == "malformed_claims"


@pytest.mark.parametrize("filler", ["~~~~", "++++", "////", "!!!!", "====", "\0\0\0\0"])
@pytest.mark.parametrize("segment", [0, 1, 2])
def test_what_is_no_base64url_is_not_passed_over(segment: int, filler: str) -> None:
    """A decoder that skips four such characters finds the same bytes: a second spelling of a good token."""
    segments = good().split(".")
    segments[segment] = segments[segment][:8] + filler + segments[segment][8:]
    assert refusal(".".join(segments)) in ("malformed_token", "malformed_claims", "bad_signature")
    with pytest.raises(TokenRefused, match="malformed_token"):
        decode_segment(segments[segment].encode())


@pytest.mark.parametrize(("length", "accepted"), [(0, False), (1, True), (1024, True), (1025, False)])
def test_a_header_has_1_to_1024_characters(length: int, accepted: bool) -> None:
    token = f"{'a' * length}.b.c"
    if accepted:
        assert compact_bytes(token) == token.encode()
    else:
        with pytest.raises(TokenRefused, match="malformed_token"):
            compact_bytes(token)


def test_what_is_remembered_and_what_is_judged_anew_is_counted() -> None:
    world = World()
    for token in (good(), good(jti="another"), good(), good(jti="another"), good()):
        world.validate(token)
    assert (world.validator.misses, world.validator.hits) == (2, 3)


@pytest.mark.parametrize(("length", "accepted"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_key_id_has_1_to_200_characters(length: int, accepted: bool) -> None:
    segment = encode(json.dumps(HEADER | {"kid": "a" * length}).encode()).encode()
    if accepted:
        assert parse_header(segment, ACCESS_TOKEN_TYPES)[1] == "a" * length
    else:
        with pytest.raises(TokenRefused, match="unknown_key"):
            parse_header(segment, ACCESS_TOKEN_TYPES)


def test_a_deep_payload_is_refused() -> None:
    deep = BODY[:-1] + b', "x": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    assert refusal(sign_raw(json.dumps(HEADER).encode(), deep)) == "malformed_claims"


def test_many_roles_are_not_deep() -> None:
    access = {f"client-{number}": {"roles": ["a", "[["]} for number in range(40)}
    assert validate(good(resource_access=access)).subject


@pytest.mark.parametrize(("seconds", "expected"), [(329, None), (330, "expired"), (-30, None), (-31, "not_yet_valid")])
def test_the_leeway_holds_at_both_edges(seconds: int, expected: str | None) -> None:
    if expected:
        assert refusal(good(), now=NOW + seconds) == expected
    else:
        assert validate(good(), now=NOW + seconds)


@pytest.mark.parametrize(("lifetime", "accepted"), [(300, True), (301, True), (305, True), (306, False)])
def test_a_lifetime_may_be_read_off_two_seconds(lifetime: int, accepted: bool) -> None:
    """Keycloak reads the clock once for iat and again for exp: 4 of 3,000 tokens of 300 s live 301."""
    token, longest = good(exp=NOW + lifetime), 300 + CLOCK_READS_SECONDS
    if accepted:
        assert validate(token, max_lifetime=longest)
    else:
        assert refusal(token, max_lifetime=longest) == "lifetime_too_long"


def test_a_good_token_gives_its_caller() -> None:
    assert validate(good(scope="mcp:write profile")) == Caller(
        subject="f3a1c0de-0000-4000-8000-000000000001",
        client_id="mcp-automation",
        issuer=ISSUER,
        scopes=frozenset({"mcp:write", "mcp:read", "profile"}),
        token_scopes=frozenset({"mcp:write", "profile"}),
        issued_at=NOW,
        expires_at=NOW + 300,
        session_id="5a6b",
        username="service-account-mcp-automation",
    )


@pytest.mark.parametrize("scope", ["mcp:reader", "xmcp:read", "MCP:READ", "mcp:read\tmcp:write", "mcp:read\u00a0x", ""])
def test_a_scope_is_one_exact_word(scope: str) -> None:
    assert "mcp:read" not in validate(good(scope=scope)).scopes


def test_a_single_audience_may_be_a_string() -> None:
    assert validate(good(aud=AUDIENCE))


def test_a_name_that_could_forge_a_log_line_counts_as_absent() -> None:
    assert validate(good(preferred_username="eve\n{}", sid="a b")).username is None


def test_only_listed_clients_may_call_when_there_is_a_list() -> None:
    assert validate(good(), allowed_clients=frozenset({"mcp-automation"}))
    assert refusal(good(), allowed_clients=frozenset({"mcp-cli"})) == "client_not_allowed"


def test_without_keys_nothing_is_said_about_the_token() -> None:
    with pytest.raises(KeysUnavailable):
        validate(good(), keys=NoKeys())


def test_header_type_of_rfc_9068_is_taken() -> None:
    for kind in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert validate(sign(claims(NOW), typ=kind))


class World:
    """A validator with keys and a clock that a test can change."""

    def __init__(self, **settings: object) -> None:
        self.now = float(NOW)
        self.keys = Keys()
        self.validator = TokenValidator(
            issuer=ISSUER,
            audience=AUDIENCE,
            algorithms=SUPPORTED_ALGORITHMS,
            leeway=30,
            keys=self.keys,
            contract=load_contract(),
            clock=lambda: self.now,
            **settings,  # type: ignore[arg-type]
        )

    def validate(self, token: str) -> Caller:
        return asyncio.run(self.validator.validate(token))

    def remembers(self, token: str) -> bool:
        """Whether the token is answered from memory: the very same object comes back."""
        return self.validate(token) is self.validate(token)


def test_a_repeated_token_is_answered_from_memory_for_a_while() -> None:
    world, token = World(), good()
    first = world.validate(token)
    assert world.validate(token) is first
    world.now += 29
    assert world.validate(token) is first
    world.now += 2
    assert world.validate(token) is not first
    assert not World(cache_seconds=0).remembers(token)


def test_memory_never_outlives_the_token() -> None:
    world, token = World(cache_seconds=3600), good()
    assert world.remembers(token)
    world.now += 330
    with pytest.raises(TokenRefused, match="expired"):
        world.validate(token)


def test_memory_is_dropped_when_a_key_comes_or_goes() -> None:
    world, token = World(), good()
    first = world.validate(token)
    world.keys.epoch = 1
    assert world.validate(token) is not first


def test_a_removed_key_verifies_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.validate(good())
    monkeypatch.delitem(KEYS, "RS256-1")
    world.keys.epoch = 1
    with pytest.raises(TokenRefused, match="unknown_key"):
        world.validate(good(jti="another"))


def test_a_changed_token_is_not_the_remembered_one() -> None:
    world, token = World(), good()
    world.validate(token)
    head, body, signature = token.split(".")
    for changed in (f"{head}.{body}.{signature[:-8]}AAAAAAAA", f"{head}.{body}x.{signature}", token + " "):
        with pytest.raises(TokenRefused):
            world.validate(changed)


def test_a_remembered_header_excuses_no_other_part() -> None:
    world = World()
    world.validate(good())
    forged = encode(json.dumps(claims(NOW, sub="somebody-else")).encode())
    head, _, signature = good().split(".")
    with pytest.raises(TokenRefused, match="bad_signature"):
        world.validate(f"{head}.{forged}.{signature}")


def test_memory_is_bounded() -> None:
    memory: VerifiedTokens[int] = VerifiedTokens(30, max_entries=3)
    for number in range(10):
        memory.put(bytes([number]), number, NOW, NOW + 300)
    assert [memory.get(bytes([number]), NOW) for number in range(10)] == [None] * 7 + [7, 8, 9]
    memory.clear()
    assert memory.get(bytes([9]), NOW) is None


@pytest.mark.parametrize(("seconds", "remembered"), [(0, False), (1, True)])
def test_memory_lasts_as_long_as_it_is_told(seconds: int, remembered: bool) -> None:
    memory: VerifiedTokens[int] = VerifiedTokens(seconds)
    memory.put(b"a", 1, NOW, NOW + 300)
    assert memory.get(b"a", NOW) == (1 if remembered else None)
    memory.put(b"a", 1, NOW, NOW + 300)
    assert memory.get(b"a", NOW + seconds) is None


def test_names_are_bounded_and_a_scope_has_one() -> None:
    assert validate(good(preferred_username="a" * 255)).username == "a" * 255
    assert validate(good(preferred_username="a" * 256)).username is None
    assert validate(good(scope=" mcp:read  profile ")).token_scopes == {"mcp:read", "profile"}


def test_a_service_account_must_be_declared() -> None:
    assert validate(good(sid=None))
    assert validate(good(azp="registered-by-itself"))
    assert refusal(good(sid=None, azp="registered-by-itself")) == "client_not_allowed"
