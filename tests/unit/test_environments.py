"""dev, staging and prod differ by values only, and the page of operations says by which."""

from pathlib import Path

import pytest

from scripts.environment_table import NAMES, PAGE, REPOSITORY, read_values, render


@pytest.mark.requirement("STACK-ENVIRONMENTS")
def test_the_table_of_differences_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render(page) == page, "run: python scripts/environment_table.py"


@pytest.mark.requirement("STACK-ENVIRONMENTS")
def test_an_environment_is_values_and_nothing_else() -> None:
    for name in NAMES:
        folder = REPOSITORY / "terraform" / "environments" / name
        assert not list(folder.glob("*.tf"))
        assert read_values((folder / "docker.tfvars").read_text(encoding="utf-8"))["environment"] == f'"{name}"'


@pytest.mark.requirement("STACK-ENVIRONMENTS")
def test_networks_of_the_environments_do_not_overlap() -> None:
    import ipaddress

    files = [Path(REPOSITORY / "terraform" / "environments" / name / "docker.tfvars") for name in NAMES]
    networks = [
        ipaddress.ip_network(read_values(file.read_text(encoding="utf-8"))["network"].strip('"')) for file in files
    ]
    assert not any(one.overlaps(two) for one in networks for two in networks if one is not two)


@pytest.mark.requirement("STACK-ENVIRONMENTS")
def test_values_over_several_lines_are_one_value() -> None:
    text = 'a = "x"\n# a comment\nlimits = {\n  keycloak = { memory = 1 }\n}\n'
    assert read_values(text) == {"a": '"x"', "limits": "{ keycloak = { memory = 1 } }"}
