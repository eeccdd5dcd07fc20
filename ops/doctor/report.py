"""What doctor says: one line a hop, findings below it, and the known problems of clients; or the same as JSON."""

import dataclasses
import json
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.markup import escape

from ops.doctor.chain import Chain, Hop, plain
from ops.doctor.faults import FAULTS
from ops.doctor.known import Known, recognised
from ops.findings.formats import as_json
from ops.findings.model import Finding, Report, Severity
from ops.output import out

_WIDTH: Final = 110
_NAME: Final = 32
_MARKS: Final = {"ok": "[green]✓[/green]", "finding": "[red]✗[/red]", "remark": "[yellow]![/yellow]", "skipped": "-"}


def scrubber(token: str) -> Callable[[str], str]:
    """Return a function that takes a token and its parts out of a text: a server may echo what it was sent."""
    parts = [part for part in (token, *token.split(".")) if len(part) >= 8]

    def scrub(text: str) -> str:
        for part in parts:
            text = text.replace(part, "(token)")
        return text

    return scrub


def state_of(hop: Hop, threshold: Severity) -> str:
    """Return `ok`, `remark`, `finding` or `skipped`."""
    if any(finding.severity >= threshold for finding in hop.findings):
        return "finding"
    if hop.findings:
        return "remark"
    return "ok" if hop.looked else "skipped"


class Telling:
    """Prints hops while they are looked at.

    Args:
        threshold: the least severity that makes the command fail.
        scrub: takes secrets out of a text.
    """

    def __init__(self, threshold: Severity, scrub: Callable[[str], str]) -> None:
        self.threshold = threshold
        self.scrub = scrub

    def hop(self, hop: Hop) -> None:
        """Print the line of a hop, and what was found there."""
        state = state_of(hop, self.threshold)
        seen = self.scrub(plain(hop.seen, 400)) if hop.seen else ""
        skipped = "not looked at: " if not hop.looked else ""
        out.print(f"{_MARKS[state]} {hop.name:<{_NAME}} {escape(skipped + seen)}".rstrip())
        for finding in hop.findings:
            self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        head = f"{finding.severity.word}: {self.scrub(finding.sentence)}"
        out.print(_folded(head, "    "), style="bold", markup=False)
        out.print(_folded(f"why  {finding.why}", "      "), markup=False)
        out.print(_folded(f"fix  {finding.fix}", "      "), markup=False)
        out.print(f"      {finding.id} · {finding.reference}", style="dim", markup=False)

    def end(self, chain: Chain, hops: Sequence[Hop]) -> None:
        """Print the known problems and the sum."""
        if known := recognised(chain):
            out.print("\nKnown problems of clients that will show here:")
            for one in known:
                out.print(_folded(f"{one.client}: {one.symptom} ({one.issue})", "  "), markup=False)
        count = {state: sum(state_of(hop, self.threshold) == state for hop in hops) for state in _MARKS}
        sums = [f"{count['ok'] + count['remark']} in order", f"{count['finding']} with findings"]
        sums += [f"{count['skipped']} not looked at"] if count["skipped"] else []
        out.print(f"\n{len(hops)} hops: {', '.join(sums)}.")
        if count["finding"]:
            out.print("Mend the first finding first: what comes after it may follow from it.")


def as_report(chain: Chain, hops: Sequence[Hop], threshold: Severity, scrub: Callable[[str], str]) -> Report:
    """Return what was found in the form that all judging commands share."""
    findings = (
        dataclasses.replace(finding, sentence=scrub(finding.sentence)) for hop in hops for finding in hop.findings
    )
    return Report(
        "secure-mcp doctor",
        chain.given,
        FAULTS,
        tuple(findings),
        notes=tuple(f"{known.client}: {known.symptom} ({known.issue})" for known in recognised(chain)),
        threshold=threshold,
        clean="every hop is in order",
    )


def as_object(chain: Chain, hops: Sequence[Hop], report: Report, exit_code: int, scrub: Callable[[str], str]) -> Any:
    """Return everything as one JSON object: the shared report, `hops` and `known` beside it."""
    content = json.loads(as_json(report))
    content["exit_code"] = exit_code
    content["hops"] = [
        {
            "name": hop.name,
            "state": state_of(hop, report.threshold),
            "seen": scrub(plain(hop.seen, 400)),
            "findings": [finding.id for finding in hop.findings],
        }
        for hop in hops
    ]
    content["known"] = [_known(known) for known in recognised(chain)]
    return content


def _known(known: Known) -> dict[str, str]:
    return {"issue": known.issue, "client": known.client, "symptom": known.symptom}


def _folded(text: str, indent: str) -> str:
    more = indent + ("     " if text.startswith(("why  ", "fix  ")) else "  ")
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
