"""Token exchange (RFC 8693): for a caller's token, one that another API takes and this service does not.

The caller's token goes to the authorization server and nowhere else. Nothing is kept: each exchange asks anew, so that
an ended session or a withdrawn right counts at once, and no token outlives its `exp` here.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import httpx
import structlog
from pydantic import SecretStr

from service.auth.ask import AnswerTooLarge, ask
from service.auth.compact import decode_segment, encode, parse_object, split
from service.auth.errors import TokenRefused
from service.auth.token import Caller
from service.telemetry.events import Event

EXCHANGE_SECONDS: Final = 5.0
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type, no secret
_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
# RFC 6749 section 5.2 and RFC 8693 section 2.2.2: what may stand in the log of what the server says.
_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope", "invalid_target",
     "access_denied", "unsupported_grant_type"}
)  # fmt: skip

log = structlog.get_logger(__name__)


class ExchangeFailed(Exception):
    """There is no token for the other API; `reason` is a word of a closed list and safe to show.

    Args:
        reason: `unreachable`, `refused`, `bad_answer`, or what was wrong with the token that came back.
        detail: the OAuth error code or the kind of failure, for the log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class TokenExchanger:
    """Exchanges tokens as the service's own client.

    Args:
        issuer: the exact issuer; discovery must return the very same string (RFC 8414 section 3.3).
        internal_url: where the issuer is reached from here, when that differs from its public URL.
        client_id: the service's own client.
        client_secret: its secret.
        transport: for tests.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str,
        internal_url: str | None,
        client_id: str,
        client_secret: SecretStr,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._base = internal_url or issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._endpoint = ""
        self._client = httpx.AsyncClient(timeout=EXCHANGE_SECONDS, follow_redirects=False, transport=transport)

    async def stop(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def exchange(self, token: SecretStr, caller: Caller, audience: str, scopes: Iterable[str] = ()) -> SecretStr:
        """Return an access token of the caller's for another API (RFC 8693 section 2).

        Args:
            token: the caller's access token, already judged.
            caller: who it belongs to.
            audience: client id of the other API.
            scopes: what the new token shall carry; what the caller does not hold is refused here.

        Raises:
            ExchangeFailed: within `EXCHANGE_SECONDS` (seconds) no token came that is for that API alone.
        """
        wanted = frozenset(scopes)
        try:
            if not wanted <= caller.scopes:
                raise ExchangeFailed("scope_not_held")
            async with asyncio.timeout(EXCHANGE_SECONDS):
                answer = await self._ask(token, audience, wanted)
            return self._checked(answer, caller, audience, wanted)
        except (TimeoutError, httpx.HTTPError) as error:
            failed = ExchangeFailed("unreachable", type(error).__name__)
        except ExchangeFailed as error:
            failed = error
        log.warning(Event.TOKEN_EXCHANGE_FAILED, audience=audience, reason=failed.reason, detail=failed.detail)
        # Not chained: what httpx raises knows the request, and with it both secrets.
        raise failed from None

    async def _ask(self, token: SecretStr, audience: str, scopes: frozenset[str]) -> Mapping[str, Any]:
        form = {
            "grant_type": _GRANT,
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
            "subject_token": token.get_secret_value(),
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            "audience": audience,
        }
        if scopes:
            form["scope"] = " ".join(sorted(scopes))
        status, answer = await self._request("POST", await self._token_endpoint(), form)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ExchangeFailed("unreachable", f"status_{status}")
        if status != httpx.codes.OK:
            error = answer.get("error")
            raise ExchangeFailed("refused", error if error in _ERRORS else f"status_{status}")
        return answer

    async def _token_endpoint(self) -> str:
        """Return the token endpoint as reached from here (RFC 8414 section 2); discovered once."""
        if not self._endpoint:
            status, metadata = await self._request("GET", f"{self._base}/.well-known/openid-configuration")
            if status != httpx.codes.OK:
                raise ExchangeFailed("unreachable", f"status_{status}")
            if metadata.get("issuer") != self._issuer:
                raise ExchangeFailed("bad_answer", "another_issuer")
            url = str(metadata.get("token_endpoint"))
            # The client's secret goes there: never to another host than the issuer's.
            base = next((base for base in (self._issuer, self._base) if url.startswith(f"{base}/")), None)
            if base is None:
                raise ExchangeFailed("bad_answer", "foreign_token_endpoint")
            self._endpoint = self._base + url.removeprefix(base)
        return self._endpoint

    async def _request(
        self, method: str, url: str, form: dict[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the JSON object of an answer."""
        try:
            status, body = await ask(self._client, method, url, form)
        except AnswerTooLarge:
            raise ExchangeFailed("bad_answer", "too_large") from None
        try:
            answer = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            if status != httpx.codes.OK:
                return status, {}
            raise ExchangeFailed("bad_answer", "no_json_object")
        return status, answer

    def _checked(self, answer: Mapping[str, Any], caller: Caller, audience: str, scopes: frozenset[str]) -> SecretStr:
        """Return the token of an answer if it is what was asked for, and for nobody else.

        Its signature is not judged here: it came from the issuer itself by the connection that was asked.
        """
        token, kind = answer.get("access_token"), answer.get("token_type")
        bearer = isinstance(kind, str) and kind.lower() == "bearer"
        if not isinstance(token, str) or not bearer or answer.get("issued_token_type") != ACCESS_TOKEN:
            raise ExchangeFailed("bad_answer", "no_access_token")
        try:
            claims = parse_object(decode_segment(split(encode(token))[1]), "malformed_claims")
        except TokenRefused as refused:
            raise ExchangeFailed("bad_answer", refused.reason) from None
        if claims.get("aud") not in (audience, [audience]):
            raise ExchangeFailed("wrong_audience")
        if claims.get("iss") != self._issuer or claims.get("sub") != caller.subject:
            raise ExchangeFailed("wrong_subject")
        granted = claims.get("scope", "")
        if not isinstance(granted, str) or not frozenset(granted.split()) <= scopes:
            raise ExchangeFailed("more_scope")
        expires_at = claims.get("exp")
        if not isinstance(expires_at, int) or expires_at <= self._clock():
            raise ExchangeFailed("expired")
        return SecretStr(token)
