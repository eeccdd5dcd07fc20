"""The command `secure-mcp review`."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.containers.environment import load_stack_environment
from ops.containers.images import Images
from ops.containers.up import docker_root
from ops.environment import REPOSITORY
from ops.errors import OperatorError
from ops.findings.formats import Format, render
from ops.findings.model import Report, Rule, severity_of
from ops.findings.waivers import EXPIRED, UNUSED, apply_waivers, load_waivers
from ops.output import note, short, show
from ops.review.judge import judge, unjudged
from ops.review.plan import MAXIMUM_BYTES, read_plan
from ops.review.rules import load_rules

WAIVERS = REPOSITORY / "review.waivers.yaml"
CLEAN = "nothing that weakens security"


def review(
    plan: Annotated[
        str | None,
        typer.Argument(
            help="Output of `terraform show -json` (or tofu); - is stdin; default: what `secure-mcp plan` saved."
        ),
    ] = None,
    threshold: Annotated[
        str, typer.Option(help="Least severity that gives exit code 1: info, low, medium, high, critical.")
    ] = "medium",
    form: Annotated[Format, typer.Option("--format", help="How the result is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    waivers: Annotated[
        Path | None, typer.Option(help="File of waivers; default: review.waivers.yaml of the repository, if there.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Judge also what the plan leaves as it is, as if it were made now.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Explain a rule instead; `list` names them all.")
    ] = None,
) -> None:
    """Say what a plan does to identity and exposure, worst first.

    Exit codes: 0 nothing at or above the threshold, 1 findings, 2 no plan or wrong use.

    \b
    Examples:
      terraform show -json realm.tfplan > plan.json && secure-mcp review plan.json
      tofu show -json realm.tfplan | secure-mcp review - --format markdown
      secure-mcp review plan.json --threshold high --format sarif > review.sarif
      secure-mcp review --explain redirect-wildcard
    """
    if explain:
        _explain(explain)
        return
    known = load_rules()
    least = severity_of(threshold)
    target, data = _given(plan) if plan else _saved()
    read = read_plan(data, target)
    found = judge(read, everything=everything)
    rules: dict[str, Rule] = {**known, EXPIRED.id: EXPIRED, UNUSED.id: UNUSED}
    file = waivers or (WAIVERS if WAIVERS.exists() else None)
    decided = load_waivers(file, known) if file else []
    kept, waived = apply_waivers(found, decided, datetime.now(UTC).date())
    report = Report(
        tool="secure-mcp review",
        target=target,
        rules=rules,
        findings=tuple(kept),
        waived=tuple(waived),
        notes=tuple(unjudged(read, everything=everything)),
        threshold=least,
        clean=CLEAN,
    )
    sys.stdout.write(render(report, Format.JSON if as_json else form))
    raise typer.Exit(report.exit_code)


def _given(plan: str) -> tuple[str, bytes]:
    if plan == "-":
        if sys.stdin.isatty():
            note("reading a plan from stdin; end it with Ctrl-D")
        return "stdin", sys.stdin.buffer.read(MAXIMUM_BYTES + 1)
    try:
        with Path(plan).open("rb") as file:
            return short(Path(plan)), file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            f"{plan} cannot be read: {error.strerror}.", "Give the output of: terraform show -json FILE.tfplan"
        ) from error


def _saved() -> tuple[str, bytes]:
    """Return the plan that `secure-mcp plan` saved last."""
    environment = load_stack_environment()
    file = environment.state / "terraform" / "docker.tfplan"
    if not file.exists():
        raise OperatorError(
            "There is nothing to review: no plan is given, and none is saved.",
            "Run: secure-mcp review PLAN.json (- is stdin), or first: secure-mcp plan",
        )
    images = Images(environment.recall("service_image"), environment.recall("keycloak_image"))
    return short(file), json.dumps(docker_root(environment, images).show()).encode()


def _explain(name: str) -> None:
    rules = load_rules()
    if name == "list":
        for rule in sorted(rules.values(), key=lambda rule: (-rule.severity, rule.id)):
            show(f"{rule.severity.word:<9}{rule.id:<30}{_plain(rule.sentence)}")
        return
    if name not in rules:
        near = [other for other in rules if name.split("-")[0] in other]
        raise OperatorError(
            f"There is no rule `{name}`.", f"Near: {', '.join(near[:6]) or 'none'}; see `--explain list`."
        )
    rule = rules[name]
    show(f"{rule.id} ({rule.severity.word})")
    show(f"  says  {_plain(rule.sentence)}")
    show(f"  why   {rule.why}")
    show(f"  fix   {rule.fix}")
    show(f"  see   {rule.reference}")


def _plain(sentence: str) -> str:
    return sentence.replace("{", "<").replace("}", ">")
