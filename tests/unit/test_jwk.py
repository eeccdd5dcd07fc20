"""Which keys of a JWK Set are taken."""

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from service.auth.jwk import SUPPORTED_ALGORITHMS, import_keys
from tests.unit.jose import private_key, public_jwk


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
