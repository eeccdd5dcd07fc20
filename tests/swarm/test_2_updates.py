"""Rolling updates under load: a new image without a failed call, and a bad one that goes back by itself."""

import json
import secrets
import subprocess

import pytest

from ops.errors import OperatorError
from ops.swarm import up as swarm_up
from ops.swarm.values import add_values, read_values
from tests.swarm.asking import TokenRequests
from tests.swarm.cluster import push_image
from tests.swarm.conftest import RunningSwarm
from tests.swarm.figures import Figures


def derived(swarm: RunningSwarm, part: str, name: str, instruction: str) -> dict[str, str]:
    """Build another image on top of the one that a part has, push it, and return the values that declare it."""
    tag = f"{name.rpartition(':')[0]}:{secrets.token_hex(4)}"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "DOCKER_BUILDKIT": "0", "HOME": "/root"}
    dockerfile = f"FROM {name}\n{instruction}\n"
    command = ["docker", "build", "--quiet", f"--tag={tag}", "-"]
    subprocess.run(command, input=dockerfile.encode(), env=environment, check=True, capture_output=True, timeout=300)
    digest = push_image(swarm.cluster, tag)
    digests = read_values(swarm.environment)["image_digests"] | {part: digest}
    return {"image_digests": digests, f"{part}_image": tag}


@pytest.mark.requirement("SWARM-UPDATE")
@pytest.mark.parametrize("part", ["service", "keycloak"])
def test_a_new_image_costs_no_call(swarm: RunningSwarm, figures: Figures, part: str) -> None:
    before = {task["ID"] for task in swarm.tasks(part)}
    name = str(read_values(swarm.environment)[f"{part}_image"])
    add_values(swarm.environment, derived(swarm, part, name, f"LABEL another={secrets.token_hex(4)}"))
    with (
        swarm.load() as load,
        TokenRequests(swarm) as tokens,
        figures.time(f"rolling update of {part}, {len(before)} tasks"),
    ):
        swarm_up.apply(swarm.environment)
        load.more(40)
    figures.add(
        f"rolling update of {part}: calls, failed, p99", f"{len(load.calls)}, {load.failed()}, {load.p99_ms():.0f} ms"
    )
    figures.add(
        f"rolling update of {part}: requests for a token, failed, slowest",
        f"{tokens.outcomes.total()}, {tokens.failed}, {tokens.slowest:.1f} s",
    )
    assert not before & {task["ID"] for task in swarm.tasks(part)}, "a task of the old image runs on"
    assert load.failed() == 0, load.statuses()
    assert tokens.outcomes["token"] > 0
    assert tokens.failed == 0, tokens.outcomes


@pytest.mark.requirement("SWARM-ROLLBACK")
def test_a_bad_image_goes_back_by_itself(swarm: RunningSwarm, figures: Figures) -> None:
    good = read_values(swarm.environment)
    service = swarm.environment.container("service")
    running = json.loads(swarm.cluster.manager.docker("service", "inspect", service))[0]["Spec"]["TaskTemplate"]
    bad = derived(swarm, "service", str(good["service_image"]), 'CMD ["python", "-c", "raise SystemExit(1)"]')
    with swarm.load() as load, figures.time("a bad image of the service: refused and the old one back"):
        add_values(swarm.environment, bad)
        with pytest.raises(OperatorError, match=r"update of .*-service failed|rollback"):
            swarm_up.apply(swarm.environment)
        load.more(40)
    try:
        now = json.loads(swarm.cluster.manager.docker("service", "inspect", service))[0]["Spec"]["TaskTemplate"]
        assert now["ContainerSpec"]["Image"] == running["ContainerSpec"]["Image"]
        assert swarm.running("service") == 3
        assert load.failed() == 0, load.statuses()
    finally:
        add_values(swarm.environment, {key: good[key] for key in bad})
    swarm_up.apply(swarm.environment)


@pytest.mark.requirement("SWARM-UPDATE")
def test_nginx_is_replaced_node_by_node(swarm: RunningSwarm, figures: Figures) -> None:
    rates = read_values(swarm.environment)["rates"]
    changed = rates | {"mcp": rates["mcp"] | {"burst": rates["mcp"]["burst"] + 1}}
    before = {task["ID"] for task in swarm.tasks("edge")}
    with swarm.load() as load, figures.time("rolling update of Nginx, 3 tasks"):
        add_values(swarm.environment, {"rates": changed})
        swarm_up.apply(swarm.environment)
        load.more(40)
    figures.add(
        "rolling update of Nginx: calls, failed, p99", f"{len(load.calls)}, {load.failed()}, {load.p99_ms():.0f} ms"
    )
    assert not before & {task["ID"] for task in swarm.tasks("edge")}
    assert load.failed() == 0, load.statuses()
