"""The closed list of answers (docs/hostile-tokens.md), each exact to the byte where the service has a choice."""

from service.auth.errors import REASONS
from tests.security.system import Service
from tests.security.wire import Answer

DESCRIPTIONS = {**REASONS, "malformed_credentials": "The Authorization header is malformed"}
SCOPE = 'scope="mcp:read"'
NO_CREDENTIALS = "Send an access token: Authorization: Bearer <token>"
ONE_METHOD = {"Send exactly one Authorization header", "Send the token in the Authorization header only"}


def fault(expected: str, answer: Answer, service: Service) -> str:
    """Say how an answer differs from what is expected, or return an empty text.

    Args:
        expected: a class and what it needs: A, `B reason`, C, D, E, OK, U, or `STATUS error`.
    """
    name, _, detail = expected.partition(" ")
    wanted = _wanted(name, detail, service)
    found = _found(answer)
    problem = wanted(answer) if callable(wanted) else "" if found == wanted else f"expected {wanted}"
    problem = problem or _leaks(answer, service)
    return f"{problem}, got {found} {answer.body[:300]!r}" if problem else ""


def coarse(answer: Answer) -> str:
    """Return the class of an answer without its details, for services with texts of their own."""
    challenge = " ".join(answer.all("www-authenticate"))
    if answer.status == 401:
        return "B" if 'error="invalid_token"' in challenge else "A"
    if answer.status in (200, 403, 503):
        return {200: "OK", 403: "C", 503: "U"}[answer.status]
    if answer.status in (400, 431, 0):
        return "D" if 'error="invalid_request"' in challenge else "E"
    return str(answer.status)


def _found(answer: Answer) -> tuple[object, ...]:
    body = answer.json()
    body = body if isinstance(body, dict) else {}
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    return answer.status, answer.all("www-authenticate"), code, body.get("error_description")


def _wanted(name: str, detail: str, service: Service) -> object:
    metadata = f'resource_metadata="{service.metadata_url}"'
    if name == "A":
        return 401, [f"Bearer {metadata}, {SCOPE}"], "unauthorized", NO_CREDENTIALS
    if name == "B":
        text = DESCRIPTIONS[detail]
        header = f'Bearer error="invalid_token", error_description="{text}", {metadata}, {SCOPE}'
        return 401, [header], "invalid_token", text
    if name == "C":
        text = "This call needs the scope mcp:read"
        header = f'Bearer error="insufficient_scope", error_description="{text}", {metadata}, {SCOPE}'
        return 403, [header], "insufficient_scope", text
    if name == "D":
        return lambda answer: _invalid_request(answer, metadata)
    if name == "E":
        return _edge
    if name == "U":
        return _cannot_judge
    if name == "OK":
        return lambda answer: "" if answer.status == 200 and b"hello" in answer.body else "expected 200 and the echo"
    return lambda answer: _other(answer, int(name), detail)


def _invalid_request(answer: Answer, metadata: str) -> str:
    text = (answer.json() or {}).get("error_description")
    header = f'Bearer error="invalid_request", error_description="{text}", {metadata}'
    wanted = (400, [header], "invalid_request", text)
    return "" if text in ONE_METHOD and _found(answer) == wanted else f"expected {wanted}"


def _edge(answer: Answer) -> str:
    """The HTTP parser refuses before the service sees a request: no challenge, and not a word about the token."""
    quiet = not answer.all("www-authenticate") and len(answer.body) < 100
    return "" if answer.status in (0, 400, 431) and quiet else "expected the HTTP parser's 400 or 431"


def _cannot_judge(answer: Answer) -> str:
    retry = answer.all("retry-after")
    quiet = not answer.all("www-authenticate") and b"invalid_token" not in answer.body
    return "" if answer.status == 503 and quiet and retry and int(retry[0]) > 0 else "expected 503 with Retry-After"


def _other(answer: Answer, status: int, error: str) -> str:
    code = str(_found(answer)[2]) if error else ""
    return "" if (answer.status, code) == (status, error) else f"expected {status} {error}"


def _leaks(answer: Answer, service: Service) -> str:
    """An answer is never a 5xx but 503, has at most one challenge, its id, and nothing from inside."""
    if answer.status >= 500 and answer.status != 503:
        return "a 5xx"
    if len(answer.all("www-authenticate")) > 1:
        return "two challenges"
    if answer.status < 400 or not answer.all("x-request-id"):
        return ""
    if answer.status in (401, 403) and answer.all("cache-control") != ["no-store"]:
        return "a refusal that may be cached"
    if answer.json() and "jsonrpc" not in answer.json():
        extra = set(answer.json()) - {"error", "error_description", "request_id"}
        if extra:
            return f"members {extra}"
    seen = answer.body.decode("latin-1") + "".join(answer.all("www-authenticate"))
    inside = ("Traceback", "Error(", "joserfc", "cryptography", "mcp-automation", service.issuer, service.world.aud)
    return next((f"the words {word!r}" for word in inside if word in seen), "")
