"""Features of Keycloak that the realm needs beyond a release's: server and realm have each together, or not at all."""

from collections.abc import Mapping
from typing import Any

METADATA_DOCUMENTS = "cimd"
"""Client ID metadata documents. A realm whose policy names them answers 500 to everything on a server without it."""

_EXECUTOR = "client-id-metadata-document"


def features_of_contract(registration: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a realm needs that Terraform declares from the contract.

    Args:
        registration: the section of that name.
    """
    return (METADATA_DOCUMENTS,) if registration["metadata_documents"] != "closed" else ()


def features_of_realm(realm: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a realm needs that is imported.

    Args:
        realm: its representation, such as realm.lock.json.
    """
    profiles = realm.get("clientProfiles", {}).get("profiles", [])
    named = {executor["executor"] for profile in profiles for executor in profile["executors"]}
    return (METADATA_DOCUMENTS,) if _EXECUTOR in named else ()
