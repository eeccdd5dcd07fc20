"""The last of the Swarm that the other modules share: destroyed by the operator's own command, which keeps the data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ops.containers.environment import PARTS
from tests.swarm.conftest import RunningSwarm

KINDS = ("service", "network", "config", "secret")
PROGRAM = Path(sys.executable).with_name("secure-mcp")


def secure_mcp(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does whose terminal is away."""
    return subprocess.run(
        [str(PROGRAM), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900
    )


def held(swarm: RunningSwarm) -> dict[str, list[str]]:
    """Return what the Swarm has of the environment, by kind."""
    label = f"--filter=label=secure-mcp.environment={swarm.environment.name}"
    prefix = f"--filter=name={swarm.environment.container('')}"
    # Configs have no labels: the provider takes none.
    return {
        kind: swarm.cluster.manager.docker(kind, "ls", "--quiet", prefix if kind == "config" else label).split()
        for kind in KINDS
    }


def kept_files(swarm: RunningSwarm) -> dict[str, bytes]:
    folders = (swarm.environment.secrets, swarm.environment.state / "tls", swarm.environment.state / "backups")
    return {str(file): file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


def data_of(swarm: RunningSwarm) -> str:
    """Return the folder of the volume of PostgreSQL on its node."""
    name = swarm.environment.container("postgres")
    return swarm.cluster.manager.docker("volume", "inspect", "--format", "{{.Mountpoint}}", name).strip()


@pytest.mark.requirement("SWARM-DESTROY")
def test_nothing_is_lost_without_a_confirmation(swarm: RunningSwarm) -> None:
    before, tasks = held(swarm), {part: swarm.tasks(part) for part in PARTS}
    refused = secure_mcp("swarm", "destroy")
    assert refused.returncode == 2, refused.stderr
    assert "Add --yes" in refused.stderr
    assert held(swarm) == before
    assert all(before.values())
    ids = {part: {task["ID"] for task in found} for part, found in tasks.items()}
    assert {part: {task["ID"] for task in swarm.tasks(part)} for part in PARTS} == ids


@pytest.mark.requirement("SWARM-MOVE")
@pytest.mark.requirement("BACKUP-REFUSED")
def test_a_restore_replaces_nothing(swarm: RunningSwarm) -> None:
    """Neither where tables are, nor where a volume is whose service is gone."""
    backup = sorted((swarm.environment.state / "backups").glob("*.tar.age"))
    if not backup:
        assert secure_mcp("swarm", "backup").returncode == 0
        backup = sorted((swarm.environment.state / "backups").glob("*.tar.age"))
    before = held(swarm), kept_files(swarm)
    refused = secure_mcp("swarm", "restore", str(backup[-1]))
    assert (refused.returncode, "has tables already" in refused.stderr) == (2, True), refused.stderr
    refused = secure_mcp("swarm", "restore", __file__)
    assert (refused.returncode, "cannot be decrypted" in refused.stderr) == (2, True), refused.stderr
    assert (held(swarm), kept_files(swarm)) == before


@pytest.mark.requirement("SWARM-DESTROY")
def test_what_destroy_removes_and_what_it_keeps(swarm: RunningSwarm) -> None:
    files, volume = kept_files(swarm), swarm.environment.container("postgres")
    removed = secure_mcp("swarm", "destroy", "--yes")
    assert removed.returncode == 0, removed.stderr
    assert held(swarm) == {kind: [] for kind in KINDS}
    assert f"kept: the volume {volume}" in removed.stdout
    assert "secure-mcp swarm up brings it back" in removed.stdout
    assert "docker volume rm" in removed.stdout
    assert swarm.cluster.manager.machine.shell(f"cat {data_of(swarm)}/PG_VERSION").strip().isdecimal()
    assert kept_files(swarm) == files
    state = swarm.environment.state / "terraform" / "terraform" / "docker" / "swarm" / "terraform.tfstate"
    assert json.loads(state.read_text())["resources"] == []

    again = secure_mcp("swarm", "destroy", "--yes")
    assert again.returncode == 0, again.stderr

    backup = max((swarm.environment.state / "backups").glob("*.tar.age"))
    refused = secure_mcp("swarm", "restore", str(backup))
    assert (refused.returncode, f"docker volume rm {volume}" in refused.stderr) == (2, True), refused.stderr
    assert held(swarm) == {kind: [] for kind in KINDS}
