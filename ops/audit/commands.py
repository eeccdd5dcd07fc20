"""`secure-mcp audit` and `secure-mcp repair`: the command line."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.admin import AdminClient
from ops.audit.audit import Audit, audit_realm, moved_issuer
from ops.audit.issuer import live_issuer
from ops.audit.kcwarden import run_kcwarden
from ops.audit.notify import check_url, notify, read_key
from ops.audit.rules import load_rules
from ops.audit.script import repair_script
from ops.audit.target import Target, Wishes, find_target, write_known
from ops.errors import ExitCode, OperatorError
from ops.findings.formats import Format, as_json, render
from ops.findings.model import Finding, Report, Rule, severity_of
from ops.findings.waivers import EXPIRED, UNUSED, apply_waivers, load_waivers
from ops.output import done, note, show, show_error, show_json

_SHORTEST_WATCH_S = 10

KeycloakUrl = Annotated[str | None, typer.Option(help="Base URL of Keycloak, where its administration answers.")]
RealmName = Annotated[str | None, typer.Option(help="Name of the realm.")]
PublicUrl = Annotated[str | None, typer.Option(help="Origin of the service.")]
ServiceUrl = Annotated[str | None, typer.Option(help="Origin under which Keycloak reaches the service.")]
Issuer = Annotated[str | None, typer.Option(help="Issuer of the realm.")]
SslRequired = Annotated[str | None, typer.Option(help="all or external.")]
SecretsFolder = Annotated[
    Path | None, typer.Option(help="Folder with a file of each secret, the auditor's among them.")
]
LockFile = Annotated[Path | None, typer.Option(help="The declared realm; default: terraform/keycloak/realm.lock.json.")]
KnownFile = Annotated[Path | None, typer.Option(help="File that remembers which clients registered by themselves.")]


def audit(
    keycloak_url: KeycloakUrl = None,
    realm: RealmName = None,
    public_url: PublicUrl = None,
    service_url: ServiceUrl = None,
    issuer: Issuer = None,
    ssl_required: SslRequired = None,
    secrets: SecretsFolder = None,
    lock: LockFile = None,
    known: KnownFile = None,
    waivers: Annotated[Path | None, typer.Option(help="File of waivers, see docs/review.md.")] = None,
    threshold: Annotated[
        str, typer.Option(help="Least severity of a finding that counts: info to critical.")
    ] = "medium",
    form: Annotated[Format, typer.Option("--format", help="How the report is printed.")] = Format.TEXT,
    as_json_: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    kcwarden: Annotated[bool, typer.Option("--kcwarden/--no-kcwarden", help="Run kcwarden's rules too.")] = True,
    watch: Annotated[int | None, typer.Option(help="Look again each so many seconds, until interrupted.")] = None,
    webhook: Annotated[str | None, typer.Option(help="URL to tell when findings count, and when they differ.")] = None,
    webhook_secret: Annotated[Path | None, typer.Option(help="File with the key that signs what is told.")] = None,
    explain: Annotated[str | None, typer.Option(help="Explain a rule and stop; `list` names all.")] = None,
) -> None:
    """Compare the live realm with what is declared, and name every difference with the command that repairs it.

    Nothing is changed: it logs in as the account `auditor`, which can only read. Clients that registered by themselves
    are listed apart. Exit code: 0 in order, 1 findings, 2 usage, 3 not reached.

    \b
    Examples:
      secure-mcp audit
      secure-mcp audit --threshold high --format sarif > audit.sarif
      secure-mcp audit --watch 900 --webhook https://alerts.example.org/realm --webhook-secret webhook.key
      secure-mcp audit --keycloak-url https://auth.example.org --public-url https://mcp.example.org --secrets ./secrets
      secure-mcp audit --explain client-unknown
    """
    if explain is not None:
        _explain(explain)
        return
    if watch is not None and watch < _SHORTEST_WATCH_S:
        raise OperatorError(f"--watch {watch} is too often.", f"Write {_SHORTEST_WATCH_S} seconds or more.")
    if (webhook is None) != (webhook_secret is None):
        raise OperatorError("--webhook and --webhook-secret belong together.", "Give both, or none.")
    wishes = Wishes(keycloak_url, realm, public_url, service_url, issuer, ssl_required, secrets, lock, known)
    receiver = (check_url(webhook), read_key(webhook_secret)) if webhook and webhook_secret else None
    look = _Look(wishes, waivers, threshold, Format.JSON if as_json_ else form, kcwarden, receiver)
    raise typer.Exit(look.watch(watch) if watch else look.once())


def repair(
    keycloak_url: KeycloakUrl = None,
    realm: RealmName = None,
    public_url: PublicUrl = None,
    service_url: ServiceUrl = None,
    issuer: Issuer = None,
    ssl_required: SslRequired = None,
    secrets: SecretsFolder = None,
    lock: LockFile = None,
    known: KnownFile = None,
    terraform: Annotated[Path | None, typer.Option(help="Folder of the applied root module.")] = None,
    var_file: Annotated[list[Path] | None, typer.Option(help="Values for terraform apply; may be repeated.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print the commands as JSON.")] = False,
) -> None:
    """Print the commands that take back every difference, and change nothing.

    `terraform apply` for what the provider sees, with -replace for what it does not notice; kcadm.sh for what is in no
    state. Exit code: 0 nothing to repair, 1 commands printed, 2 usage, 3 not reached.

    \b
    Examples:
      secure-mcp repair
      secure-mcp repair > repair.sh      (read it, then: sh repair.sh)
      secure-mcp repair --terraform terraform/keycloak --var-file ../environments/prod/keycloak.tfvars
    """
    wishes = Wishes(
        keycloak_url, realm, public_url, service_url, issuer, ssl_required, secrets, lock, known, terraform,
        tuple(var_file or ()),
    )  # fmt: skip
    target = find_target(wishes)
    found = look_at(target)
    lines = repair_script(found.drift, target.terraform, target.login)
    if as_json_:
        show_json({"drift": len(found.drift), "commands": [line for line in lines if not line.startswith("#")]})
    else:
        for line in lines or ["# Nothing to repair: the live realm is what is declared."]:
            show(line)
    raise typer.Exit(ExitCode.FINDINGS if lines else ExitCode.OK)


def look_at(target: Target) -> Audit:
    """Audit a target once.

    Raises:
        OperatorError: Keycloak does not answer (exit code 3), or the auditor may not read something.
    """
    live = live_issuer(target.keycloak_url, target.realm)
    if moved := moved_issuer(target.declared, live, target.realm, target.root):
        return Audit(
            (moved,), (), ("The rest was not judged: no account of the realm counts while its issuer is another.",), {}
        )
    with AdminClient(target.keycloak_url, target.realm, "auditor", target.secret) as admin:
        found = audit_realm(admin, target.realm, target.declared, target.root)
    write_known(target.known, found.registered)
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    wishes: Wishes
    waivers: Path | None
    threshold: str
    form: Format
    kcwarden: bool
    receiver: tuple[str, bytes] | None

    def once(self) -> ExitCode:
        report = self._report()
        show_report(report, self.form)
        if report.failing:
            self._tell(report)
        return report.exit_code

    def watch(self, seconds: int) -> ExitCode:
        """Look again and again; tell the receiver when what counts is not what it was."""
        code, told = ExitCode.OK, frozenset[Finding]()
        try:
            while True:
                try:
                    report = self._report()
                    code = report.exit_code
                    note(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {len(report.failing)} findings")
                    if frozenset(report.failing) != told:
                        show_report(report, self.form)
                        self._tell(report)
                        told = frozenset(report.failing)
                except OperatorError as error:
                    # A schedule outlives an outage of what it looks at; a wrong command does not.
                    if error.code is ExitCode.USAGE:
                        raise
                    show_error(error)
                    code = error.code
                time.sleep(seconds)
        except KeyboardInterrupt:
            return code

    def _report(self) -> Report:
        target = find_target(self.wishes)
        found = look_at(target)
        rules = all_rules()
        findings = [drift.finding for drift in found.drift]
        if self.kcwarden and found.export:
            by_others, _ = run_kcwarden(found.export)
            findings += by_others
            rules |= {finding.id: _of_kcwarden(finding) for finding in by_others}
        waivers = load_waivers(self.waivers, rules) if self.waivers else []
        counting, waived = apply_waivers(findings, waivers, datetime.now(UTC).date())
        return Report(
            tool="secure-mcp audit",
            target=f"{target.keycloak_url}/realms/{target.realm}",
            rules=rules,
            findings=tuple(counting),
            waived=tuple(waived),
            notes=found.notes,
            threshold=severity_of(self.threshold),
            clean="the live realm is what is declared",
        )

    def _tell(self, report: Report) -> None:
        if self.receiver:
            url, key = self.receiver
            notify(url, key, as_json(report).encode())
            done(f"told {url}")


def show_report(report: Report, form: Format) -> None:
    """Print a report on stdout, as it is: a machine may read it."""
    typer.echo(render(report, form), nl=False)


def all_rules() -> dict[str, Rule]:
    """Return our own rules by id."""
    rules = {row.rule.id: row.rule for row in load_rules()}
    return rules | {EXPIRED.id: EXPIRED, UNUSED.id: UNUSED}


def _of_kcwarden(finding: Finding) -> Rule:
    return Rule(finding.id, finding.severity, finding.sentence, finding.why, finding.fix, finding.reference, "kcwarden")


def _explain(name: str) -> None:
    rules = all_rules()
    if name == "list":
        for rule in rules.values():
            show(f"{rule.severity.word:<9} {rule.id}")
        return
    if name not in rules:
        raise OperatorError(f"There is no rule `{name}`.", "`secure-mcp audit --explain list` names all.")
    rule = rules[name]
    show(f"{rule.id} ({rule.severity.word})")
    show(rule.sentence)
    show(f"Why: {rule.why}")
    show(f"Fix: {rule.fix}")
    show(f"Reference: {rule.reference}")
