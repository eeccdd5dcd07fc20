"""No secret where others see it: engine, images, processes, logs, Terraform's state and plans."""

import json
import subprocess
from pathlib import Path

import psutil
import pytest

from ops.containers.engine import docker
from ops.containers.environment import PARTS
from tests.stack.conftest import RunningStack


def found(secrets: dict[str, str], text: str) -> list[str]:
    """Return the names of the secrets that a text holds; a key counts by its longest line."""
    parts = {name: max(value.splitlines(), key=len) for name, value in secrets.items()}
    return sorted(name for name, value in parts.items() if value in text)


@pytest.mark.requirement("STACK-SECRECY")
def test_the_search_finds_a_secret_that_is_there(stack: RunningStack, all_secrets: dict[str, str]) -> None:
    assert len(all_secrets) >= 10
    seen = stack.shell("keycloak", "cat /run/secrets/keycloak.conf").stdout
    assert found(all_secrets, seen) == ["bootstrap-admin", "postgres_password"]


@pytest.mark.requirement("STACK-SECRECY")
@pytest.mark.parametrize("part", PARTS)
def test_none_in_the_engine(stack: RunningStack, all_secrets: dict[str, str], part: str) -> None:
    inspected = json.dumps(stack.inspect(part))
    history = docker("history", "--no-trunc", stack.inspect(part)["Image"]).decode()
    logs = subprocess.run(["docker", "logs", stack.container(part)], capture_output=True, text=True)
    assert found(all_secrets, inspected) == []
    assert found(all_secrets, history) == []
    assert found(all_secrets, logs.stdout + logs.stderr) == []


@pytest.mark.requirement("STACK-SECRECY")
@pytest.mark.parametrize("part", PARTS)
def test_none_in_environment_and_arguments(stack: RunningStack, all_secrets: dict[str, str], part: str) -> None:
    everything = stack.shell(part, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'").stdout
    assert "PATH=" in everything
    assert found(all_secrets, everything) == []


@pytest.mark.requirement("STACK-SECRECY")
def test_none_in_the_process_list_of_the_host(stack: RunningStack, all_secrets: dict[str, str]) -> None:
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert found(all_secrets, "\n".join(lines)) == []


@pytest.mark.requirement("STACK-SECRECY")
def test_none_in_terraform(stack: RunningStack, all_secrets: dict[str, str]) -> None:
    for root in (stack.docker_root(), stack.realm_root()):
        root.prepare()
        root.plan()
        assert found(all_secrets, json.dumps(root.show())) == []
    folder = stack.environment.state
    files = [file for file in (folder / "terraform").rglob("*") if file.is_file() and ".terraform" not in file.parts]
    files += list(stack.environment.run.glob("*.log"))
    assert any(file.name == "terraform.tfstate" for file in files)
    for file in files:
        assert found(all_secrets, file.read_text(encoding="utf-8", errors="replace")) == [], file.name


@pytest.mark.requirement("STACK-SECRECY")
def test_secret_files_of_this_machine_are_private(stack: RunningStack) -> None:
    folders: list[Path] = [stack.environment.secrets, stack.environment.state / "tls"]
    for folder in folders:
        assert folder.stat().st_mode & 0o077 == 0
        for file in folder.iterdir():
            if file.suffix != ".crt":
                assert file.stat().st_mode & 0o377 == 0, file.name
