"""The vocabulary of cases.yaml: what can be done to a draft before, while and after it is signed."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.security import signing
from tests.security.draft import ABSENT, STEPS, Draft, World, decode, step
from tests.security.keyring import certificate, jwk
from tests.security.signature_forms import SIGNATURES
from tests.unit.jose import encode

_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _change(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value != ABSENT}


@step
def header(draft: Draft, changes: dict[str, Any]) -> None:
    """Change header members; $absent takes one away."""
    draft.header = _change(draft.header, changes)


@step
def claims(draft: Draft, changes: dict[str, Any]) -> None:
    """Change claims; $absent takes one away."""
    draft.claims = _change(draft.claims, changes)


@step
def header_text(draft: Draft, text: str) -> None:
    """Put this text in place of the whole header; a text that contains @ has the good header's JSON there."""
    draft.header_bytes = text.replace("@", draft.header_json().decode()).encode()


@step
def payload_text(draft: Draft, text: str) -> None:
    """Put this text in place of the whole payload; @ as above."""
    draft.payload_bytes = text.replace("@", draft.payload_json().decode()).encode()


@step
def header_members(draft: Draft, text: str) -> None:
    """Add members as raw JSON text: `before|after` the good ones, so that names can stand twice."""
    draft.header_bytes = _with_members(draft.header_json(), text)


@step
def payload_members(draft: Draft, text: str) -> None:
    """Add claims as raw JSON text: `before|after` the good ones."""
    draft.payload_bytes = _with_members(draft.payload_json(), text)


def _with_members(json_text: bytes, text: str) -> bytes:
    before, _, after = text.partition("|")
    inner = json_text.decode()[1:-1]
    return ("{" + ", ".join(part for part in (before, inner, after) if part) + "}").encode("utf-8", "surrogatepass")


@step
def header_codec(draft: Draft, codec: str) -> None:
    """Write the header in another character encoding."""
    draft.header_bytes = draft.header_json().decode().encode(codec)


@step
def payload_codec(draft: Draft, codec: str) -> None:
    """Write the payload in another character encoding."""
    draft.payload_bytes = draft.payload_json().decode().encode(codec)


@step
def header_bytes(draft: Draft, change: list[str]) -> None:
    """Replace bytes of the header: [old, new] as latin-1."""
    draft.header_bytes = draft.header_json().replace(*(text.encode("latin-1") for text in change))


@step
def payload_bytes(draft: Draft, change: list[str]) -> None:
    """Replace bytes of the payload: [old, new] as latin-1."""
    draft.payload_bytes = draft.payload_json().replace(*(text.encode("latin-1") for text in change))


@step
def sign_with(draft: Draft, how: str) -> None:
    """Sign with `key` or `key as ALG`, whatever the header says."""
    draft.key, _, algorithm = how.partition(" as ")
    draft.signing_algorithm = algorithm or draft.key.removeprefix("attacker-")


@step
def hmac(draft: Draft, how: dict[str, str]) -> None:
    """Sign with HMAC: alg, and the secret itself or `public`, the form of the public key."""
    form, secret = how.get("public"), how.get("secret", "")
    draft.header["alg"] = how["alg"]
    draft.hmac = how["alg"], signing.public_as_secret(draft.key, form) if form else secret.encode()


@step
def own_key(draft: Draft, member: str) -> None:
    """Sign with a key of the attacker and offer it in the header: jwk, x5c or both URL members."""
    draft.key = f"attacker-{draft.algorithm}"
    offered: dict[str, Any] = {
        "jwk": jwk(draft.key, draft.algorithm),
        "x5c": [encode(certificate(draft.key))],
    }
    draft.header[member] = offered[member]


@step
def signature(draft: Draft, form: str) -> None:
    """Change the signature bytes."""
    draft.change_signature = lambda draft, good: SIGNATURES[form](draft, good)


@step
def unused_bits(draft: Draft, part: str) -> None:
    """Set an unused bit of the last character of a part (RFC 4648 section 3.5); white space makes the part fit."""
    if part == "header":
        draft.header_bytes = _padded(draft.header_json())
    elif part == "payload":
        draft.payload_bytes = _padded(draft.payload_json())
    draft.encoded[part] = lambda text: text[:-1] + _BASE64URL[_BASE64URL.index(text[-1]) ^ 1]


def _padded(data: bytes) -> bytes:
    return data + b" " * ((1 - len(data)) % 3)


@step
def size(draft: Draft, characters: int) -> None:
    """Pad the payload with a claim until the token has about this many characters, never more."""
    draft.claims["groups"] = ""
    missing = characters - len(draft.token())
    draft.claims["groups"] = "g" * (missing * 3 // 4 - 2)
    while len(draft.token()) < characters - 1:
        draft.claims["groups"] += "g"


@step
def token_text(draft: Draft, form: str) -> None:
    """Put the token into a text: {h} {p} {s} are its parts, {t} is the whole, {P} the payload as it is."""

    def rewrite(token: str) -> str:
        h, p, s = token.split(".")
        holes = {"{h}": h, "{p}": p, "{s}": s, "{t}": token, "{P}": decode(p).decode("latin-1")}
        text = form
        for hole, value in holes.items():
            text = text.replace(hole, value)
        return text

    draft.text = rewrite


@step
def insert(draft: Draft, text: str) -> None:
    """Put a text into the middle of the payload segment, after signing."""
    draft.text = lambda token: token[: len(token) // 2] + text + token[len(token) // 2 :]


@step
def exponent_1(draft: Draft, _argument: object) -> None:
    """Sign as it would pass under a key whose public exponent is 1."""

    def padded_digest(draft: Draft, _good: bytes) -> bytes:
        signing_input = f"{encode(draft.header_json())}.{encode(draft.payload_json())}".encode()
        return signing.exponent_1_signature(signing_input)

    draft.change_signature = padded_digest


def make(algorithm: str, steps: Sequence[Mapping[str, Any]], world: World) -> str:
    """Return the token that a case describes.

    Args:
        algorithm: the algorithm under test; {alg} in the case, {other} is the attacker's key for it.
        steps: mappings of one step name to its argument.
        world: fills the holes.
    """
    draft = Draft(algorithm, world)
    more = {"alg": algorithm, "attacker": f"attacker-{algorithm}"}
    for entry in steps:
        ((name, argument),) = entry.items()
        STEPS[name](draft, world.fill(argument, more))
    return draft.token()
