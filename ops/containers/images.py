"""The two images of our own: the service, and Keycloak built for PostgreSQL. Tagged by what they are made of."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.containers.engine import docker, exists
from ops.environment import REPOSITORY
from ops.errors import OperatorError
from ops.features import METADATA_DOCUMENTS, features_of_contract
from ops.fingerprint import fingerprint
from ops.output import step
from service import __version__
from service.contract import Contract

KEYCLOAK_VERSION = "26.7.4"
CA_BUNDLE_VARIABLE = "SECURE_MCP_CA_BUNDLE"
# Where the base images of the Dockerfiles come from when not from their digest-pinned defaults.
BASE_VARIABLES = {"PYTHON_BASE": "SECURE_MCP_PYTHON_BASE", "KEYCLOAK_BASE": "SECURE_MCP_KEYCLOAK_BASE"}
_SERVICE_SOURCES = (
    "Dockerfile",
    ".dockerignore",
    "access.yaml",
    "access.schema.json",
    "requirements/service.txt",
    "service",
)
_KEYCLOAK_FILE = REPOSITORY / "terraform" / "docker" / "keycloak.Dockerfile"


@dataclass(frozen=True, slots=True)
class Images:
    """Names of the images of our own."""

    service: str
    keycloak: str


def image_names(features: Sequence[str] = ()) -> Images:
    """Return the names: version and a digest of the sources, so that a changed source is a new image.

    Args:
        features: features of Keycloak beyond a release's; they stand in the name, which terraform/docker looks at.
    """
    bases = {name: os.environ.get(variable, "") for name, variable in BASE_VARIABLES.items()}
    service = fingerprint([REPOSITORY / name for name in _SERVICE_SOURCES], bases)
    keycloak = fingerprint([_KEYCLOAK_FILE], bases)
    return Images(
        service=f"secure-mcp/service:{__version__}-{service[:12]}",
        keycloak="-".join((f"secure-mcp/keycloak:{KEYCLOAK_VERSION}", keycloak[:12], *features)),
    )


def features_of_image(name: str) -> tuple[str, ...]:
    """Return the features that the name of a Keycloak image says."""
    return (METADATA_DOCUMENTS,) if name.endswith(f"-{METADATA_DOCUMENTS}") else ()


def ensure_images(contract: Contract) -> Images:
    """Build what is missing and return the names.

    Args:
        contract: says which features Keycloak needs.

    Raises:
        OperatorError: no BuildKit, or a build fails.
    """
    features = features_of_contract(contract.registration)
    images = image_names(features)
    if not exists("image", images.keycloak):
        with step(f"build {images.keycloak}"):
            _build(_KEYCLOAK_FILE, _KEYCLOAK_FILE.parent / "files", images.keycloak, "KEYCLOAK_BASE", features)
    if not exists("image", images.service):
        with step(f"build {images.service}"):
            _build(REPOSITORY / "Dockerfile", REPOSITORY, images.service, "PYTHON_BASE")
    return images


def builder() -> str:
    """Return the docker program with BuildKit, which build secrets need: the buildx plugin, or built in (20.10).

    Raises:
        OperatorError: none has.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    programs = [found for folder in folders if (found := shutil.which("docker", path=folder))]
    for program in programs:
        answer = subprocess.run(  # noqa: S603
            [program, "build", "--help"],
            env=os.environ | {"DOCKER_BUILDKIT": "1"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if answer.returncode == 0 and "--secret" in answer.stdout:
            return program
    raise OperatorError(
        "No docker program here has BuildKit.", "Install the buildx plugin (package docker-buildx-plugin)."
    )


def _build(file: Path, context: Path, tag: str, base: str, features: Sequence[str] = ()) -> None:
    values = {"REVISION": _revision(), "VERSION": __version__, base: os.environ.get(BASE_VARIABLES[base], "")}
    values["FEATURES"] = ",".join(features)
    options = [f"--build-arg={name}={value}" for name, value in values.items() if value]
    if bundle := os.environ.get(CA_BUNDLE_VARIABLE):
        options.append(f"--secret=id=ca-bundle,src={bundle}")
    command = ["build", "--progress=plain", f"--file={file}", f"--tag={tag}", *options, str(context)]
    docker(*command, env={"DOCKER_BUILDKIT": "1"}, deadline_s=1800, program=builder())


def _revision() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    answer = subprocess.run(  # noqa: S603
        [git, "-C", str(REPOSITORY), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=30, check=False
    )
    return answer.stdout.strip() or "unknown"
