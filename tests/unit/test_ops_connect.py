"""ops.clients and ops.connect: what is to be pasted parses in its own format and names this server and this client."""

import json
import shlex
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml
from typer.testing import CliRunner

from ops.cli import app
from ops.clients import KnownClient, known_clients, placeholders
from ops.errors import ExitCode, OperatorError
from service.contract import load_contract

pytestmark = pytest.mark.requirement("OPS-CONNECT")

URL = "https://mcp.example.org/mcp"
CLIENTS = known_clients()
READERS = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load, "sh": lambda text: shell(text)}
each_client = pytest.mark.parametrize("known", CLIENTS.values(), ids=CLIENTS)


def shell(text: str) -> list[str]:
    """The words of commands as a shell reads them."""
    return shlex.split(text.replace("\\\n", ""))


def filled(known: KnownClient) -> KnownClient:
    return known.filled(placeholders(URL, "mcp-cli", ["mcp:read", "mcp:write"], "secure-mcp"))


def strings(value: object) -> Iterator[str]:
    """Every string inside, also inside of strings that are JSON themselves."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value
        if value.startswith("{"):
            yield from strings(json.loads(value))


def test_the_named_clients_are_known() -> None:
    named = "claude-code claude-desktop vscode cursor inspector mcp-remote codex goose"
    assert list(CLIENTS) == named.split()


@each_client
def test_each_snippet_parses_and_names_the_server(known: KnownClient) -> None:
    for snippet in filled(known).snippets:
        found = list(strings(READERS[snippet.language](snippet.text)))
        assert URL in found, snippet.text
        assert "$(" not in snippet.text.replace("$(secure-mcp token)", ""), "a placeholder was left"


@each_client
def test_each_client_is_given_the_declared_client_id(known: KnownClient) -> None:
    assert any("mcp-cli" in list(strings(READERS[one.language](one.text))) for one in filled(known).snippets)


@each_client
def test_each_client_listens_where_the_contract_allows(known: KnownClient) -> None:
    assert known.redirect_uri in load_contract().clients["mcp-cli"].redirect_uris


@each_client
def test_each_client_has_a_way_out_of_a_refusal(known: KnownClient) -> None:
    assert known.refusals
    assert all(refusal.symptom and refusal.cause and refusal.fix for refusal in filled(known).refusals)


def test_a_placeholder_without_a_value_is_noticed() -> None:
    values = placeholders(URL, "mcp-cli", [], "secure-mcp")
    del values["client_id"]
    with pytest.raises(KeyError):
        CLIENTS["codex"].filled(values)


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    """A server that answers each GET with `server.document`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(self.server.document).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.url = f"http://127.0.0.1:{server.server_port}/mcp"
        server.document = {"resource": server.url}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(*arguments: str) -> str:
    """Run the command and return its output."""
    result = CliRunner().invoke(app, ["connect", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_it_asks_the_server_for_its_name_and_prints_for_it(answering: HTTPServer) -> None:
    answer = json.loads(run("vscode", "--url", answering.url, "--json"))
    assert (answer["url"], answer["client_id"], answer["key"]) == (answering.url, "mcp-cli", "vscode")
    assert json.loads(answer["snippets"][0]["text"])["servers"]["secure-mcp"]["url"] == answering.url


def test_it_prints_the_text_as_it_is_to_be_pasted(answering: HTTPServer) -> None:
    printed = run("mcp-remote", "--url", answering.url)
    command = printed[printed.index("    npx") : printed.index("\n\n", printed.index("    npx"))]
    assert json.loads(shell(command)[6]) == {"client_id": "mcp-cli"}


def failure(*arguments: str) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        CliRunner().invoke(app, ["connect", *arguments], catch_exceptions=False)
    return caught.value


def test_an_unknown_client_gets_the_list() -> None:
    error = failure("netscape")
    assert error.code == ExitCode.USAGE
    assert all(name in error.next_step for name in CLIENTS)


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/mcp", "http:///mcp"])
def test_what_is_no_url_is_refused(url: str) -> None:
    assert failure("codex", "--url", url).code == ExitCode.USAGE


def test_a_server_that_is_called_otherwise_is_a_finding(answering: HTTPServer) -> None:
    answering.document = {"resource": "https://other.example/mcp"}
    error = failure("codex", "--url", answering.url)
    assert (error.code, "https://other.example/mcp" in error.next_step) == (ExitCode.FINDINGS, True)


@pytest.mark.parametrize("document", [{}, [], "text", None])
def test_what_is_no_metadata_is_a_finding(answering: HTTPServer, document: object) -> None:
    answering.document = document
    assert failure("codex", "--url", answering.url).code == ExitCode.FINDINGS


def test_nobody_there_is_said_so() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        url = f"http://127.0.0.1:{taken.server_port}/mcp"
    assert failure("codex", "--url", url).code == ExitCode.UNREACHABLE
