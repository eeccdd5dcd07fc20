"""Project Wycheproof against this service: its tokens over HTTP, its JWS with their own keys, its primitives."""

from collections import Counter

import pytest

from service.auth.compact import decode_segment, encode, parse_object, split
from service.auth.errors import TokenRefused
from tests.security.conftest import Bench
from tests.security.verdict import DESCRIPTIONS, coarse
from tests.security.wire import call_echo, request
from tests.security.wycheproof import MISSING, Vector, vectors, verification_keys

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.requirement("RFC7515-5.2", "RFC8725-3.4"),
]

TOKENS = {
    "json_web_signature_test": 401,
    "json_web_key_test": 26,
    "json_web_crypto_test": 83,
    "json_web_encryption_test": 139,
}
# Valid vectors that we refuse on purpose, by file and why.
REFUSED_VALID = {
    "json_web_signature_test": {
        "HMAC is no algorithm of ours": {1, 348, 352, 357, 358, 359, 372, 373, 376, 377},
        "an empty payload is no JWT": {259, 272},
        "SHA-384 and SHA-512 are not listed": {*range(264, 272), *range(320, 324), *range(325, 329)},
        "the key is pinned to PS256, the header says PS384": {346, 350},
        "ES521 is the name of no algorithm": {347, 351},
    },
    "json_web_key_test": {"HMAC is no algorithm of ours": {2, 13, 14, 15}},
    "json_web_crypto_test": {"HMAC is no algorithm of ours": {1, 48}},
}
INVALID_JWS = {"json_web_signature_test": 355, "json_web_key_test": 21, "json_web_crypto_test": 45}
PRIMITIVES = {
    # file: algorithm, tests, tests whose key our policy refuses (public exponent 3)
    "rsa_signature_2048_sha256_test": ("RS256", 259, 2),
    "rsa_signature_3072_sha256_test": ("RS256", 259, 1),
    "rsa_signature_4096_sha256_test": ("RS256", 258, 0),
    "rsa_pss_2048_sha256_mgf1_32_test": ("PS256", 108, 0),
    "rsa_pss_3072_sha256_mgf1_32_test": ("PS256", 108, 0),
    "ecdsa_secp256r1_sha256_p1363_test": ("ES256", 262, 0),
    "ed25519_test": ("Ed25519", 151, 0),
}


@pytest.mark.requirement("RFC6750-3.1-TOKEN")
@pytest.mark.parametrize("name", TOKENS)
def test_every_token_is_refused_over_http(bench: Bench, name: str) -> None:
    """649 of 649: valid or not, none of them was issued for us."""
    target, headers, body = call_echo("mcp")
    faults = []
    for vector in vectors(name):
        line = b"Authorization: Bearer " + vector.token.encode("utf-8", "surrogatepass")
        data = request("POST", target, [*headers, line], body, host=bench.service.host)
        answer = bench.exchange(data, vector.token)
        told = (answer.json() or {}).get("error_description")
        if coarse(answer) != "B" or told not in DESCRIPTIONS.values():
            faults.append((vector.id, answer.status, told))
    assert len(vectors(name)) == TOKENS[name]
    assert faults == []


def verdict(vector: Vector) -> bool:
    """Say whether a JWS passes our reading and a key of its group, as our policy imports it.

    `kid` and `typ` are left aside: the vectors have none, so that with them every vector would be refused unread.
    """
    try:
        header, payload, signature, signing_input = split(encode(vector.token))
        algorithm = parse_object(decode_segment(header), "malformed_token").get("alg")
        decode_segment(payload)
        proof = decode_segment(signature)
    except TokenRefused:
        return False
    keys = verification_keys(vector).values()
    return any(algorithm in key.names and key.verify(signing_input, proof) for key in keys)


@pytest.mark.requirement("RFC7517-4")
@pytest.mark.parametrize("name", INVALID_JWS)
def test_invalid_signatures_are_refused_with_their_own_keys(name: str) -> None:
    """355 of 355 in the file of signatures; in the files of keys also ROCA, weak and mixed ones."""
    signed = [vector for vector in vectors(name) if "jws" in vector.test]
    invalid = [vector for vector in signed if not vector.valid]
    assert len(invalid) == INVALID_JWS[name]
    assert [vector.id for vector in invalid if verdict(vector)] == []
    refused = {vector.id for vector in signed if vector.valid and not verdict(vector)}
    assert refused == set().union(*REFUSED_VALID[name].values())


@pytest.mark.parametrize("name", PRIMITIVES)
def test_a_primitive_has_no_deviation(name: str) -> None:
    """1,405 vectors at the layer of `VerificationKey`; what is merely acceptable is refused."""
    algorithm, count, weak = PRIMITIVES[name]
    found: Counter[str] = Counter()
    deviations = []
    for vector in vectors(name):
        found["tests"] += 1
        keys = verification_keys(vector, algorithm)
        if not keys:
            found["weak"] += 1
            continue
        (key,) = keys.values()
        if key.verify(bytes.fromhex(vector.test["msg"]), bytes.fromhex(vector.test["sig"])) is not vector.valid:
            deviations.append(vector.id)
    assert deviations == []
    assert (found["tests"], found["weak"]) == (count, weak)
