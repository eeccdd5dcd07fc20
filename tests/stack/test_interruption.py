"""`terraform apply` killed half-way and repeated converges; a protected environment is not destroyed."""

import signal
import subprocess

import pytest

from ops.containers import up
from ops.containers.engine import docker, exists, host_of_engine
from ops.errors import OperatorError
from tests.stack.conftest import RunningStack
from tests.support.until import until


@pytest.mark.requirement("STACK-CONVERGES")
def test_an_interrupted_apply_converges(stack: RunningStack) -> None:
    root = stack.docker_root()
    root.prepare()
    assert root.plan("-replace=module.edge[0].docker_container.this", "-replace=module.redis.docker_container.this")
    import os

    process = subprocess.Popen(
        ["terraform", "apply", "-input=false", "-no-color", str(root.plan_file)],
        cwd=root.folder,
        env=os.environ | {"DOCKER_HOST": host_of_engine()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: not exists("container", stack.container("edge")), 120, "the edge is gone")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    root.plan_file.unlink()
    # A container that the state does not know yet may be left: its name is ours, and so it is taken away.
    up.bring_up(stack.environment)
    root.prepare()
    assert root.plan() is False


@pytest.mark.requirement("STACK-PROTECTION")
def test_destroy_is_refused_while_protected(stack: RunningStack) -> None:
    root = stack.docker_root()
    own = stack.environment.state / "docker.tfvars.json"
    import json

    values = json.loads(own.read_text(encoding="utf-8"))
    try:
        own.write_text(json.dumps(values | {"deletion_protection": True}), encoding="utf-8")
        root.prepare()
        assert root.plan()
        root.apply()
        with pytest.raises(OperatorError, match="protected"):
            root.destroy()
        assert docker("ps", "--quiet", f"--filter=name={stack.container('postgres')}").strip()
        assert stack.healthy("postgres")
    finally:
        own.write_text(json.dumps(values), encoding="utf-8")
        root.prepare()
        if root.plan():
            root.apply()
