"""A realm export made comparable: no ids, no secrets, no values of one environment, one order."""

import re
from collections.abc import Mapping
from typing import Any

from ops.environment import REALM
from ops.errors import findings

MASK = "**********"

# What Keycloak makes up anew in every realm, and its misspelt twin of `authenticatorFlow`.
_NOISE = {"id", "containerId", "createdTimestamp", "internalId", "autheticatorFlow"}
_NOISE_ATTRIBUTES = {"client.secret.creation.time"}
# Material of keys. Name, provider, priority, size and algorithm stay: an import makes new keys from them.
_KEY_MATERIAL = {
    "privateKey",
    "certificate",
    "secret",
    "kid",
    "ecdsaPrivateKey",
    "ecdsaPublicKey",
    "ecdhPrivateKey",
    "ecdhPublicKey",
}
_KEY_MATERIAL |= {"eddsaPrivateKey", "eddsaPublicKey"}
# Lists whose order means something; every other list is a set.
_ORDERED = {"authenticationExecutions", "executors", "conditions", "profiles", "policies"}
_ORDERED |= {"webAuthnPolicySignatureAlgorithms", "webAuthnPolicyPasswordlessSignatureAlgorithms"}
_JOINT = "##"  # between the values of an attribute that holds several
# What names an entry of a list, in order of preference.
_NAMES = ("clientId", "username", "alias", "name", "client", "clientScope", "providerId")


def normalise(export: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """Return an export of a realm in the form of realm.lock.json.

    Args:
        export: what the Admin API or `kc.sh export` gave; it is not changed.
        public_url: origin of the service that the realm was made for; becomes ${SECURE_MCP_PUBLIC_URL}.

    Raises:
        OperatorError: a masked secret is left for which there is no placeholder.
    """
    # Names first: they decide the order.
    named = rename(dict(export), str(export["realm"]), REALM)
    named = _replace(named, re.compile(re.escape(public_url) + r"(?![\w.-])"), "${SECURE_MCP_PUBLIC_URL}")
    realm: dict[str, Any] = _clean(named, "")
    realm["sslRequired"] = "${SECURE_MCP_SSL_REQUIRED}"
    # Kept twice by Keycloak: an import adds the second copy, the Admin API does not.
    realm["attributes"] = {key: value for key, value in realm["attributes"].items() if key not in realm}
    for client in realm.get("clients", []):
        _hide_secret(client)
        _settle_logout(client)
        if client.get("rootUrl") == "":
            del client["rootUrl"]  # the provider writes it at an update and not at a creation; it means none
    for holder in [*realm.get("clients", []), *realm.get("clientScopes", [])]:
        for mapper in holder.get("protocolMappers", []):
            _settle_userinfo(mapper["config"])
    for provider in realm.get("components", {}).get("org.keycloak.keys.KeyProvider", []):
        provider["config"] = {key: value for key, value in provider["config"].items() if key not in _KEY_MATERIAL}
    for where in _masked(realm, ""):
        raise findings(f"The export has a masked secret at {where}.", "Give it a placeholder in ops/normalise.py.")
    return realm


def rename(value: Any, old: str, new: str) -> Any:
    """Return the representation with the realm's name replaced, in URLs and in `default-roles-NAME` too."""
    return _replace(value, re.compile(rf"(?<![\w-])(default-roles-)?{re.escape(old)}(?![\w-])"), rf"\g<1>{new}")


def placeholder(client_id: str) -> str:
    """Return the name of the variable that holds a client's secret when the lock file is imported."""
    return "SECURE_MCP_SECRET_" + client_id.upper().replace("-", "_")


def _clean(value: Any, field: str) -> Any:
    if isinstance(value, dict):
        drop = _NOISE | (_NOISE_ATTRIBUTES if field == "attributes" else set())
        return {key: _clean(value[key], key) for key in sorted(value) if key not in drop}
    if isinstance(value, list):
        items = [_clean(item, "") for item in value]
        return items if field in _ORDERED else sorted(items, key=_order)
    if isinstance(value, str) and _JOINT in value:
        return _JOINT.join(sorted(value.split(_JOINT)))
    return value


def _order(item: Any) -> tuple[str, ...]:
    if not isinstance(item, dict):
        return (str(item),)
    name = next((str(item[key]) for key in _NAMES if key in item), "")
    return (name, str(item.get("subType", "")), str(item))


def _hide_secret(client: dict[str, Any]) -> None:
    client.pop("secret", None)
    confidential = not client.get("publicClient") and not client.get("bearerOnly")
    if confidential and client.get("clientAuthenticatorType") == "client-secret":
        client["secret"] = "${" + placeholder(client["clientId"]) + "}"


def _settle_logout(client: dict[str, Any]) -> None:
    """An import writes "all redirect URIs" where nothing is said; for a client without any that is the same."""
    attributes = client.get("attributes", {})
    if not client.get("redirectUris") and attributes.get("post.logout.redirect.uris") == "+":
        del attributes["post.logout.redirect.uris"]


def _settle_userinfo(config: dict[str, str]) -> None:
    """Where nothing is said about the userinfo endpoint, Keycloak goes by the ID token; an import writes that down."""
    if "id.token.claim" in config:
        config.setdefault("userinfo.token.claim", config["id.token.claim"])


def _replace(value: Any, pattern: re.Pattern[str], text: str) -> Any:
    if isinstance(value, dict):
        return {_replace(key, pattern, text): _replace(item, pattern, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace(item, pattern, text) for item in value]
    return pattern.sub(text, value) if isinstance(value, str) else value


def _masked(value: Any, where: str) -> list[str]:
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _masked(item, f"{where}/{key}")]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _masked(item, f"{where}/{index}")]
    return [where] if value == MASK else []
