"""Mutation testing takes an hour; whether its copy of the tree holds what the tests read shows in seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security import mutation


@pytest.mark.requirement("TOKEN-MUTATION")
def test_the_copy_has_all_that_its_tests_are_made_of(tmp_path: Path) -> None:
    mutation.copy(tmp_path)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *mutation.TESTS]
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}  # may name our own folder
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
