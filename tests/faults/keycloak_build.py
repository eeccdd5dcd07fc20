"""Keycloak built for PostgreSQL, with the options of the stack's image, in the folder of downloads."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from ops.distribution import CURRENT, STAMP, Release, cache_folder, ensure_distribution
from ops.environment import REPOSITORY
from ops.java import find_java
from ops.locks import exclusive


def options_of_the_stack() -> list[str]:
    """Return the options of `kc.sh build` in the Dockerfile of the stack."""
    text = (REPOSITORY / "terraform" / "docker" / "keycloak.Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"kc\.sh build (--[^\\$]+)", text)
    assert found, "keycloak.Dockerfile builds nothing"
    return found[1].split()


def settings_of_the_stack() -> dict[str, str]:
    """Return what the container of the stack is told about connections to its database and about what it writes."""
    text = (REPOSITORY / "terraform" / "docker" / "keycloak.tf").read_text(encoding="utf-8")
    return dict(re.findall(r'^ +(KC_(?:DB_POOL|SPI)_\w+) += "([^"$]+)"', text, re.MULTILINE))


@cache
def keycloak_for_postgres(release: Release = CURRENT) -> Path:
    """Return a built distribution; build it first where it is missing or was built otherwise."""
    home, options = cache_folder() / f"{release.name}-postgres", " ".join(options_of_the_stack())
    with exclusive(cache_folder() / "keycloak-postgres.lock", "builds Keycloak for PostgreSQL"):
        stamp = home / STAMP
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != options:
            _build(home, options.split(), release)
            stamp.write_text(options, encoding="utf-8")
    return home


def _build(home: Path, options: list[str], release: Release) -> None:
    shutil.rmtree(home, ignore_errors=True)
    # Copies, no links: the build changes files in place.
    shutil.copytree(ensure_distribution(release=release), home, ignore=shutil.ignore_patterns("data", STAMP))
    command = [str(home / "bin" / "kc.sh"), "build", *options]
    environment = os.environ | {"JAVA": str(find_java())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
