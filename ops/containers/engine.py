"""The Docker engine, asked through its own command line; checked before anything is touched."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ops.errors import OperatorError, findings, unreachable

MINIMUM = (20, 10)
MINIMUM_FREE_BYTES = 4 * 2**30
PLATFORMS = {"linux/amd64", "linux/arm64"}


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine says about itself."""

    version: str
    platform: str
    root: Path
    cores: int
    memory_bytes: int


def find_engine(program: str = "docker") -> Engine:
    """Ask the engine.

    Args:
        program: the command line program.

    Raises:
        OperatorError: no program, or no answer (exit code 3).
    """
    if shutil.which(program) is None:
        raise unreachable("There is no docker on the search path.", "Install Docker Engine 20.10 or newer.")
    answer = _run([program, "info", "--format", "{{json .}}"], deadline_s=30)
    try:
        said = json.loads(answer.stdout or "{}")
    except ValueError:
        said = {}
    if answer.returncode != 0 or not said.get("ServerVersion"):
        words = (answer.stderr.strip().splitlines() or said.get("ServerErrors") or ["nothing was said"])[0]
        raise unreachable(
            f"No Docker engine answers: {words}", "Start it (systemctl start docker), or set DOCKER_HOST."
        )
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(said["Architecture"], said["Architecture"])
    return Engine(
        version=said["ServerVersion"],
        platform=f"{said['OSType']}/{architecture}",
        root=Path(said["DockerRootDir"]),
        cores=int(said["NCPU"]),
        memory_bytes=int(said["MemTotal"]),
    )


def check_engine(engine: Engine, free_bytes: int | None = None) -> None:
    """Refuse an engine that the stack cannot run on.

    Args:
        engine: what `find_engine` returned.
        free_bytes: space on the engine's disk; None means ask the system, where the disk is of this machine.

    Raises:
        OperatorError: too old, another architecture, or too little space.
    """
    version = tuple(int(number) for number in re.findall(r"\d+", engine.version)[:2])
    if version < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        raise OperatorError(f"The Docker engine is {engine.version}.", f"Update it to {wanted} or newer.")
    if engine.platform not in PLATFORMS:
        names = " or ".join(sorted(PLATFORMS))
        raise OperatorError(
            f"The engine runs {engine.platform}; there are images for {names} only.", "Use another machine."
        )
    if free_bytes is None and engine.root.exists():
        free_bytes = shutil.disk_usage(engine.root).free
    if free_bytes is not None and free_bytes < MINIMUM_FREE_BYTES:
        left, needed = free_bytes / 2**30, MINIMUM_FREE_BYTES / 2**30
        raise OperatorError(
            f"The disk of the engine ({engine.root}) has {left:.1f} GiB left; {needed:.0f} GiB are needed.",
            "Make room: docker system df shows what takes it, docker image prune frees unused images.",
        )


def docker(
    *arguments: str,
    stdin: IO[bytes] | bytes | None = None,
    env: Mapping[str, str] | None = None,
    deadline_s: float = 120,
    program: str = "docker",
) -> bytes:
    """Run a docker command and return its output. Secrets go through `stdin`, never through the arguments.

    Raises:
        OperatorError: it fails (exit code 1) or takes too long (exit code 3).
    """
    content = stdin.read() if stdin is not None and not isinstance(stdin, bytes) else stdin
    try:
        answer = subprocess.run(  # noqa: S603 - the operator's own docker
            [program, *arguments],
            input=content or b"",
            capture_output=True,
            env=os.environ | dict(env or {}),
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        problem = f"`docker {arguments[0]}` had not ended after {deadline_s:.0f} s."
        raise unreachable(problem, "Look: docker ps") from error
    if answer.returncode != 0:
        words = answer.stderr.decode(errors="replace").strip()[-600:]
        raise findings(f"`docker {' '.join(arguments[:2])}` failed: {words}", "Look: docker ps --all, docker logs NAME")
    return answer.stdout


def exists(kind: str, name: str) -> bool:
    """Tell whether an object is there; kind such as `image`, `volume` or `container`."""
    return _run(["docker", kind, "inspect", name], deadline_s=30).returncode == 0


def host_of_engine() -> str:
    """Return the address of the engine, as the docker program finds it: DOCKER_HOST, else the current context."""
    if given := os.environ.get("DOCKER_HOST"):
        return given
    answer = _run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], deadline_s=30)
    return answer.stdout.strip() or "unix:///var/run/docker.sock"


def _run(command: list[str], deadline_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise unreachable(
            f"`{' '.join(command[:2])}` had not ended after {deadline_s:.0f} s.", "Restart the engine."
        ) from error
