"""The roles' variables: declared, described and given a default in one way."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.role_readme import ROLES, readme

NAMES = sorted(path.parent.parent.name for path in ROLES.glob("*/tasks/main.yml"))


def read(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_is_declared_with_the_default_that_it_has(role: str) -> None:
    options = read(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(ROLES / role / "defaults" / "main.yml")
    assert all(name.startswith(f"{role}_") for name in options)
    assert {name for name, option in options.items() if not option.get("required")} == set(defaults)
    said = {name: option["default"] for name, option in options.items() if "default" in option}
    assert {name: value for name, value in defaults.items() if name in said and "{{" not in str(value)} == {
        name: said[name] for name in said if "{{" not in str(defaults[name])
    }


@pytest.mark.parametrize("role", NAMES)
def test_every_role_has_the_same_four_steps(role: str) -> None:
    steps = [task["ansible.builtin.import_tasks"] for task in read(ROLES / role / "tasks" / "main.yml")]
    assert steps == ["preflight.yml", "install.yml", "configure.yml", "service.yml"]


@pytest.mark.parametrize("role", NAMES)
def test_readme_is_what_the_specification_says(role: str) -> None:
    assert (ROLES / role / "README.md").read_text(encoding="utf-8") == readme(ROLES / role), "run: make docs"
