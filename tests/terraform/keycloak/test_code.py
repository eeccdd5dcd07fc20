"""The Terraform code without a server: format, validity, its own tests, plan inventories, wrong contracts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.contract import ContractError, load_contract
from tests.support.terraform import PLAN, REPOSITORY, Root

ENVIRONMENTS = REPOSITORY / "terraform" / "environments"
SECRETS = {"TF_VAR_admin_client_secret": "x" * 32}


def secrets_of(names: list[str]) -> dict[str, str]:
    return SECRETS | {"TF_VAR_client_secrets": json.dumps(dict.fromkeys(names, "x" * 32))}


@pytest.mark.requirement("IAC-LINT")
def test_the_code_is_formatted_and_valid(root: Root) -> None:
    root.succeed("fmt", "-check", "-diff", "-recursive", str(root.path.parent))
    root.succeed("validate", "-no-color")


@pytest.mark.requirement("IAC-LINT", "IAC-DESTROY", "IAC-CONTRACT")
@pytest.mark.parametrize("folder", [".", "contract"])
def test_its_own_tests_pass(root: Root, folder: str) -> None:
    module = root.path / folder
    if not (module / ".terraform").exists():
        root.succeed(f"-chdir={module}", "init", "-backend=false", "-input=false", "-no-color")
    assert "0 failed" in root.succeed(f"-chdir={module}", "test", "-no-color")


@pytest.mark.requirement("IAC-INVENTORY", "MCP-A9")
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_a_plan_has_what_the_inventory_names(root: Root, environment: str) -> None:
    inventory = yaml.safe_load((ENVIRONMENTS / environment / "keycloak.inventory.yaml").read_text(encoding="utf-8"))
    options = [f"-var-file={ENVIRONMENTS / environment / 'keycloak.tfvars'}", "-var=adopt_registration_policies=false"]
    env = secrets_of(inventory["outputs"]["client_ids"])
    root.succeed("plan", "-no-color", "-input=false", "-refresh=false", f"-out={PLAN}", *options, env=env)
    plan = root.planned()["planned_values"]
    outputs = {name: output["value"] for name, output in plan["outputs"].items()}
    assert outputs == inventory["outputs"]
    resources = dict(resources_of(plan["root_module"]))
    assert resources.keys() == inventory["resources"].keys()
    wrong = {
        f"{address}.{name}": (resources[address].get(name), value)
        for address, attributes in inventory["resources"].items()
        for name, value in attributes.items()
        if not same(resources[address].get(name), value)
    }
    assert not wrong, f"planned, inventory: {wrong}"


def resources_of(module: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return address and values of each resource that is managed."""
    own = [(entry["address"], entry["values"]) for entry in module.get("resources", []) if entry["mode"] == "managed"]
    return own + [pair for child in module.get("child_modules", []) for pair in resources_of(child)]


def same(planned: Any, named: Any) -> bool:
    """Compare: an inventory names those keys of an object that matter; lists of words are sets."""
    if isinstance(named, dict) and isinstance(planned, dict):
        return all(same(planned.get(key), value) for key, value in named.items())
    if isinstance(named, list) and isinstance(planned, list):
        if all(isinstance(item, str) for item in named):
            return sorted(planned) == sorted(named)
        return len(planned) == len(named) and all(map(same, planned, named))
    return planned == named


def _replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


WRONG: dict[str, Callable[[str], str]] = {
    "unknown key": _replace("    consent: true\n", "    consent: true\n    colour: red\n"),
    "wildcard redirect": _replace("http://127.0.0.1/callback", "http://127.0.0.1/*"),
    "http redirect that is not loopback": _replace("http://localhost/callback", "http://example.com/callback"),
    "scope that does not exist": _replace("default_scopes: [mcp:read]", "default_scopes: [mcp:erase]"),
    "scope cycle": _replace(
        "consent: See and use the tools that only read",
        "consent: See and use the tools that only read\n    implies: [mcp:write]",
    ),
    "lifetime out of bounds": _replace("access_token: 300", "access_token: 3000"),
    "session shorter than idle": _replace("session_max: 36000", "session_max: 400"),
}


@pytest.mark.requirement("IAC-CONTRACT")
@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_contract_is_refused_by_plan_and_service_in_the_same_words(
    root: Root, tmp_path: Path, change: Callable[[str], str]
) -> None:
    contract = tmp_path / "access.yaml"
    contract.write_text(change(root.contract.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ContractError) as told:
        load_contract(contract)
    values = ENVIRONMENTS / "dev" / "keycloak.tfvars"
    options = [f"-var-file={values}", f"-var=contract_path={contract}", "-var=adopt_registration_policies=false"]
    names = ["mcp-automation", "mcp-reader", "mcp-server", "terraform", "auditor"]
    result = root.run("plan", "-json", "-input=false", "-refresh=false", *options, env=secrets_of(names))
    assert result.returncode == 1, result.stdout
    events = [json.loads(line) for line in result.stdout.splitlines()]
    errors = "\n".join(event["diagnostic"]["detail"] for event in events if event["type"] == "diagnostic")
    for line in str(told.value).splitlines():
        assert line.startswith("access.yaml:")
        place = ":".join(line.split(":")[:2])
        assert place in errors, f"the service says {line!r}, terraform says {errors!r}"
