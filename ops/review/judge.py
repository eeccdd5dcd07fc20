"""Judges a plan by all rules."""

import importlib
import pkgutil
from collections.abc import Iterator

from ops.errors import OperatorError
from ops.findings.model import Finding
from ops.review import checks
from ops.review.checks import plan as whole
from ops.review.checks import secrets
from ops.review.plan import Plan
from ops.review.rules import CHECKS, Hit, hit, load_rules

for _module in pkgutil.iter_modules(checks.__path__):
    importlib.import_module(f"{checks.__name__}.{_module.name}")

KNOWN = ("keycloak_", "docker_", "terraform_data", "null_resource")


def judge(plan: Plan, *, everything: bool = False) -> list[Finding]:
    """Return what a plan means for security, in the order of the plan.

    Args:
        plan: the plan.
        everything: judge also what the plan leaves as it is, as if it were made now.

    Raises:
        OperatorError: a value has a shape that no provider writes (exit code 2).
    """
    rules = load_rules()
    judged = plan.everything() if everything else plan
    try:
        found = [rules[rule].find(place, **names) for place, (rule, names) in _hits(judged)]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise OperatorError(
            f"The plan has values of a shape that no known provider writes ({type(error).__name__}: {error}).",
            "Give the unchanged output of: terraform show -json FILE.tfplan",
        ) from error
    return list(dict.fromkeys(found))


def _hits(plan: Plan) -> Iterator[tuple[str, Hit]]:
    for change in plan.changes:
        if not (change.remains or change.ends or "forget" in change.actions):
            continue
        for types, check in CHECKS:
            if change.type in types:
                yield from ((change.address, found) for found in check(change, plan))
        if change.remains:
            yield from ((change.address, found) for found in secrets.sensitive(change, plan))
            yield from ((change.address, found) for found in whole.unknown(change, plan))
        if "forget" in change.actions:
            yield change.address, hit("forgotten", address=change.address)
    for look in (
        whole.failed_checks, whole.incomplete, whole.undeclared, whole.drift, whole.providers,
        secrets.data_sources, secrets.variables, secrets.outputs, secrets.code,
    ):  # fmt: skip
        yield from look(plan)


def unjudged(plan: Plan, *, everything: bool = False) -> list[str]:
    """Return what could not be judged, one sentence each."""
    notes = []
    still = sum(1 for change in plan.changes if change.actions == ("no-op",))
    if still and not everything:
        notes.append(f"{still} resources stay as they are and were not judged; `--all` judges them, too.")
    foreign = sorted({change.type for change in plan.changes if not change.type.startswith(KNOWN) and change.remains})
    if foreign:
        notes.append(f"There are no rules for {', '.join(foreign[:6])}{' and others' if len(foreign) > 6 else ''}.")
    open_checks = sum(1 for check in plan.content.get("checks") or [] if check.get("status") == "unknown")
    if open_checks:
        notes.append(f"{open_checks} checks and conditions can be judged only after the apply.")
    if any(change.remains and change.type.startswith("docker_") for change in plan.changes):
        notes.append("What is inside images, volumes and configuration files was not looked at.")
    if any(change.remains and change.type.startswith("keycloak_") for change in plan.changes):
        notes.append(
            "A plan shows only what is declared: clients, mappers, roles and policies made by hand are found by "
            "`secure-mcp audit`."
        )
    return notes
