"""ops.environment, ops.fingerprint and ops.locks: what is remembered, what counts as a change, who waits."""

import multiprocessing
import os

import pytest

from ops.environment import load_environment
from ops.errors import OperatorError
from ops.fingerprint import fingerprint
from ops.locks import exclusive
from ops.metrics_port import DEFAULT, choose_metrics_port, metrics_port


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("SECURE_MCP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SECURE_MCP_STATE_DIR", str(tmp_path))
    return tmp_path


def test_defaults():
    environment = load_environment()
    assert environment.name == "dev"
    assert environment.mcp_url == "http://localhost:8000/mcp"
    assert environment.issuer == "http://localhost:8080/realms/mcp-realm"


def test_later_commands_know_the_ports_of_up(monkeypatch):
    load_environment().remember(port=8300, demo_user=True)
    load_environment().remember(demo_user=None)
    assert load_environment().port == 8300
    assert load_environment().recall("demo_user") is None
    monkeypatch.setenv("SECURE_MCP_PORT", "8301")
    assert load_environment().port == 8301


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "8080"])
def test_wrong_or_double_port_is_refused(monkeypatch, text):
    monkeypatch.setenv("SECURE_MCP_PORT", text)
    with pytest.raises(OperatorError, match="SECURE_MCP_PORT"):
        load_environment()


def test_damaged_memory_names_the_way_out(state):
    (state / "environment.json").write_text("{")
    with pytest.raises(OperatorError, match="make destroy"):
        load_environment()


def test_fingerprint_sees_contents_names_and_values_but_no_caches(tmp_path):
    (tmp_path / "a.py").write_text("1")
    first = fingerprint([tmp_path], {"x": "1"})
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")
    assert fingerprint([tmp_path], {"x": "1"}) == first
    assert fingerprint([tmp_path], {"x": "2"}) != first
    (tmp_path / "a.py").write_text("2")
    second = fingerprint([tmp_path], {"x": "1"})
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, fingerprint([tmp_path], {"x": "1"})}) == 3


def _hold(path, held, release):
    with exclusive(path, "test"):
        held.set()
        release.wait(20)


def test_lock_keeps_others_out_until_it_is_released(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path / "lock", held, release))
    process.start()
    try:
        assert held.wait(20)
        with pytest.raises(OperatorError, match="Another process"), exclusive(tmp_path / "lock", "test", 0.1):
            pytest.fail("the lock was given twice")
        release.set()
        with exclusive(tmp_path / "lock", "test", 20):
            pass
    finally:
        release.set()
        process.join(20)


def test_metrics_have_a_port_of_their_own(monkeypatch):
    environment = load_environment()
    monkeypatch.setattr("ops.metrics_port.is_free", lambda port: port == DEFAULT)
    assert choose_metrics_port(environment, running=False) == DEFAULT == metrics_port(environment)
    monkeypatch.setattr("ops.metrics_port.is_free", lambda port: False)
    assert choose_metrics_port(environment, running=True) == DEFAULT  # the service itself has it
    other = choose_metrics_port(environment, running=False)
    assert other != DEFAULT
    assert metrics_port(environment) == other


def test_a_port_of_metrics_that_was_named_is_taken_or_refused(monkeypatch):
    environment = load_environment()
    monkeypatch.setenv("SECURE_MCP_MANAGEMENT_PORT", str(environment.keycloak_port))
    with pytest.raises(OperatorError, match="another part"):
        choose_metrics_port(environment, running=False)
    monkeypatch.setenv("SECURE_MCP_MANAGEMENT_PORT", "70000")
    with pytest.raises(OperatorError, match="70000"):
        metrics_port(environment)
    monkeypatch.setattr("ops.ports.is_free", lambda port: False)
    monkeypatch.setenv("SECURE_MCP_MANAGEMENT_PORT", "9555")
    with pytest.raises(OperatorError, match="SECURE_MCP_MANAGEMENT_PORT"):
        choose_metrics_port(environment, running=False)
