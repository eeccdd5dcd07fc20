"""`secure-mcp doctor`: the command line."""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from ops.doctor.chain import Chain, Hop, Wishes
from ops.doctor.fetch import Fetcher, origin_of, split
from ops.doctor.report import Telling, as_object, as_report, scrubber
from ops.doctor.run import walk
from ops.errors import ExitCode, OperatorError
from ops.findings.model import severity_of
from ops.output import show_json

_LONGEST_TOKEN: Final = 64 * 1024
_SECONDS: Final = (0.1, 60.0)


def doctor(
    url: Annotated[str, typer.Argument(help="URL of the MCP endpoint, as clients are given it.")],
    token_file: Annotated[
        str | None, typer.Option("--token-file", help="File with an access token to try; `-` reads it from stdin.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="PEM file with an authority to trust beside the system's.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Origin of a browser client to play; default: the server's own.")
    ] = None,
    registration: Annotated[
        bool, typer.Option("--registration/--no-registration", help="Try a registration that makes no client.")
    ] = True,
    threshold: Annotated[
        str, typer.Option(help="Least severity of a finding that counts: info to critical.")
    ] = "medium",
    timeout: Annotated[float, typer.Option(help="Seconds for one request, 0.1 to 60.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Look hop by hop at a client's way to an MCP server behind Keycloak: what is seen, why it matters, how to fix it.

    Nothing is changed, and no secret is printed. Exit code: 0 in order, 1 findings, 2 usage, 3 not reached.

    \b
    Examples:
      secure-mcp doctor https://mcp.example.org/mcp
      secure-mcp token | secure-mcp doctor http://localhost:8000/mcp --token-file -
      secure-mcp doctor https://mcp.example.org/mcp --origin https://console.example.org --json
      secure-mcp doctor https://mcp.localhost/mcp --ca .secure-mcp/dev/authority/authority.crt --no-registration
    """
    wishes = Wishes(_token(token_file), _origin(origin), registration)
    if split(url) is None:
        raise OperatorError(
            "That is no http or https URL of a server.", "Write it as clients are given it: https://host/mcp"
        )
    if not _SECONDS[0] <= timeout <= _SECONDS[1]:
        raise OperatorError(f"{timeout:g} seconds are too few or too many.", "Write --timeout with 0.1 to 60.")
    least = severity_of(threshold)
    trust = _trust(ca)
    endpoint = url.partition("#")[0]
    chain = Chain(endpoint, Fetcher(timeout, trust), trust, wishes, endpoint)
    scrub = scrubber(wishes.token)
    telling = Telling(least, scrub)
    hops = asyncio.run(walk(chain, _nothing if as_json else telling.hop))
    report = as_report(chain, hops, least, scrub)
    code = report.exit_code if chain.reached else ExitCode.UNREACHABLE
    if as_json:
        show_json(as_object(chain, hops, report, code, scrub))
    else:
        telling.end(chain, hops)
    raise typer.Exit(code)


def _nothing(_: Hop) -> None:
    """Print nothing while the way is looked at."""


def _token(source: str | None) -> str:
    if source is None:
        return ""
    try:
        text = sys.stdin.read(_LONGEST_TOKEN + 1) if source == "-" else _read(Path(source))
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            "The token cannot be read.", "Name a file that holds the token, or pipe it in: --token-file -"
        ) from error
    token = text.strip()
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or len(token.split()) != 1:
        raise OperatorError(
            "There is no single token in that file.", "Give an access token as `secure-mcp token` prints it."
        )
    return token


def _read(path: Path) -> str:
    with path.open(encoding="ascii") as file:
        return file.read(_LONGEST_TOKEN + 1)


def _origin(origin: str | None) -> str:
    if origin is None:
        return ""
    parts = split(origin)
    if parts is None or parts.path not in ("", "/"):
        raise OperatorError(f"{origin} is no origin.", "Write scheme, host and port: https://console.example.org")
    return origin_of(parts)


def _trust(ca: Path | None) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if ca is not None:
        try:
            trust.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise OperatorError(
                f"{ca} holds no certificates.", "Name a PEM file with the authority's certificate."
            ) from error
    return trust
