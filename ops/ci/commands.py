"""`secure-mcp ci`: plan, apply, drift, comment, issue, keys."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import pyrage  # type: ignore[import-untyped]
import typer

from ops.ci.forge import change_number, find_forge
from ops.ci.live import audit_arguments, auditor_secret
from ops.ci.report import changes_of, joined, judged, plan_page
from ops.ci.sealed import seal, unseal
from ops.ci.work import ROOTS, Work, results_folder, work_for
from ops.errors import ExitCode, OperatorError, findings
from ops.output import done, note, short, show, show_json, step

REVIEW: Final = "review.md"
SEALED: Final = "plan.tar.age"
DRIFT: Final = "drift.md"
MARKER: Final = "secure-mcp plan"

ci = typer.Typer(
    no_args_is_help=True,
    help="What a pipeline does with the Terraform roots; see docs/ci.md.\n\n\b\nExamples:\n  secure-mcp ci plan --help",
)

EnvironmentOption = Annotated[str, typer.Option("--environment", "-e", help="Environment, such as prod.")]
RootOption = Annotated[str, typer.Option("--root", "-r", help=f"Terraform root: {' or '.join(ROOTS)}.")]


@ci.command("plan")
def plan(environment: EnvironmentOption = "dev", root: RootOption = "keycloak") -> None:
    """Plan a root, review the plan, and leave the review and the encrypted plan in dist/ci.

    Exit code: 0 nothing that weakens security, 1 the review has findings, 2 usage, 3 not reached.

    \b
    Examples:
      SECURE_MCP_CI_RECIPIENT=age1... secure-mcp ci plan -e prod -r keycloak
    """
    work = work_for(environment, root)
    work.results.mkdir(parents=True, exist_ok=True)
    try:
        with step(f"plan {root} of {environment}"):
            work.prepare()
            work.plan()
        planned = work.show()
        code, review = _review(work, planned)
        changes = changes_of(planned)
        (work.results / REVIEW).write_text(plan_page(environment, root, changes, review), encoding="utf-8")
        seal(work.plan_file, work.results / SEALED, environment, root)
    finally:
        work.forget()
    show(review.rstrip())
    done(f"{len(changes)} changes; {short(work.results / SEALED)} is encrypted")
    raise typer.Exit(code)


@ci.command("apply")
def apply(environment: EnvironmentOption = "dev", root: RootOption = "keycloak") -> None:
    """Apply exactly the plan that `ci plan` left for this commit and environment, then plan again: nothing may be left.

    Exit code: 0 applied, 1 refused or failed, 2 usage, 3 not reached.

    \b
    Examples:
      SECURE_MCP_CI_IDENTITY=AGE-SECRET-KEY-1... secure-mcp ci apply -e prod -r keycloak
    """
    work = work_for(environment, root)
    try:
        work.prepare()
        unseal(work.results / SEALED, work.plan_file, environment, root)
        with step(f"apply {root} of {environment}"):
            work.apply()
        with step("plan again"):
            left = changes_of(work.show()) if work.plan() else []
        if left:
            raise findings(
                f"After the apply a plan still changes: {', '.join(left[:5])}.", "Run the plan job and read why."
            )
    finally:
        work.forget()
    done("applied, and a second plan is empty")


@ci.command("drift")
def drift(
    environment: EnvironmentOption = "dev",
    audit: Annotated[bool, typer.Option("--audit/--no-audit", help="Compare the live realm as well.")] = True,
    root: Annotated[list[str] | None, typer.Option("--root", "-r", help="Roots to plan; default: keycloak.")] = None,
) -> None:
    """Look whether what runs is what is declared: a plan of each root, and the audit of the live realm with kcwarden.

    Exit code: 0 no drift, 1 drift (the page is in dist/ci), 2 usage, 3 not reached.

    \b
    Examples:
      secure-mcp ci drift -e prod
      secure-mcp ci drift -e prod -r keycloak -r docker --no-audit
    """
    pages: list[str] = []
    planned: dict[str, dict[str, Any]] = {}
    folder = results_folder() / environment
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / DRIFT
    target.unlink(missing_ok=True)  # what could not be judged must not look like `no drift` to `ci issue`
    for name in root or ["keycloak"]:
        work = work_for(environment, name)
        try:
            with step(f"plan {name} of {environment}"):
                work.prepare()
                work.plan()
                planned[name] = work.show()
        finally:
            work.forget()
        changes = changes_of(planned[name])
        if changes:
            listed = "\n".join(f"    {change}" for change in changes)
            pages.append(f"### Terraform would change {name}\n\n{listed}\n")
    if audit:
        if "keycloak" not in planned:
            raise OperatorError("The audit needs the plan of keycloak.", "Add --root keycloak, or --no-audit.")
        with step(f"audit the realm of {environment}"), tempfile.TemporaryDirectory() as secrets:
            auditor_secret(Path(secrets))
            options = audit_arguments(planned["keycloak"], Path(secrets))
            code, page = judged("audit", *options, environment=environment, log=folder / "audit.log")
        pages += [f"### Audit of the live realm\n\n{page.strip()}\n"] if code else []
    page = joined(f"Drift in {environment}", pages) if pages else ""
    target.write_text(page, encoding="utf-8")
    if page:
        show(page.rstrip())
        raise typer.Exit(ExitCode.FINDINGS)
    done("no drift")


@ci.command("comment")
def comment() -> None:
    """Put all reviews below dist/ci into one comment of the pull or merge request; a second run updates it.

    \b
    Examples:
      SECURE_MCP_CI_CHANGE=12 secure-mcp ci comment
    """
    number = change_number()
    if not number:
        raise OperatorError("No pull request is named.", "Set SECURE_MCP_CI_CHANGE to its number.")
    pages = [file.read_text(encoding="utf-8") for file in sorted(results_folder().glob(f"*/*/{REVIEW}"))]
    if not pages:
        raise OperatorError(f"There is no review below {short(results_folder())}.", "Run first: make ci-plan")
    done(f"comment {find_forge().comment(number, MARKER, joined('What this change plans', pages))}")


@ci.command("issue")
def issue(environment: EnvironmentOption = "dev") -> None:
    """Keep one issue about drift of an environment: opened or updated where `ci drift` found some, else closed.

    \b
    Examples:
      secure-mcp ci issue -e prod
    """
    page = results_folder() / environment / DRIFT
    if not page.is_file():
        raise OperatorError(f"Whether {environment} has drifted is not known.", "Run first: make ci-drift")
    body = page.read_text(encoding="utf-8")
    done(f"issue: {find_forge().issue(f'Drift in {environment}', body or None)}")


@ci.command("keys")
def keys(
    identity_file: Annotated[Path, typer.Argument(help="File to write the secret identity to; it must not be there.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make the pair that saved plans are encrypted with: the identity into a file, the recipient on stdout.

    \b
    Examples:
      secure-mcp ci keys prod.agekey
    """
    identity = pyrage.x25519.Identity.generate()
    try:
        with identity_file.open("x", encoding="ascii") as file:
            identity_file.chmod(0o600)
            file.write(f"{identity}\n")
    except OSError as error:
        raise OperatorError(f"{identity_file} cannot be made: {error.strerror}.", "Name a new file.") from error
    recipient = str(identity.to_public())
    if as_json:
        show_json({"recipient": recipient, "identity_file": str(identity_file)})
        return
    show(recipient)
    note("Give this to the plan job as the variable SECURE_MCP_CI_RECIPIENT, and the file's content to the")
    note("protected environment of the apply job as the secret SECURE_MCP_CI_IDENTITY; then delete the file.")


def _review(work: Work, planned: object) -> tuple[int, str]:
    """Judge the plan; its JSON is deleted afterwards, for it holds every value that is not ephemeral."""
    file = work.plan_file.with_suffix(".json")
    file.touch(mode=0o600)
    file.write_text(json.dumps(planned), encoding="utf-8")
    try:
        return judged("review", str(file), environment=work.environment, log=work.results / "review.log")
    finally:
        file.unlink()
