"""Plans the cases with the real providers and keeps of the plans what review reads, for the unit tier.

`python -m tests.review.record docker` needs an engine, `keycloak` a server, `shapes` nothing but the provider.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.review.judge import judge
from ops.review.plan import read_plan
from tests.review.planning import docker_plans, keycloak_plans, shape_plans

PLANS = Path(__file__).parent / "plans"
_KEPT = (
    "format_version", "resource_changes", "resource_drift", "checks", "variables", "output_changes", "errored",
    "complete",
)  # fmt: skip
_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f:])[0-9a-f]{64}(?![0-9a-f])"
)
_ADDRESS = re.compile(r"(localhost|127\.0\.0\.1):\d{4,5}(?=[/\"@])")


def compact(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what review reads of a plan, without what differs from run to run.

    Args:
        plan: the output of `terraform show -json`.
    """
    kept = {name: plan[name] for name in _KEPT if name in plan}
    kept["resource_changes"] = [_change(entry) for entry in plan["resource_changes"]]
    kept["resource_drift"] = [_change(entry) for entry in plan.get("resource_drift", [])]
    kept["configuration"] = _configuration(plan["configuration"])
    kept["prior_state"] = {"values": {"root_module": _data_sources(plan)}}
    # Ids are random and ports are free ones: the same number stands for the same id.
    numbers: dict[str, str] = {}
    text = json.dumps(_pruned(kept), sort_keys=True)
    text = _IDS.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers) + 1}"), text)
    return json.loads(_ADDRESS.sub("localhost:8080", text))


def _change(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = ("address", "module_address", "mode", "type", "name", "index", "change")
    kept = {name: entry[name] for name in names if name in entry}
    kept["change"] = {
        name: entry["change"].get(name) for name in ("actions", "before", "after", "after_unknown", "after_sensitive")
    }
    return kept


def _configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider_config": {
            name: {"name": provider.get("name"), "expressions": provider.get("expressions", {})}
            for name, provider in configuration.get("provider_config", {}).items()
        },
        "root_module": _module(configuration.get("root_module", {})),
    }


def _module(module: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resources": [
            {"address": entry["address"], "expressions": entry.get("expressions", {})}
            for entry in module.get("resources", [])
        ],
        "module_calls": {
            name: {"module": _module(call["module"])} for name, call in module.get("module_calls", {}).items()
        },
    }


def _data_sources(plan: Mapping[str, Any]) -> dict[str, Any]:
    values = plan.get("prior_state", {}).get("values", {}).get("root_module", {})
    kept = [entry for entry in values.get("resources", []) if entry["mode"] == "data"]
    return {"resources": [{name: entry[name] for name in ("address", "mode", "values")} for entry in kept]}


def _pruned(value: Any) -> Any:
    """Drop what says nothing: null, false in a map of marks, and empty maps and lists."""
    if isinstance(value, dict):
        pruned = {name: _pruned(item) for name, item in value.items()}
        for marks in ("after_unknown", "after_sensitive"):
            if marks in pruned:
                pruned[marks] = _marked(pruned[marks]) or {}
        return {name: item for name, item in pruned.items() if item is not None}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _marked(marks: Any) -> Any:
    if isinstance(marks, dict):
        kept = {name: found for name, item in marks.items() if (found := _marked(item))}
        return kept or None
    if isinstance(marks, list):
        kept_list = [_marked(item) for item in marks]
        return [item or {} for item in kept_list] if any(kept_list) else None
    return marks or None


def differences(name: str, plan: Mapping[str, Any]) -> list[str]:
    """Return what review says of a plan and not of the recorded one, or the other way round.

    Args:
        name: name of the recorded plan.
        plan: the output of `terraform show -json`.
    """
    said = (_said(json.dumps(compact(plan)).encode()), _said((PLANS / f"{name}.json").read_bytes()))
    return sorted(said[0] ^ said[1])


def _said(data: bytes) -> set[str]:
    return {f"{found.id} {found.address}: {found.sentence}" for found in judge(read_plan(data, "a plan"))}


def main(names: list[str]) -> int:
    """Record the plans that are asked for."""
    makers = {"docker": docker_plans, "keycloak": keycloak_plans, "shapes": shape_plans}
    PLANS.mkdir(exist_ok=True)
    for name in names or list(makers):
        with tempfile.TemporaryDirectory() as folder:
            for label, plan in makers[name](Path(folder)).items():
                text = json.dumps(compact(plan), separators=(",", ":"), sort_keys=True)
                # One line a resource, so that a difference can be read.
                text = text.replace('},{"address"', '},\n{"address"')
                (PLANS / f"{label}.json").write_text(text + "\n", encoding="utf-8")
                print(f"plans/{label}.json: {len(text) // 1024} KiB", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stderr}")
