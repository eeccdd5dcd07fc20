"""ops.ports: who has a port."""

import os
import socket

import pytest

from ops.errors import ExitCode, OperatorError
from ops.ports import free_port, is_free, require_free


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_free_port_is_free():
    require_free(free_port(), "Keycloak", "SECURE_MCP_KEYCLOAK_PORT")


def test_port_in_use_names_holder_and_way_out(taken_port):
    with pytest.raises(OperatorError) as refused:
        require_free(taken_port, "Keycloak", "SECURE_MCP_KEYCLOAK_PORT")
    assert f"(pid {os.getpid()})" in refused.value.problem
    assert "SECURE_MCP_KEYCLOAK_PORT=" in refused.value.next_step
    assert refused.value.code is ExitCode.USAGE


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_port_in_use_on_the_other_loopback_is_not_free():
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert not is_free(server.getsockname()[1])
