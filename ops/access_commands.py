"""Commands that use the stack as a client: token, call."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ops.browser import log_in
from ops.calls import PROTOCOLS, Answer, call_rest, call_tool, parse_arguments
from ops.containers.environment import find_environment
from ops.environment import Environment
from ops.errors import ExitCode, OperatorError
from ops.machine_token import machine_token
from ops.output import err, show, show_error, show_json
from ops.proof import service_account_token
from ops.tokens import claims_of

AUTOMATION = "mcp-automation"
PERSON = "mcp-cli"

ClientOption = Annotated[
    str | None, typer.Option("--client", help=f"Client id; {AUTOMATION}, or {PERSON} with --browser.")
]
ScopeOption = Annotated[str | None, typer.Option(help="Scopes to ask for, separated by spaces.")]
BrowserOption = Annotated[
    bool, typer.Option("--browser", help="Log in with the browser (PKCE) instead of client credentials.")
]


def token(
    client: ClientOption = None,
    scope: ScopeOption = None,
    browser: BrowserOption = False,
    key: Annotated[
        Path | None, typer.Option(help="Private key (PEM) of a client that has no secret: private_key_jwt, RFC 7523.")
    ] = None,
    key_id: Annotated[str | None, typer.Option(help="Which key of the client's published set (JWKS) that is.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Take no token that was kept from an earlier run.")] = False,
    decode: Annotated[bool, typer.Option("--decode", help="Print the claims instead of the token.")] = False,
) -> None:
    """Get an access token and print it on stdout, and nothing else there.

    One of a service account is kept in the state folder, readable by its owner only, until shortly before its end.

    \b
    Examples:
      secure-mcp token
      secure-mcp token --client my-job --key my-job.pem
      secure-mcp token --client mcp-reader --decode
      secure-mcp token --browser --scope "mcp:read mcp:write"
    """
    environment = find_environment()
    if browser and (key or key_id):
        raise OperatorError("A person has no key.", "Leave --browser out, or --key.")
    if browser:
        text = _token(environment, client, scope, browser)
    else:
        text = machine_token(environment, client or AUTOMATION, scope, key, key_id, fresh=fresh)
    if decode:
        show_json(claims_of(text))
    else:
        sys.stdout.write(text + "\n")


def call(
    tool: Annotated[str, typer.Argument(help="Name of the tool, such as echo.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="key=text, or key:=JSON.")] = None,
    client: ClientOption = None,
    scope: ScopeOption = None,
    browser: BrowserOption = False,
    token_source: Annotated[
        str | None, typer.Option("--token", help="`-` reads the token from stdin, `none` sends none.")
    ] = None,
    rest: Annotated[bool, typer.Option("--rest", help="Call the REST view instead of MCP.")] = False,
    protocol: Annotated[str, typer.Option(help=f"Revision of MCP: {' or '.join(PROTOCOLS)}.")] = PROTOCOLS[0],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Call a tool and print its result, or the decoded refusal and what to do.

    \b
    Examples:
      secure-mcp call echo text=hello
      secure-mcp call calculate expression='6*7' --json
      secure-mcp call timestamp timezone=Europe/Paris --rest
      secure-mcp token | secure-mcp call echo text=hello --token -
    """
    if protocol not in PROTOCOLS:
        raise OperatorError(f"{protocol} is no revision known here.", f"Write {' or '.join(PROTOCOLS)}.")
    values = parse_arguments(arguments or [])
    environment = find_environment()
    text = _given_token(token_source) if token_source else _token(environment, client, scope, browser)
    if rest:
        answer = call_rest(environment.public_url, text, tool, values)
    else:
        answer = call_tool(environment.mcp_url, text, tool, values, protocol)
    _show_answer(answer, tool, as_json)


def _token(environment: Environment, client: str | None, scope: str | None, browser: bool) -> str:
    if browser:
        response = log_in(environment.issuer, client or PERSON, scope, environment.mcp_url)
        return str(response["access_token"])
    return service_account_token(environment, client or AUTOMATION, scope)


def _given_token(source: str) -> str | None:
    if source == "none":
        return None
    if source != "-":
        raise OperatorError(
            "A token does not belong on a command line: other users can read it there.", "Pipe it in: --token -"
        )
    return sys.stdin.read().strip()


def _show_answer(answer: Answer, tool: str, as_json: bool) -> None:
    if not answer.error:
        if as_json or not _is_plain(answer.result):
            show_json(answer.result)
        else:
            show(str(_plain(answer.result)))
        return
    challenge = answer.challenge
    if challenge is None:
        error = OperatorError(
            f"{tool} answers: {answer.error}", "See its arguments in the API docs: GET /api/v1/tools", ExitCode.FINDINGS
        )
    else:
        rows = {
            "error": challenge.error,
            "description": challenge.description,
            "scope": challenge.scope,
            "resource_metadata": challenge.resource_metadata,
        }
        for name, value in rows.items():
            if value:
                err.print(f"  {name:18}{value}", markup=False)
        error = OperatorError(f"refused with HTTP {answer.status}", challenge.next_step(tool), ExitCode.FINDINGS)
    show_error(error)
    raise typer.Exit(error.code)


def _plain(result: object) -> object:
    """Unwrap a result that stands alone: {"result": 42} is shown as 42."""
    return next(iter(result.values())) if isinstance(result, dict) and len(result) == 1 else result


def _is_plain(result: object) -> bool:
    return isinstance(_plain(result), str | int | float)
