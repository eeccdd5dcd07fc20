"""Which keys of a JWK Set are taken."""

import math

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from service.auth.jwk import SUPPORTED_ALGORITHMS, import_keys
from tests.unit.jose import encode, private_key, public_jwk


def drops(entry: object, algorithms: tuple[str, ...] = SUPPORTED_ALGORITHMS) -> str:
    """Import the key beside a good one and return why it was dropped; the good one must have come through."""
    usable, dropped = import_keys({"keys": [entry, public_jwk("ES256", "good")]}, algorithms)
    assert list(usable) == ["ES256-good"]
    ((_, reason),) = dropped
    return reason


def weak_rsa() -> dict[str, object]:
    with pytest.warns(SecurityWarning):
        key = RSAKey.generate_key(1024, {"kid": "weak", "alg": "RS256"})
    return dict(key.as_dict(private=False))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "no_object"),
        ("key", "no_object"),
        ({}, "no_kid"),
        (public_jwk(kid=None), "no_kid"),
        (public_jwk(kid=5), "no_kid"),
        (public_jwk(kid="x" * 201), "no_kid"),
        (public_jwk(kty=None), "key_type"),
        (public_jwk(kty="oct"), "key_type"),
        (OctKey.generate_key(256, {"kid": "o"}).as_dict(private=True), "key_type"),
        (private_key().as_dict(private=True), "private_key"),
        (public_jwk(use="enc"), "use"),
        (public_jwk(alg="RSA-OAEP", use="enc"), "use"),
        (public_jwk(key_ops=["encrypt"]), "key_ops"),
        (public_jwk(key_ops="verify"), "key_ops"),
        (public_jwk(alg="RS512"), "algorithm"),
        (public_jwk(alg=["RS256"]), "algorithm"),
        (public_jwk(alg="ES256"), "key_type"),
        (public_jwk(n=None), "malformed"),
        (public_jwk(n="!"), "malformed"),
        (public_jwk(n="A" * 3000), "malformed"),
        (public_jwk(e="AQ"), "exponent"),
        (public_jwk(e="AQAA"), "exponent"),
        (public_jwk("ES256", x="AA"), "malformed"),
        (public_jwk("ES256", y=public_jwk("ES256")["x"]), "malformed"),
        (public_jwk("ES256", crv="P-999"), "curve"),
        (ECKey.generate_key("P-384", {"kid": "e"}).as_dict(private=False), "curve"),
        (OKPKey.generate_key("Ed448", {"kid": "o", "alg": "EdDSA"}).as_dict(private=False), "curve"),
        (OKPKey.generate_key("X25519", {"kid": "o"}).as_dict(private=False), "curve"),
        (weak_rsa(), "key_size"),
    ],
)
def test_a_bad_key_is_dropped_and_blocks_no_other(entry: object, reason: str) -> None:
    assert drops(entry) == reason


@pytest.mark.parametrize(
    "point",
    [
        "00" * 32,
        "01" + "00" * 31,
        "01" + "00" * 30 + "80",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "ff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_a_point_of_small_order_is_no_key(point: str) -> None:
    """Such a key verifies a signature of zeros over anything."""
    entry = {"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": encode(bytes.fromhex(point))}
    assert drops(entry) in {"weak_point", "malformed"}


def roca_modulus() -> int:
    """Return a number of 2048 bits that is a power of 65537 modulo every prime up to 167, as CVE-2017-15361 has it."""
    primes = [n for n in range(2, 168) if all(n % d for d in range(2, n))]
    product = math.prod(primes)
    found = pow(65537, 1234567, product)
    return found + product * ((1 << 2047) // product + 1) | 1


def test_a_key_with_the_roca_fingerprint_is_dropped() -> None:
    modulus = roca_modulus()
    assert modulus.bit_length() == 2048
    assert drops(public_jwk(n=encode(modulus.to_bytes(256, "big")))) == "roca"


@pytest.mark.parametrize("exponent", [65537, 65541, 2**31 + 1])
def test_an_odd_exponent_from_65537_on_is_taken(exponent: int) -> None:
    jwk = public_jwk(e=encode(exponent.to_bytes(4, "big").lstrip(b"\0")))
    usable, dropped = import_keys({"keys": [jwk]}, ("RS256",))
    assert list(usable) == ["RS256-1"], dropped


@pytest.mark.parametrize(("bits", "taken"), [(2047, False), (2048, True), (8192, True), (8193, False)])
def test_the_size_of_a_modulus_is_bounded_on_both_sides(bits: int, taken: bool) -> None:
    modulus = (1 << bits) - 159  # odd, of that size, without the ROCA fingerprint
    jwk = public_jwk(n=encode(modulus.to_bytes((bits + 7) // 8, "big")))
    assert bool(import_keys({"keys": [jwk]}, ("RS256",))[0]) is taken


@pytest.mark.parametrize("exponent", [65535, 65536, 65538, 3])
def test_another_exponent_is_refused(exponent: int) -> None:
    assert drops(public_jwk(e=encode(exponent.to_bytes(3, "big").lstrip(b"\0")))) == "exponent"


def test_keys_are_equal_when_they_verify_the_same() -> None:
    def imported(jwk: dict[str, object]) -> dict[str, object]:
        return dict(import_keys({"keys": [jwk]}, SUPPORTED_ALGORITHMS)[0])

    assert imported(public_jwk("ES256")) == imported(public_jwk("ES256", use=None))
    assert imported(public_jwk("ES256")) != imported(public_jwk("ES256", "2", kid="ES256-1"))
    assert imported(public_jwk(alg="RS256")) != imported(public_jwk(alg="PS256"))


def test_a_kid_that_stands_twice_names_no_key() -> None:
    usable, dropped = import_keys({"keys": [public_jwk(), public_jwk("ES256", kid="RS256-1")]}, SUPPORTED_ALGORITHMS)
    assert not usable
    assert [reason for _, reason in dropped] == ["duplicate_kid", "duplicate_kid"]


def test_an_algorithm_that_is_not_allowed_takes_its_keys_away() -> None:
    assert drops(public_jwk("RS256"), ("ES256",)) == "algorithm"


def test_a_key_without_alg_serves_one_algorithm() -> None:
    usable, _ = import_keys({"keys": [public_jwk(alg=None, use=None)]}, SUPPORTED_ALGORITHMS)
    assert usable["RS256-1"].names == {"RS256"}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": None}])
def test_what_is_no_key_set_gives_no_key(document: object) -> None:
    assert import_keys(document, SUPPORTED_ALGORITHMS) == ({}, [("", "no_key_set")])


def test_a_flood_of_keys_is_cut() -> None:
    keys = [public_jwk("ES256", kid=f"k{number}") for number in range(40)]
    usable, dropped = import_keys({"keys": keys}, SUPPORTED_ALGORITHMS)
    assert len(usable) == 32
    assert dropped == [("", "too_many_keys")]
