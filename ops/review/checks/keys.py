"""Signing keys of a realm."""

from collections.abc import Iterator

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

_GENERATED = (
    "keycloak_realm_keystore_aes_generated",
    "keycloak_realm_keystore_ecdsa_generated",
    "keycloak_realm_keystore_hmac_generated",
    "keycloak_realm_keystore_rsa_generated",
)
_GIVEN = {
    "keycloak_realm_keystore_rsa": "private_key",
    "keycloak_realm_keystore_java_keystore": "keystore_password",
}
_RSA_LEAST_BITS = 2048


@about(*_GENERATED, *_GIVEN)
def life(change: Change, plan: Plan) -> Iterator[Hit]:
    """Keys that go while what they signed is still about."""
    key = plan.names.was(change)
    if change.before.get("enabled") is False:
        return
    if change.ends:
        yield hit("key-replaced" if change.remains else "key-removed", key=key)
    elif change.existed and change.off("enabled"):
        yield hit("key-disabled", key=key)


@about(*_GENERATED)
def strength(change: Change, plan: Plan) -> Iterator[Hit]:
    """Keys that are too short."""
    size = change.after.get("key_size")
    if isinstance(size, int) and size < _RSA_LEAST_BITS and size != change.before.get("key_size"):
        yield hit("key-weak", key=plan.names.own(change), size=size)


@about(*_GIVEN)
def in_state(change: Change, plan: Plan) -> Iterator[Hit]:
    """Keys that Terraform carries itself."""
    if change.remains and not change.existed:
        yield hit("key-in-state", key=plan.names.own(change))


@about("keycloak_realm")
def algorithm(change: Change, plan: Plan) -> Iterator[Hit]:
    """The realm's default algorithm."""
    name = str(change.after.get("default_signature_algorithm") or "")
    if name.startswith("HS") and name != change.before.get("default_signature_algorithm"):
        yield hit("key-algorithm", realm=plan.names.own(change), algorithm=name)
