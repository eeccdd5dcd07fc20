"""The closed list of events in the log: what an operator may search and alert on."""

from enum import StrEnum


class Event(StrEnum):
    """Value of the key `event`. The keys of each event are listed in service/README.md."""

    SERVICE_STARTED = "service_started"
    SERVICE_STOPPED = "service_stopped"
    ACCESS_ALLOWED = "access_allowed"
    ACCESS_DENIED = "access_denied"
    REQUEST = "request"
    REQUEST_FAILED = "request_failed"
    TOOL_FAILED = "tool_failed"
    TOKEN_EXCHANGE_FAILED = "token_exchange_failed"  # noqa: S105 - an event, no secret
    JWKS_CHANGED = "jwks_changed"
    JWKS_FETCH_FAILED = "jwks_fetch_failed"
    JWKS_CACHE_FAILED = "jwks_cache_failed"
    JWK_DROPPED = "jwk_dropped"
    REALM_AGREEMENT = "realm_agreement"
    SESSION_REVOKED = "session_revoked"
    LOGOUT_REFUSED = "logout_refused"
    REVOCATIONS_UNSHARED = "revocations_unshared"
    REVOCATIONS_RETOLD = "revocations_retold"
    CALLER_RATE_UNSHARED = "caller_rate_unshared"
    AUDIT_ANCHOR = "audit_anchor"
    LOG_LEVEL_CHANGED = "log_level_changed"
    LIBRARY = "library"
