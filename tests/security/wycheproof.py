"""Project Wycheproof's vectors (C2SP/wycheproof, testvectors_v1), read where they lie; this project carries no copy."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from service.auth.jwk import SUPPORTED_ALGORITHMS, VerificationKey, import_keys
from tests.unit.jose import encode

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "wycheproof"
DIRECTORY = Path(os.environ.get("WYCHEPROOF_DIR") or _BESIDE)
MISSING = (
    ""
    if (DIRECTORY / "json_web_signature_test.json").is_file()
    else f"no Wycheproof vectors in {DIRECTORY}; set WYCHEPROOF_DIR to the folder testvectors_v1 of C2SP/wycheproof"
)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth"}


@dataclass(frozen=True)
class Vector:
    """One test of a file with the key material of its group."""

    id: int
    valid: bool
    result: str
    test: dict[str, Any]
    group: dict[str, Any]

    @property
    def token(self) -> str:
        """The JWS or JWE."""
        value = self.test.get("jws", self.test.get("jwe"))
        return value if isinstance(value, str) else json.dumps(value)


@cache
def vectors(name: str) -> tuple[Vector, ...]:
    """Return the tests of a file."""
    data = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return tuple(
        Vector(test["tcId"], test["result"] == "valid", test["result"], test, group)
        for group in data["testGroups"]
        for test in group["tests"]
    )


def public_keys(vector: Vector) -> Iterator[dict[str, Any]]:
    """Yield the public JWKs of a vector's group, each with a kid; a symmetric key stays what it is."""
    names = ("public", "private", "keyJwk", "publicKeyJwk")
    given = next((vector.group[name] for name in names if name in vector.group), None) or _point(vector.group)
    for number, key in enumerate(given.get("keys", [given])):
        yield {"kid": f"key-{number}", **{member: value for member, value in key.items() if member not in PRIVATE}}


def _point(group: dict[str, Any]) -> dict[str, Any]:
    """Some groups of the ECDSA file have the point only."""
    raw = bytes.fromhex(group["publicKey"]["uncompressed"])
    return {"kty": "EC", "crv": "P-256", "x": encode(raw[1:33]), "y": encode(raw[33:])}


def verification_keys(vector: Vector, algorithm: str | None = None) -> dict[str, VerificationKey]:
    """Import the keys of a vector's group under our own policy.

    Args:
        algorithm: put in the place of `alg` where the file leaves it out.
    """
    given = [{**({"alg": algorithm} if algorithm else {}), **key} for key in public_keys(vector)]
    return import_keys({"keys": given}, SUPPORTED_ALGORITHMS)[0]
