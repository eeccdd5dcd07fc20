"""The pages for people: which paths are open, what a page may do, and what it is told."""

import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops import clients
from service.console.files import load
from service.console.routes import SWAGGER_FILES
from tests.unit.tokens import ORIGIN, send

AUTH_ORIGIN = "http://localhost:8080"
STATIC = Path(__file__).parents[2] / "service" / "console" / "static"
PAGES = ("/", "/console/callback", "/docs", "/docs/oauth2-redirect")
PROJECT = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")

pytestmark = pytest.mark.requirement("CONSOLE-PAGES")


def policy(answer: httpx.Response) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split("; ")
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


def assets(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css|svg))"', send("GET", page).text)


def config() -> dict[str, Any]:
    return send("GET", "/console/config.json").json()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_no_code_but_files_of_this_service(page: str) -> None:
    answer = send("GET", page)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    rules = policy(answer)
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == f"'self' {AUTH_ORIGIN}"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?://", answer.text)


@pytest.mark.parametrize("page", PAGES[:2])
def test_the_console_turns_no_text_into_markup(page: str) -> None:
    rules = policy(send("GET", page))
    assert (rules["require-trusted-types-for"], rules["trusted-types"]) == ("'script'", "'none'")
    assert rules["form-action"] == f"'self' {AUTH_ORIGIN}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_alone_in_its_window(page: str) -> None:
    headers = send("GET", page).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


def test_the_policy_names_the_issuers_origin_alone() -> None:
    answer = send("GET", "/", settings={"issuer": "https://auth.example.com/realms/mcp-realm"})
    assert policy(answer)["connect-src"] == "'self' https://auth.example.com"


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_every_file_of_a_page_is_there_and_may_be_kept_for_ever(page: str) -> None:
    found = assets(page)
    assert len(found) >= 4
    for path in found:
        answer = send("GET", path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[path.rpartition(".")[2]]
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("path", ["/", "/docs", "/console/config.json"])
def test_what_is_known_already_is_not_sent_again(path: str) -> None:
    first = send("GET", path)
    assert first.headers["cache-control"] == "no-cache"
    again = send("GET", path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert send("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/console/callback", "/docs/oauth2-redirect"])
def test_the_address_that_carries_a_code_is_kept_nowhere(path: str) -> None:
    assert send("GET", f"{path}?code=x&state=y").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [*PAGES, "/console/config.json"])
def test_a_page_can_only_be_read(method: str, path: str) -> None:
    assert send(method, path).status_code == 405


def test_a_head_request_gets_the_headers() -> None:
    answer = send("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_nothing_else_is_open() -> None:
    script = next(path for path in assets("/") if path.endswith("main.js"))
    folder = script.rpartition("/")[0]
    closed = [
        "/console", "/console/", folder, f"{folder}/", f"{folder}/nothing.js", f"{folder}//main.js",
        f"{folder}/%2e%2e/console.html", "/console/console.html", "/console/connect.json", "/console/main.js",
        "/console/0000000000000000/main.js", "/console/routes.py", "/docs/", "/docs/swagger-ui.css", "/favicon.ico",
    ]  # fmt: skip
    assert {path: send("GET", path).status_code for path in closed} == dict.fromkeys(closed, 401)


def test_the_config_says_where_to_sign_in_and_for_what() -> None:
    told = config()
    assert told["issuer"] == f"{AUTH_ORIGIN}/realms/mcp-realm"
    assert told["resource"] == f"{ORIGIN}/mcp"
    assert told["client_id"] == "mcp-console"
    assert told["first_scopes"] == ["mcp:read"]
    assert told["scopes"]["mcp:write"]["implies"] == ["mcp:read"]
    assert "client_secret" not in str(told)


def test_the_contract_has_the_client_and_the_redirects_of_the_pages(contract: Any) -> None:
    client = contract.clients[config()["client_id"]]
    assert client.kind == "public"
    assert set(config()["redirect_paths"].values()) == set(client.redirect_paths) <= set(PAGES)
    assert set(client.optional_scopes) == set(contract.scopes)


def test_the_config_lists_every_tool_and_begins_with_what_a_first_token_allows() -> None:
    tools = config()["tools"]
    assert {tool["name"] for tool in tools} >= {"echo", "timestamp", "calculate"}
    assert tools[0]["scopes"] == ["mcp:read"]
    for tool in tools:
        assert "$ref" not in str(tool["input_schema"])
        assert set(tool["example"]) <= set(tool["input_schema"]["properties"])


def test_how_to_connect_is_what_the_operators_command_prints(contract: Any) -> None:
    ways = config()["connect"]
    values = clients.placeholders(f"{ORIGIN}/mcp", "mcp-cli", contract.scopes, "secure-mcp")
    known = clients.known_clients()
    same = [way for way in ways if "client" in way]
    assert len(same) >= 3
    for way in same:
        assert way["text"] == known[way["client"]].filled(values).snippets[0].text.rstrip("\n")
    assert all(ORIGIN in way["text"] for way in ways)


def test_another_content_is_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    before = load("/x", tmp_path).path
    assert load("/x", tmp_path).path == before
    (tmp_path / "a.js").write_text("2", encoding="utf-8")
    assert load("/x", tmp_path).path != before


def test_scripts_import_files_that_are_there() -> None:
    for script in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8")):
            assert (STATIC / name).is_file(), f"{script.name} imports {name}"


def test_scripts_keep_nothing_but_the_transaction() -> None:
    for script in STATIC.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"localStorage|indexedDB|document\.cookie|innerHTML|insertAdjacentHTML|\beval\b", text), (
            script.name
        )
        assert "sessionStorage" not in text or script.name == "transaction.js"


def test_swagger_ui_is_the_release_that_the_requirements_name() -> None:
    content = (resources.files("fastapi_swagger") / "resources" / SWAGGER_FILES[0]).read_bytes()
    # Of swagger-ui-dist 5.34.0 as npm has it.
    assert hashlib.sha256(content).hexdigest() == "3f6abf70480db7e07914df4c98a77385f22ea585eaf457a3e6415ba0eae2d167"


def test_an_installed_package_carries_the_pages() -> None:
    data = re.search(r'^"service\.console" = \[(.*)\]', PROJECT, re.MULTILINE)
    assert data
    patterns = re.findall(r'"([^"]+)"', data[1])
    package = STATIC.parent
    carried = {file for pattern in patterns for file in package.glob(pattern)}
    assert {file for file in package.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}} <= carried
    assert '"service.*"' in PROJECT.partition("[tool.setuptools.packages.find]")[2].partition("]")[0]
