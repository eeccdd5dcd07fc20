"""Commands that tell what goes on: why, audit-log verify, metrics."""

import dataclasses
import re
from pathlib import Path
from typing import Annotated

import typer

from ops.audit_lines import decisions, file_lines, raw_lines
from ops.containers.environment import find_environment
from ops.environment import CONTRACT
from ops.errors import ExitCode, OperatorError, findings
from ops.explain import Explanation, explain
from ops.operator_metrics import exposition, write
from ops.output import done, note, show, show_json
from service.contract import load_contract
from service.telemetry.chain import verify as verify_chain

audit_log = typer.Typer(no_args_is_help=True, help="Look after audit files with a hash chain.")

FileOption = Annotated[
    list[Path] | None, typer.Option("--file", help="Log or audit file to read; - is stdin. More than one may be named.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def why(
    request_id: Annotated[str, typer.Argument(help="X-Request-ID of the answer, or request_id of its body.")],
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain why a request was allowed or refused, and what to do.

    Examples:

      secure-mcp why 0b5e1c9d7f2a4e6c8d0f1a2b3c4d5e6f

      journalctl -u nginx -o cat | secure-mcp why 0b5e1c9d7f2a4e6c8d0f1a2b3c4d5e6f --file -
    """
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", request_id):
        raise OperatorError(
            f"{request_id!r} is no request id.", "Copy it from X-Request-ID or from the body's request_id."
        )
    environment = find_environment()
    contract = load_contract(CONTRACT)
    found = decisions(raw_lines(environment, file or []), request_id)
    if not found:
        raise findings(
            f"No decision about {request_id} is in the logs that are here.",
            "Public paths have none. An older line may be in another file: --file FILE",
        )
    explanations = [explain(line, contract, environment.issuer, environment.mcp_url) for line in found]
    if as_json:
        show_json([dataclasses.asdict(explanation) for explanation in explanations])
        return
    for explanation in explanations:
        _show(explanation)


@audit_log.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The audit file; full ones beside it are read, too.")],
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="SEQ:HASH of an event audit_anchor, kept elsewhere. More than one may be given."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that an audit file is unbroken: exit code 0, or 1 with each place where it is not.

    Without an anchor a file that was written anew from its first line, or cut off at its end, looks unbroken.

    Examples:

      secure-mcp audit-log verify /var/log/secure-mcp/audit.jsonl

      secure-mcp audit-log verify audit.jsonl --anchor 1000:6f2c...
    """
    report = verify_chain(file_lines(file), dict(map(_anchor, anchor or [])))
    if as_json:
        show_json(dataclasses.asdict(report))
    else:
        for problem in report.problems:
            note(problem)
        if report.first and report.first.seq > 1:
            note(f"begins at number {report.first.seq}: what came before is in files that are not here")
        if report.last and not report.problems:
            done(f"{report.lines} lines are unbroken; the last is {report.last.seq}:{report.last.hash}")
    if report.problems:
        if as_json:
            raise typer.Exit(ExitCode.FINDINGS)
        raise findings(
            f"{file} is broken in {len(report.problems)} places.",
            "Compare it with what syslog or a collector was sent; docs/runbooks/audit-trail.md says how.",
        )
    if report.last is None:
        raise findings(f"{file} holds no line with a chain.", "Is this the file of SECURE_MCP_AUDIT_FILE?")


def metrics(
    output: Annotated[Path | None, typer.Option(help="File for node_exporter's textfile collector.")] = None,
    drift: Annotated[bool, typer.Option("--drift", help="Compare the live realm with the lock file, too.")] = False,
) -> None:
    """Print what Prometheus should know of this machine: certificates, backup, drift, disk.

    Examples:

      secure-mcp metrics

      secure-mcp metrics --drift --output /var/lib/prometheus/node-exporter/secure-mcp.prom
    """
    content = exposition(find_environment(), drift=drift)
    if output is None:
        show(content.decode())
    else:
        write(output.absolute(), content)
        done(f"wrote {output}")


def _anchor(text: str) -> tuple[int, str]:
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise OperatorError(f"{text!r} is no anchor.", "Write SEQ:HASH as in the event audit_anchor of the log.")
    return int(seq), digest


def _show(explanation: Explanation) -> None:
    show(f"{explanation.decision}, reason {explanation.reason}, at {explanation.time}")
    show(f"  why         {explanation.sentence}")
    show(f"  decided by  {explanation.decided_by}")
    show(f"  do          {explanation.fix}")
