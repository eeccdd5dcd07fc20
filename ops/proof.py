"""The stack proves itself: one call that must be answered and two that must be refused, all over the network."""

from collections.abc import Callable
from dataclasses import dataclass

from ops.calls import Answer, call_tool
from ops.environment import Environment
from ops.errors import findings
from ops.secrets import read_secret
from ops.tokens import client_credentials


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was tried."""

    sentence: str
    holds: bool
    seen: str


def prove(environment: Environment) -> list[Proof]:
    """Try a call with every scope, one with a scope too few and one without a token.

    Raises:
        OperatorError: Keycloak or the service does not answer.
    """

    def call(tool: str, arguments: dict[str, str], client_id: str | None) -> Answer:
        token = service_account_token(environment, client_id) if client_id else None
        return call_tool(environment.mcp_url, token, tool, dict(arguments))

    def attempt(sentence: str, answer: Answer, holds: Callable[[Answer], bool]) -> Proof:
        error = f" {answer.challenge.error}".rstrip() if answer.challenge else ""
        return Proof(sentence, holds(answer), f"HTTP {answer.status}{error}")

    def answered(answer: Answer) -> bool:
        return answer.status == 200 and not answer.error and "first light" in str(answer.result)

    def lacks_scope(answer: Answer) -> bool:
        challenge = answer.challenge
        return answer.status == 403 and challenge is not None and "mcp:write" in challenge.scope.split()

    def lacks_token(answer: Answer) -> bool:
        return answer.status == 401 and answer.challenge is not None and bool(answer.challenge.resource_metadata)

    return [
        attempt(
            "mcp-automation calls echo: answered", call("echo", {"text": "first light"}, "mcp-automation"), answered
        ),
        attempt(
            "mcp-reader calls calculate: refused", call("calculate", {"expression": "6*7"}, "mcp-reader"), lacks_scope
        ),
        attempt("nobody calls echo without a token: refused", call("echo", {"text": "first light"}, None), lacks_token),
    ]


def require_proof(proofs: list[Proof]) -> None:
    """Refuse to call the stack up unless everything holds.

    Raises:
        OperatorError: something does not (exit code 1).
    """
    if failed := [f"{proof.sentence}: {proof.seen}" for proof in proofs if not proof.holds]:
        raise findings(
            f"The stack runs, but not as it must. {'; '.join(failed)}",
            "Look at the logs: secure-mcp status names them.",
        )


def service_account_token(environment: Environment, client_id: str, scope: str | None = None) -> str:
    """Return an access token of a service account; its secret comes from the state folder."""
    secret = read_secret(environment.secrets, client_id)
    token: str = client_credentials(environment.token_endpoint, client_id, secret, scope)["access_token"]
    return token
