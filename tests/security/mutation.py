"""Mutation testing of service/auth with mutmut: each small change of the code must fail a test.

    python -m tests.security.mutation [DIRECTORY]

Works in a copy of the tree, prints the survivors and the score. docs/hostile-tokens.md explains the survivors.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("service", "ops", "tests", "access.yaml", "access.schema.json", "docs")
MINIMUM = 0.95
TESTS = (
    "tests/unit/test_token.py",
    "tests/unit/test_jwk.py",
    "tests/unit/test_keys.py",
    "tests/unit/test_logout.py",
    "tests/unit/test_guard.py",
    "tests/unit/test_metadata.py",
    "tests/unit/test_agreement.py",
    "tests/unit/test_exchange.py",
    "tests/unit/test_rate.py",
    "tests/unit/test_traces.py",
    "tests/security/test_answers.py",
    "tests/security/test_caller_rate_shared.py",
    "tests/security/test_edges_of_time.py",
    "tests/security/test_jsonrpc.py",
    "tests/security/test_key_source.py",
    "tests/security/test_logout_edges.py",
    "tests/security/test_revocation_stream.py",
    "tests/security/test_strict_json.py",
    "tests/security/test_table_inside.py",
    "tests/unit/test_rest.py",
)
CONFIGURATION = f"""
[tool.mutmut]
source_paths = ["service/auth"]
also_copy = {json.dumps(COPIED)}
# A fresh process that has collected the tests but run none: what tests cache must be made by the mutant.
process_isolation = "forkserver"
pytest_add_cli_args_test_selection = {json.dumps(TESTS)}
# Texts of exceptions that never leave the module, and what types say.
do_not_mutate_patterns = ['raise ValueError\\(f?"', 'super\\(\\).__init__\\("']

[tool.pytest.ini_options]
addopts = ["-p", "no:cacheprovider"]
markers = ["requirement(*ids): rows of tests/requirements.yaml"]
"""
# In place of the fixtures of other tiers: no test uses what another one made, or mutmut would think that only the first
# of them runs the code which made it.
CONFTEST = """
import pytest
from tests.unit import tokens

@pytest.fixture(autouse=True)
def _fresh():
    tokens._usual_app.cache_clear()
"""
KILLED, TIMEOUT, SURVIVED = "killed", "timeout", "survived"
# What mutmut notes for a mutant (mutmut/stats.py): pytest's exit code, or its own for a time-out.
_TIMEOUTS = dict.fromkeys((24, -24, 36, 152, 255), TIMEOUT)
_MEANING = {1: KILLED, 3: KILLED, 0: SURVIVED, 33: "no tests", **_TIMEOUTS}


@dataclass(frozen=True)
class Score:
    """How many mutants there were, how many a test found, and the names of the others."""

    total: int
    killed: int
    survivors: tuple[str, ...]


def run(directory: Path | None = None) -> Score:
    """Make the mutants, run the tests against each, and return the score.

    Args:
        directory: where the copy goes; a temporary one by default.
    """
    if directory is None:
        with tempfile.TemporaryDirectory() as temporary:
            return run(Path(temporary))
    copy(directory)
    # Its words go to a file: they are long, and the last of them say why it could not begin.
    words = directory / "mutmut.log"
    with words.open("wb") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
        ended = subprocess.run(command, cwd=directory, stdout=log, stderr=log, check=False)
    if ended.returncode:
        raise RuntimeError(f"mutmut ended with {ended.returncode}: {words.read_text(errors='replace')[-2000:]}")
    return score(directory)


def copy(directory: Path) -> None:
    """Put what the tests need, and the settings of mutmut and pytest, into a directory."""
    for name in COPIED:
        source, target = ROOT / name, directory / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    (directory / "tests" / "conftest.py").write_text(CONFTEST)
    (directory / "pyproject.toml").write_text(CONFIGURATION)


def score(directory: Path) -> Score:
    """Read what mutmut noted; a time-out is a mutant that a test found by its endless loop."""
    found: dict[str, str] = {}
    for notes in sorted((directory / "mutants").rglob("*.meta")):
        for name, code in json.loads(notes.read_text())["exit_code_by_key"].items():
            found[name] = _MEANING.get(code, str(code))
    counts = Counter(found.values())
    survivors = tuple(name for name, meaning in found.items() if meaning not in (KILLED, TIMEOUT))
    return Score(len(found), counts[KILLED] + counts[TIMEOUT], survivors)


if __name__ == "__main__":
    result = run(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    for survivor in result.survivors:
        print(survivor)
    print(f"{result.killed} of {result.total} killed: {result.killed / result.total:.1%}")
