"""For tools that call another API on behalf of the caller: a token for it, and never the caller's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import SecretStr

from service.auth.exchange import ExchangeFailed, TokenExchanger
from service.auth.token import Caller
from service.contract import Contract
from service.settings import Settings
from service.settings_files import SettingsError
from service.tools.registry import ToolFailure

log = structlog.get_logger(__name__)

_TEXTS: Final = {
    "unreachable": "The authorization server does not answer now; try again later",
    "refused": "The authorization server gives no token for the other API on your behalf; log in again, and if that "
    "does not help tell the operator of this service",
    "scope_not_held": "Your access token lacks a scope that the other API needs; log in again and ask for it",
}
_OTHER: Final = "The authorization server gave no usable token for the other API; tell the operator of this service"


@dataclass(frozen=True, slots=True)
class Downstream:
    """What the service has for calling other APIs.

    `audiences` are the client ids that the contract allows, `url` and `audience` those of the demonstration tool.
    """

    exchanger: TokenExchanger
    audiences: frozenset[str]
    url: str | None
    audience: str

    def for_caller(self, token: str, caller: Caller) -> "Delegation":
        """Return what a tool may use while it works for this caller."""
        return Delegation(self, caller, SecretStr(token))


class Delegation:
    """Tokens for other APIs on behalf of one caller, during one request.

    Args:
        downstream: what the service has.
        caller: whom the tool works for.
        token: the caller's access token; it stays inside, and no text of this object shows it.
    """

    __slots__ = ("_caller", "_token", "downstream")

    def __init__(self, downstream: Downstream, caller: Caller, token: SecretStr) -> None:
        self.downstream = downstream
        self._caller = caller
        self._token = token

    async def token(self, audience: str, scopes: Iterable[str] = ()) -> SecretStr:
        """Return an access token of the caller's whose only audience is the other API (RFC 8693 section 2).

        Args:
            audience: client id of the API, one of `downstream_apis` in access.yaml.
            scopes: scopes of the caller's that the token shall carry, by default none.

        Raises:
            ToolFailure: there is none; the text is for the caller. The reason is in the log.
            LookupError: the contract does not name that API.
        """
        if audience not in self.downstream.audiences:
            raise LookupError(f"{audience} is not among downstream_apis of access.yaml")
        try:
            return await self.downstream.exchanger.exchange(self._token, self._caller, audience, scopes)
        except ExchangeFailed as failed:
            raise ToolFailure(_TEXTS.get(failed.reason, _OTHER)) from None


def build_downstream(settings: Settings, contract: Contract) -> Downstream | None:
    """Return what tools call other APIs with; None without a secret of the service's own client.

    Raises:
        SettingsError: the demonstration tool is configured for an API that the contract does not name.
    """
    audiences = contract.downstream_apis
    if settings.downstream_url and settings.downstream_audience not in audiences:
        names = ", ".join(sorted(audiences)) or "none yet"
        text = (
            f"SECURE_MCP_DOWNSTREAM_AUDIENCE: is not among downstream_apis of the access contract; there are: {names}"
        )
        raise SettingsError([text])
    if settings.client_secret is None:
        return None
    exchanger = TokenExchanger(
        issuer=settings.issuer,
        internal_url=settings.issuer_internal_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
    )
    return Downstream(exchanger, audiences, settings.downstream_url, settings.downstream_audience)
