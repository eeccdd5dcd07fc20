"""The edge as it is served by the machine."""

import socket
import ssl
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from testinfra.host import Host

from tests.host.conftest import Converged
from tests.host.machine import AUTH, MCP, Machine
from tests.host.steady import Steady
from tests.support.until import until

HEADERS = (
    "strict-transport-security", "content-security-policy", "x-content-type-options", "x-frame-options",
    "referrer-policy", "permissions-policy", "cross-origin-opener-policy",
)  # fmt: skip
RELOADS = 10


@pytest.fixture
def https(converged: Converged, names: None) -> Iterator[httpx.Client]:
    trusted = ssl.create_default_context(cafile=str(converged.authority))
    with httpx.Client(verify=trusted, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.requirement("HOST-EDGE")
@pytest.mark.parametrize("name", [MCP, AUTH])
def test_http_leads_to_https_and_keeps_the_method(https: httpx.Client, name: str) -> None:
    answer = https.post(f"http://{name}/mcp?x=1")
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{name}/mcp?x=1")


@pytest.mark.requirement("HOST-EDGE")
def test_each_header_once(https: httpx.Client) -> None:
    answer = https.get(f"https://{MCP}/nothing")
    counts = Counter(name.lower() for name, _ in answer.headers.multi_items())
    assert answer.status_code == 404
    assert {name: counts[name] for name in HEADERS} == dict.fromkeys(HEADERS, 1)
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert "/" not in answer.headers["server"]


@pytest.mark.requirement("HOST-EDGE")
def test_a_stranger_gets_no_certificate_and_no_page(converged: Converged) -> None:
    address = converged.machine.address
    context = ssl.create_default_context(cafile=str(converged.authority))
    for name in ("stranger.example", None):
        context.check_hostname = name is not None
        with socket.create_connection((address, 443), 10) as plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname=name)
    with socket.create_connection((address, 80), 10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: stranger.example\r\n\r\n")
        with pytest.raises(ConnectionResetError):  # Nginx's 444
            plain.recv(1)


@pytest.mark.requirement("HOST-EDGE")
def test_a_strangers_name_on_a_connection_of_ours_is_misdirected(converged: Converged, https: httpx.Client) -> None:
    answer = https.get(f"https://{MCP}/", headers={"Host": "stranger.example"})
    assert (answer.status_code, "Welcome" in answer.text) == (421, False)
    log = converged.machine.shell("grep access_denied /var/log/nginx/access.log | tail -n 1")
    assert '"reason":"foreign_host","status":421' in log


@pytest.mark.requirement("HOST-EDGE")
def test_http2_is_spoken_and_http3_is_not_offered(converged: Converged, https: httpx.Client) -> None:
    context = ssl.create_default_context(cafile=str(converged.authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((converged.machine.address, 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=MCP) as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
    assert "alt-svc" not in https.get(f"https://{MCP}/nothing").headers


@pytest.mark.requirement("HOST-EDGE")
def test_the_workers_are_not_root_and_the_files_are_not_theirs(host: Host) -> None:
    workers = host.check_output("ps -o user= -C nginx").split()
    assert Counter(workers)["root"] == 1
    assert set(workers) == {"root", "www-data"}
    assert host.file("/etc/nginx/secure-mcp/mcp.conf").user == "root"
    assert host.file("/etc/secure-mcp/tls").mode == 0o700
    assert host.file("/etc/secure-mcp/tls/tls.key").mode == 0o600


@pytest.mark.requirement("HOST-EDGE")
def test_a_reload_under_load_loses_no_answer(converged: Converged) -> None:
    """Keep-alive and new connections, while the configuration is loaded anew again and again."""
    machine = converged.machine
    before = workers(machine)
    with Steady(machine.address, AUTH, converged.authority) as load:
        until(lambda: load.answered > 50, 30, "the load has begun")
        for _ in range(RELOADS):
            old = workers(machine)
            machine.shell("systemctl reload nginx")
            until(lambda old=old: not old & workers(machine), 60, "new workers have taken over")  # type: ignore[misc]
        after = load.answered
        until(lambda: load.answered > after + 50, 30, "the load goes on")
    assert load.failures == []
    assert load.explained(RELOADS * len(before)), (load.reopened, load.repeated)


def workers(machine: Machine) -> set[str]:
    return set(machine.shell("pgrep -f 'nginx: worker process$' || true").split())
