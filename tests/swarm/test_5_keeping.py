"""A secret is replaced and a backup is written while calls are answered."""

import pyrage
import pytest

from ops.containers.backup import IDENTITY, back_up
from ops.swarm.door import open_door
from ops.swarm.here import here
from ops.swarm.rotation import rotate
from tests.swarm.conftest import RunningSwarm
from tests.swarm.figures import Figures


@pytest.mark.requirement("SWARM-ROTATION")
@pytest.mark.parametrize("name", ["redis_password", "postgres_password"])
def test_a_new_secret_costs_no_call(swarm: RunningSwarm, figures: Figures, name: str) -> None:
    before = swarm.secret(name)
    with swarm.load() as load, figures.time(f"rotation of {name}"):
        rotate(swarm.environment, name)
        load.more(40)
    assert swarm.secret(name) != before
    assert swarm.token(), "Keycloak reaches its database"
    assert load.failed() == 0, load.statuses()
    kept = swarm.cluster.manager.docker("secret", "ls", "--format", "{{.Name}}").split()
    files = [secret.rsplit("-", 1)[0] for secret in kept]
    assert len(files) == len(set(files)), "a secret that nobody has any more was removed"


@pytest.mark.requirement("SWARM-BACKUP")
def test_a_backup_of_the_pinned_database(swarm: RunningSwarm) -> None:
    with open_door(swarm.environment):
        file = back_up(here(swarm.environment))
    identity = pyrage.x25519.Identity.from_str((swarm.environment.secrets / IDENTITY).read_text().strip())
    archive = pyrage.decrypt(file.read_bytes(), [identity])
    assert all(member in archive for member in (b"keycloak.dump", b"realm.json", b"manifest.json"))
    assert b"PGDMP" in archive
