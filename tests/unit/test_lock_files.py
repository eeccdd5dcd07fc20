"""What is installed is what the lock files name, whatever package indexes offer meanwhile."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLERS = ("Dockerfile", "Makefile", "ops/java.py", "scripts/venv")


def test_a_lock_is_installed_without_looking_for_more() -> None:
    for name in INSTALLERS:
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert text.count("--require-hashes") == 1, name
        together = " ".join(line for line in text.splitlines() if "--require-hashes" in line)
        assert "--no-deps" in together, f"{name}: a newer release of a dependency would stop the installation"


def test_the_lock_of_this_environment_names_everything_that_its_packages_need() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
