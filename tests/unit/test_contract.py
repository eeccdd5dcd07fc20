"""A wrong contract is refused with file, line and what to write instead."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.contract import CONTRACT_PATH, ContractError, load_contract

TEXT = CONTRACT_PATH.read_text(encoding="utf-8")

# (what is replaced, by what, the line that is wrong now, words of the message)
WRONG = {
    "unknown key": (
        "version: 1",
        "version: 1\nwombat: 2",
        "wombat: 2",
        "unknown key 'wombat'; write one of: brute_force",
    ),
    "unknown client key": ("kind: public", "kind: public\n    pkce: false", "pkce: false", "unknown key 'pkce'"),
    "wildcard redirect": ("http://127.0.0.1/callback", "https://*.evil.example/", "evil", "write one exact URI"),
    "http redirect": ("http://127.0.0.1/callback", "http://evil.example/cb", "evil", "write one exact URI"),
    "redirect with user": ("http://127.0.0.1/callback", "https://a@evil.example/", "evil", "write one exact URI"),
    "redirect with fragment": ("http://127.0.0.1/callback", "https://evil.example/#a", "evil", "write one exact URI"),
    "script redirect": ("http://127.0.0.1/callback", "javascript:evil()", "evil", "write one exact URI"),
    "unknown scope": ("implies: [mcp:read]", "implies: [mcp:reed]", "mcp:reed", "write one of: mcp:read, mcp:write"),
    "scope cycle": (
        "consent: See",
        "implies: [mcp:write]\n    consent: See",
        "implies: [mcp:write]",
        "imply each other",
    ),
    "long lifetime": ("access_token: 300", "access_token: 86400", "86400", "write 30 to 300 seconds"),
    "short lifetime": ("authorization_code: 60", "authorization_code: 1", "authorization_code: 1", "write 10 to 60"),
    "session order": ("session_max: 36000", "session_max: 600", "session_max: 600", "write 1800 or more"),
    "registration for nobody": ("anonymous: closed", "anonymous: trusted_hosts", "trusted_hosts: []", "name the hosts"),
    "documents of nobody": (
        "metadata_documents: closed",
        "metadata_documents: trusted_hosts",
        "metadata_hosts: []",
        "name the hosts, or write metadata_documents: closed",
    ),
    "documents of an address": ("metadata_hosts: []", "metadata_hosts: [10.0.0.7]", "10.0.0.7", "a public host name"),
    "documents of this machine": ("metadata_hosts: []", "metadata_hosts: [localhost]", "localhost]", "a public host"),
    "documents of any host": ("metadata_hosts: []", "metadata_hosts: ['*.evil.example']", "evil", "without scheme"),
    "use longer than events": ("unused_days: 30", "unused_days: 31", "unused_days: 31", "write 30 or less, or raise"),
    "two ways to register": (
        "anonymous: closed\n  trusted_hosts: []\n  web_origins: []\n  max_clients: 200\n  consent: true\n"
        "  metadata_documents: closed\n  metadata_hosts: []\n",
        "anonymous: trusted_hosts\n  trusted_hosts: [localhost]\n  web_origins: []\n  max_clients: 200\n"
        "  consent: true\n  metadata_documents: trusted_hosts\n  metadata_hosts: [vscode.dev]\n",
        "metadata_documents: trusted_hosts",
        "both open; write closed for one of them",
    ),
    "missing": ("  history: 3\n", "", "passwords:", "lacks history; add history"),
    "wrong type": ("min_length: 12", 'min_length: "12"', '"12"', "write 12 to 64 characters"),
    "key twice": ("version: 1", "version: 1\nversion: 1", "version: 1\n", "keep one of them"),
    "no text key": ("  mcp:infer:", "  5:", "  5:", "put it in quotes"),
    "scope name": ("mcp:infer:", "MCP:infer:", "MCP:infer:", "write lower-case words joined by colons"),
    "redirect of a job": (
        "kind: service_account",
        "kind: service_account\n    consent: true",
        "consent: true\n    name: Auto",
        "",
    ),
    "scope of the server": (
        "kind: resource_server",
        "kind: resource_server\n    default_scopes: []",
        "s: []\n    name: The",
        "",
    ),
    "no redirect": (
        "    redirect_paths: [/console/callback, /docs/oauth2-redirect]\n",
        "",
        "mcp-console:",
        "where may a",
    ),
    "no YAML": ("lifetimes:", "lifetimes: [", None, "is not YAML"),
    "a tag": ("version: 1", "version: !!python/name:os.system 1", None, "is not YAML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_contract_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    old, new, wrong, words = WRONG[name]
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    path = tmp_path / "access.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    first, *_ = str(caught.value).splitlines()
    match = re.fullmatch(r"access\.yaml:(\d+): .+; .+", first)
    assert match, first
    assert words in str(caught.value)
    if wrong:
        lines = {text.count("\n", 0, found.start()) + 1 for found in re.finditer(re.escape(wrong), text)}
        assert int(match[1]) in lines, first


def test_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_text(TEXT.replace("access_token: 300", "access_token: 301").replace("history: 3", "history: 99"))
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert len(str(caught.value).splitlines()) == 2


JOB = "  mcp-reader:\n    kind: service_account\n"


@pytest.mark.parametrize(
    "source", ["https://jobs.example.org/jwks.json", "http://localhost:9000/jwks", "MIIBszCCAVmgAw=="]
)
def test_a_machine_client_may_have_a_key_instead_of_a_secret(source: str, tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_text(TEXT.replace(JOB, f"{JOB}    private_key_jwt: {source}\n"), encoding="utf-8")
    clients = load_contract(path).clients
    assert (clients["mcp-reader"].private_key_jwt, clients["mcp-automation"].private_key_jwt) == (source, "")


@pytest.mark.parametrize(
    ("client", "source"),
    [
        ("mcp-reader", "http://jobs.example.org/jwks"),
        ("mcp-reader", "-----BEGIN CERTIFICATE-----"),
        ("mcp-reader", "ftp://jobs.example.org/jwks"),
        ("mcp-reader", "true"),
        ("mcp-cli", "https://jobs.example.org/jwks.json"),
        ("mcp-server", "https://jobs.example.org/jwks.json"),
    ],
)
def test_a_key_of_no_use_is_refused(client: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    head = f"  {client}:\n"
    assert head in TEXT
    path.write_text(TEXT.replace(head, f"{head}    private_key_jwt: {source}\n"), encoding="utf-8")
    with pytest.raises(ContractError, match="private_key_jwt"):
        load_contract(path)


@pytest.mark.parametrize("content", [b"", b"- a", b"\xff\xfe", b"a: &a [*a]"])
def test_a_file_that_is_no_contract_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_bytes(content)
    with pytest.raises(ContractError):
        load_contract(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"cannot be read: No such file.*; give the path"):
        load_contract(tmp_path / "access.yaml")


def test_implied_scopes_are_granted() -> None:
    contract = load_contract()
    assert contract.expand(["mcp:write"]) == {"mcp:write", "mcp:read"}
    assert contract.expand(["mcp:read"]) == {"mcp:read"}
    assert contract.expand(["openid"]) == {"openid"}


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_text(TEXT.replace("access_token: 300", "access_token: 301"))
    command = [sys.executable, "-m", "service.contract"]
    assert subprocess.run(command, cwd=CONTRACT_PATH.parent, check=False).returncode == 0
    refused = subprocess.run([*command, path], cwd=CONTRACT_PATH.parent, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "write 30 to 300 seconds" in refused.stderr
