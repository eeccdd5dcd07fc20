"""Whether issuer, Keycloak's metadata and the access contract agree: told by /readyz, and by `secure-mcp doctor`."""

from collections.abc import Mapping
from typing import Any

import structlog

from service.contract import Contract
from service.telemetry.events import Event

log = structlog.get_logger(__name__)

_APPLY = "apply terraform/keycloak"


def disagreements(metadata: Mapping[str, Any], issuer: str, contract: Contract) -> list[str]:
    """Return what does not fit together, a sentence each with what to do; empty when all is well.

    Args:
        metadata: the authorization server's own metadata (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3).
        issuer: the exact issuer that the service accepts tokens of.
        contract: the access contract.
    """
    found = []
    said = metadata.get("issuer")
    if said != issuer:
        found.append(
            f"Keycloak calls itself {_shown(said)}, the service expects {issuer}; give Keycloak's --hostname and "
            "SECURE_MCP_ISSUER the same URL"
        )
    elif not str(metadata.get("authorization_endpoint")).startswith(f"{issuer}/"):
        found.append(
            "People would log in under another URL than the issuer's; set Keycloak's --hostname to the public URL"
        )
    if "S256" not in _words(metadata, "code_challenge_methods_supported"):
        found.append(
            "The metadata does not list S256, so that MCP clients refuse to log in; use a Keycloak that does PKCE"
        )
    if metadata.get("authorization_response_iss_parameter_supported") is not True:
        found.append("Authorization responses do not name the issuer (RFC 9207); use Keycloak 26 or newer")
    if missing := sorted(contract.scopes.keys() - _words(metadata, "scopes_supported")):
        found.append(f"The realm does not offer {', '.join(missing)} of the contract; {_APPLY}")
    needed = {"authorization_code", "client_credentials", "refresh_token"}
    if lacking := sorted(needed - _words(metadata, "grant_types_supported")):
        found.append(f"The realm does not serve {', '.join(lacking)}; switch the grants on in Keycloak")
    announced = metadata.get("client_id_metadata_document_supported") is True
    declared = contract.registration["metadata_documents"] != "closed"
    if announced and not declared:
        found.append(
            "Keycloak announces client ID metadata documents, which the contract closes: clients that use them fail; "
            "run it without the feature cimd"
        )
    if declared and not announced:
        found.append(
            "The contract opens client ID metadata documents, and Keycloak runs without the feature cimd: the realm "
            "may answer 500 to everything; run it with the feature, or write metadata_documents: closed"
        )
    return found


class Agreement:
    """Keeps what the last look at the metadata found.

    Args:
        issuer: the exact issuer.
        contract: the access contract.
    """

    def __init__(self, issuer: str, contract: Contract) -> None:
        self._issuer = issuer
        self._contract = contract
        self.found: tuple[str, ...] = ()

    def see(self, metadata: Mapping[str, Any]) -> None:
        """Look at metadata that was just fetched; a change of what is found is a line in the log."""
        found = tuple(disagreements(metadata, self._issuer, self._contract))
        if found != self.found:
            (log.warning if found else log.info)(Event.REALM_AGREEMENT, disagreements=list(found))
        self.found = found


def _words(metadata: Mapping[str, Any], name: str) -> set[str]:
    values = metadata.get(name)
    return {value for value in values if isinstance(value, str)} if isinstance(values, list) else set()


def _shown(value: object) -> str:
    """Return what a foreign server said as far as it is safe in a log and on a public page."""
    return "".join(char for char in str(value)[:200] if " " < char <= "~") or "nothing"
