"""The engine of the machine."""

import json

import pytest
from testinfra.host import Host


@pytest.mark.requirement("HOST-ENGINE")
def test_the_engine_listens_on_its_socket_only(host: Host) -> None:
    listening = host.check_output("ss -Hltnp")
    assert "dockerd" not in listening
    socket = host.file("/run/docker.sock")
    assert (socket.is_socket, socket.mode, socket.group) == (True, 0o660, "docker")
    assert host.group("docker").members == []


@pytest.mark.requirement("HOST-ENGINE")
def test_the_engine_is_configured_as_declared(host: Host) -> None:
    said = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert (said["LiveRestoreEnabled"], said["LoggingDriver"]) == (True, "json-file")
    declared = json.loads(host.file("/etc/docker/daemon.json").content_string)
    assert declared["log-opts"] == {"max-file": "5", "max-size": "10m"}
    assert (declared["ip"], declared["no-new-privileges"], declared["icc"]) == ("127.0.0.1", True, False)
    assert host.service("docker").is_enabled
