"""The plugin that makes tiers of directories: skips with a reason, required tiers, the table, the order."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiers import TIERS, required_tiers, tier_of

TESTS = Path(__file__).resolve().parent.parent

AVAILABILITY = """
from tests.tiers import TIERS
def no(): return "nothing to run it with; buy one"
AVAILABILITY = {tier: (lambda: None) for tier in TIERS} | {"stack": no}
"""


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("unit/test_x.py", "unit"),
        ("realm/test_x.py", "realm"),
        ("protocol/deep/test_x.py", "realm"),
        ("security/test_x.py", "security"),
        ("terraform/keycloak/test_x.py", "terraform-keycloak"),
        ("terraform/docker/test_x.py", "terraform-docker"),
    ],
)
def test_the_directory_decides(path: str, tier: str) -> None:
    assert tier_of(TESTS / path) == tier


def test_a_file_in_no_tier_is_an_error() -> None:
    with pytest.raises(pytest.UsageError, match="belongs to no tier"):
        tier_of(TESTS / "test_lost.py")


def test_required_tiers_are_names_joined_by_commas() -> None:
    assert required_tiers("") == frozenset()
    assert required_tiers(" unit, realm,") == {"unit", "realm"}
    with pytest.raises(pytest.UsageError, match="no tier: unlt; write some of: unit, security"):
        required_tiers("unlt")


def test_every_tier_says_whether_it_is_available() -> None:
    from tests.availability import AVAILABILITY as FUNCTIONS

    assert FUNCTIONS.keys() == TIERS.keys()


class Copy:
    """A small tree of tests with the real plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.add("conftest.py", 'pytest_plugins = ["tests.tiers"]')
        self.add("availability.py", AVAILABILITY.replace("from tests.tiers import TIERS", f"TIERS = {list(TIERS)}"))
        shutil.copy(TESTS / "tiers.py", folder / "tests")

    def add(self, name: str, text: str) -> None:
        path = self.folder / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, require: str = "") -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env=environment | {"SECURE_MCP_REQUIRE": require, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    copy = Copy(tmp_path)
    copy.add("unit/test_good.py", "def test_good(): pass")
    return copy


def row(output: str, tier: str) -> list[str]:
    table = output[output.index(" tiers ") :]
    return next(line.split(maxsplit=5) for line in table.splitlines() if line.startswith(tier + " "))


def test_the_table_counts_and_gives_reasons(copy: Copy) -> None:
    copy.add("realm/test_mixed.py", "import pytest\ndef test_bad(): assert 0\ndef test_skip(): pytest.skip('no moon')")
    copy.add("stack/test_stack.py", "def test_stack(): pass")
    code, output = copy.run()
    assert code == 1, output
    assert row(output, "unit")[1:4] == ["1", "0", "0"]
    assert row(output, "realm")[1:4] == ["0", "1", "1"]
    assert row(output, "stack")[1:4] == ["0", "0", "1"]
    assert row(output, "stack")[5] == "nothing to run it with; buy one"
    assert row(output, "browser")[5] == "no tests yet"
    assert output.index("tier unit: 1 test") < output.index("tier realm: 2 tests") < output.index("tier stack: 1 test")


def test_a_skip_is_allowed_unless_the_tier_is_required(copy: Copy) -> None:
    copy.add("realm/test_skip.py", "import pytest\ndef test_skip(): pytest.skip('no moon')")
    assert copy.run()[0] == 0
    assert copy.run(require="unit")[0] == 0
    code, output = copy.run(require="unit,realm")
    assert code == 1
    assert "SECURE_MCP_REQUIRE names tier realm, so this skip is a failure: Skipped: no moon" in output
    assert row(output, "realm")[1:4] == ["0", "1", "0"]


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\npytest.skip('no moon', allow_module_level=True)",
        "import pytest\nmoon = pytest.importorskip('moon')\ndef test_moon(): pass",
        "import pytest\n@pytest.mark.skipif(True, reason='no moon')\ndef test_moon(): pass",
        "import pytest\n@pytest.fixture\ndef moon(): pytest.skip('no moon')\ndef test_moon(moon): pass",
    ],
    ids=["module", "import", "mark", "fixture"],
)
def test_every_kind_of_skip_counts(copy: Copy, text: str) -> None:
    copy.add("realm/test_skip.py", text)
    assert copy.run()[0] == 0
    code, output = copy.run(require="realm")
    assert code != 0
    assert "so this skip is a failure" in output


def test_a_required_tier_that_is_unavailable_or_empty_fails_the_run(copy: Copy) -> None:
    copy.add("stack/test_stack.py", "def test_stack(): pass")
    code, output = copy.run(require="stack,browser")
    assert code == 1
    assert "FAILED SECURE_MCP_REQUIRE asks for tier stack: nothing to run it with; buy one" in output
    assert "FAILED SECURE_MCP_REQUIRE asks for tier browser: no tests yet" in output


def test_a_required_tier_that_is_not_selected_fails_the_run(copy: Copy) -> None:
    copy.add("realm/test_good.py", "def test_good(): pass")
    assert copy.run("tests/unit", require="unit")[0] == 0
    code, output = copy.run("tests/unit", require="unit,realm")
    assert code == 1
    assert "FAILED SECURE_MCP_REQUIRE asks for tier realm: not selected" in output


def test_an_unknown_tier_ends_the_run(copy: Copy) -> None:
    code, output = copy.run(require="unlt")
    assert code == 4
    assert "SECURE_MCP_REQUIRE names no tier: unlt" in output


def test_a_file_that_cannot_be_read_is_a_failure_in_the_table(copy: Copy) -> None:
    copy.add("realm/test_broken.py", "import moon")
    code, output = copy.run()
    assert code != 0
    assert row(output, "realm")[2] == "1"
