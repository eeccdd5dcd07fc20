"""Whose address the log has: what a declared proxy says, and never what a caller says about itself."""

import itertools
import json
from pathlib import Path

import pytest

from tests.support.until import until

pytestmark = pytest.mark.requirement("OPS-ADDRESS")

STRANGER = "203.0.113.9"
# What a caller sends in X-Forwarded-For, and which address counts when the connection comes from a declared proxy.
HEADERS = {
    "one address": (STRANGER, STRANGER),
    "this machine's own": ("127.0.0.1", "127.0.0.1"),
    "a lie before the proxy's own word": (f"198.51.100.7, {STRANGER}", STRANGER),
    "a proxy behind the proxy": (f"{STRANGER}, 127.0.0.9", STRANGER),
    "no address at all": ("<script>", "unknown"),
}


def addresses(log: Path, request_id: str) -> list[str]:
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if request_id in line]
    return [line["address"] for line in lines if line["event"] == "request"]


@pytest.fixture(scope="module", params=["192.0.2.1", "127.0.0.0/8,::1"], ids=["another proxy", "this machine"])
def logged(request, start_service, tmp_path_factory):
    """A service that believes the proxies of the parameter; called with a header it returns the address logged."""
    log = tmp_path_factory.mktemp("forwarded") / "service.log"
    with start_service(log, SECURE_MCP_TRUSTED_PROXIES=request.param) as service:
        service.process.wait_ready(60)
        numbers = itertools.count()

        def address(header: str) -> str:
            request_id = f"forwarded-{next(numbers)}"
            service.get("/version", headers={"X-Forwarded-For": header, "X-Request-ID": request_id})
            return until(lambda: addresses(log, request_id), 5, "the log line")[0]

        yield request.param, address


def test_only_a_declared_proxy_says_who_called(logged) -> None:
    proxies, address = logged
    for case, (header, behind_a_proxy) in HEADERS.items():
        expected = behind_a_proxy if proxies.startswith("127.") else "127.0.0.1"
        assert address(header) == expected, case
