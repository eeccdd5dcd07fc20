"""What the fuzz draws from: headers, payloads, signatures and presentations, mostly good with something wrong."""

import json
import time
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.security.draft import Draft
from tests.security.judge import WORLD
from tests.security.keyring import ALGORITHMS, published
from tests.security.signing import sign
from tests.unit.jose import encode

KIDS = [str(key["kid"]) for key in published()]
TEXTS = st.text(max_size=12) | st.sampled_from(["", " ", "\0", "\r\n", "é", "\u202e", "none", "Bearer", "mcp:read"])
NUMBERS = st.one_of(
    st.integers(-10, 10), st.floats(), st.sampled_from([10**18, 10**30, -(10**30), 1e308, 2**63, 1_900_000_000_000])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
SCOPES = st.sampled_from(["mcp:read", "mcp:write", "openid", "mcp:reader", "\t", ""])

NEAR_NOW = st.integers(-4000, 4000)
CLAIMS: dict[str, st.SearchStrategy[Any]] = {
    "aud": st.sampled_from([WORLD.aud, [WORLD.aud], [WORLD.aud, "x"], "account", [], [WORLD.aud + "/"], [[WORLD.aud]]]),
    "iss": st.sampled_from([WORLD.iss, WORLD.iss + "/", WORLD.iss.upper(), [WORLD.iss]]),
    "typ": st.sampled_from(["Bearer", "ID", "Refresh", "Offline", "bearer", "Logout"]),
    "scope": st.lists(SCOPES, max_size=4).map(" ".join),
    "sub": TEXTS,
    "azp": TEXTS,
    "client_id": TEXTS,
    "cnf": VALUES,
    "jti": VALUES,
    "sid": VALUES,
    "preferred_username": VALUES,
    "realm_access": st.one_of(VALUES, st.fixed_dictionaries({"roles": VALUES})),
    "resource_access": st.one_of(VALUES, st.dictionaries(TEXTS, st.fixed_dictionaries({"roles": VALUES}), max_size=3)),
}
TIMES = ("exp", "iat", "nbf")
HEADER: dict[str, st.SearchStrategy[Any]] = {
    "alg": st.sampled_from([*ALGORITHMS, "Ed25519", "none", "None", "HS256", "RS384", "ES512", "Ed448", "dir"]),
    "kid": st.one_of(st.sampled_from(KIDS), TEXTS),
    "typ": st.sampled_from(["JWT", "at+jwt", "application/at+jwt", "AT+JWT", "dpop+jwt", "logout+jwt", "JOSE"]),
    "crit": VALUES,
    "b64": st.booleans(),
    "jku": st.just(f"http://{WORLD.canary}/"),
    "jwk": VALUES,
    "zip": st.just("DEF"),
    "x": VALUES,
}
# Strategies are made once: making them costs more than drawing from them.
CLAIMS = {name: values | VALUES for name, values in CLAIMS.items()}
HEADER = {name: values | VALUES for name, values in HEADER.items()}
CLAIM_NAMES, TIME_NAMES, MEMBER_NAMES = (st.sampled_from(list(names)) for names in (CLAIMS, TIMES, HEADER))
ALGORITHM_NAMES = st.sampled_from(ALGORITHMS)
HOW_MANY, RARELY = st.sampled_from((0, 1, 1, 2, 3)), st.sampled_from((0,) * 8 + (1, 2))
SIX, FOUR, FORTY = st.integers(0, 5), st.integers(0, 3), st.integers(1, 40)
WHO_SIGNS = st.sampled_from(("",) * 7 + ("attacker-",))
PARTS = st.sampled_from(("header", "payload", "payload"))
CODECS = st.sampled_from(("utf-16", "utf-16-le", "utf-32", "utf-8-sig"))
DOUBLED = st.sampled_from(("alg", "kid", "typ", "aud", "sub", "exp", "new"))
CHARACTERS = st.text(max_size=2) | st.sampled_from((".", "..", "=", "-", "_", "A", "+", " ", "\n"))
FEW_BYTES, SOME_BYTES, MANY_BYTES = (st.binary(max_size=size) for size in (3, 20, 40))
ODD_SCHEMES = (b"bearer ", b"Bearer  ", b"Bearer\t", b"DPoP ", b"Basic ", b"", b"Bearer")
SCHEMES = st.sampled_from((b"Bearer ",) * 7 + ODD_SCHEMES)
OTHERS = st.lists(
    st.tuples(st.sampled_from((b"x-forwarded-user", b"cookie", b"mcp-name", b"mcp-method")), SOME_BYTES), max_size=2
)
BODIES = st.sampled_from((b"{}", b"{}", b"", b"access_token=x", b"[", b"\xff", b"null"))


@dataclass(frozen=True)
class Shown:
    """A token and how it was made, for the message of a failure."""

    token: str
    header: bytes
    payload: bytes


@st.composite
def tokens(draw: st.DrawFn) -> Shown:
    """Draw a token: a good one in which up to three things were changed, signed after or before the change."""
    algorithm = draw(ALGORITHM_NAMES)
    draft = Draft(algorithm, WORLD)
    for _ in range(draw(HOW_MANY)):
        draw(CHANGES)(draw, draft)
    header, payload = draft.header_json(), draft.payload_json()
    signing_input = f"{encode(header)}.{encode(payload)}"
    key = draw(WHO_SIGNS) + algorithm
    signature = sign(key, algorithm, signing_input.encode())
    token = f"{signing_input}.{encode(signature)}"
    for _ in range(draw(RARELY)):
        token = _cut(draw, token)
    return Shown(token, header, payload)


def _claim(draw: st.DrawFn, draft: Draft) -> None:
    name = draw(CLAIM_NAMES)
    _set(draw, draft.claims, name, draw(CLAIMS[name]))


def _time(draw: st.DrawFn, draft: Draft) -> None:
    name = draw(TIME_NAMES)
    number = int(time.time()) + draw(NEAR_NOW)
    _set(draw, draft.claims, name, draw(VALUES) if draw(SIX) == 0 else number + draw(SIX) / 4)


def _member(draw: st.DrawFn, draft: Draft) -> None:
    name = draw(MEMBER_NAMES)
    _set(draw, draft.header, name, draw(HEADER[name]))


def _set(draw: st.DrawFn, members: dict[str, Any], name: str, value: Any) -> None:
    if draw(SIX) == 0:
        members.pop(name, None)
    else:
        members[name] = value


def _text(draw: st.DrawFn, draft: Draft) -> None:
    """Change the JSON text itself: encoding, doubled names, depth, garbage, or any bytes."""
    part = draw(PARTS)
    data = draft.header_json() if part == "header" else draft.payload_json()
    how = draw(SIX)
    if how == 0:
        data = data.decode(errors="replace").encode(draw(CODECS))
    elif how == 1:
        member = json.dumps({draw(DOUBLED): draw(VALUES)})[1:-1]
        data = data[:-1] + b", " + member.encode() + b"}"
    elif how == 2:
        data = data[:-1] + b', "d": ' + b"[" * (depth := draw(FORTY)) + b"]" * depth + b"}"
    elif how == 3:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(FEW_BYTES) + data[at + draw(FOUR) :]
    elif how == 4:
        data = draw(MANY_BYTES)
    else:
        data = json.dumps(draw(VALUES)).encode()
    if part == "header":
        draft.header_bytes = data
    else:
        draft.payload_bytes = data


CHANGES = st.sampled_from((_claim, _claim, _time, _member, _text))


def _cut(draw: st.DrawFn, token: str) -> str:
    """Change the characters of the token."""
    at = draw(st.integers(0, len(token)))
    new = draw(CHARACTERS)
    return token[:at] + new + token[at + draw(FOUR) :]


@st.composite
def presentations(draw: st.DrawFn) -> tuple[list[tuple[bytes, bytes]], bytes, bytes, Shown]:
    """Draw header lines, query and body around a token, as an ASGI server would hand them on."""
    shown = draw(tokens())
    text = shown.token.encode("utf-8", "surrogatepass")
    more = [draw(SOME_BYTES) if draw(FOUR) else b"Bearer " + text for _ in range(draw(RARELY))]
    values = [draw(SCHEMES) + text, *more]
    headers = [(b"authorization", value) for value in values] if draw(SIX) else []
    headers += draw(OTHERS)
    queries = (b"", b"", b"", b"", b"", b"", b"access_token=" + text[:20], b"%61ccess_token", b"&=&", b"\xff=%zz")
    query, body = queries[draw(st.integers(0, len(queries) - 1))], draw(BODIES)
    return headers, query, body, shown
