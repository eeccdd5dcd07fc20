"""A rule, a finding, a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from ops.errors import ExitCode, OperatorError


class Severity(IntEnum):
    """How bad it is; a threshold is one of these."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The severity as it is written, in lower case."""
        return self.name.lower()


def severity_of(word: str) -> Severity:
    """Return the severity that a word names.

    Raises:
        OperatorError: no severity has this name (exit code 2).
    """
    try:
        return Severity[word.strip().upper()]
    except KeyError:
        known = ", ".join(severity.word for severity in Severity)
        raise OperatorError(f"`{word}` is no severity.", f"Write one of: {known}.") from None


# What a sentence may begin with that is somebody's name and stays as it is written.
_IDENTIFIERS = ("{address}", "{attribute}", "{alias}", "{name}", "{where}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for.

    Args:
        id: short name, such as `redirect-wildcard`; the same in waivers and in SARIF.
        severity: how bad it is.
        sentence: template of the sentence, with {name} for what the finding names.
        why: why it matters, one or two sentences.
        fix: what to do, one sentence.
        reference: section of a standard, page of a manual.
        subject: what the rule is about, such as `redirects`; groups the table of rules.
    """

    id: str
    severity: Severity
    sentence: str
    why: str
    fix: str
    reference: str
    subject: str = ""

    def find(self, address: str, /, **names: object) -> "Finding":
        """Return a finding of this rule.

        Args:
            address: what it is about: the address of a Terraform resource, or the path of something live.
            names: what the sentence's template names.
        """
        sentence = printable(self.sentence.format(**names))
        if not self.sentence.startswith(_IDENTIFIERS):
            sentence = sentence[:1].upper() + sentence[1:]
        return Finding(self.id, self.severity, sentence, self.why, self.fix, self.reference, printable(address))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, in one sentence that names it. See Rule for the fields."""

    id: str
    severity: Severity
    sentence: str
    why: str
    fix: str
    reference: str
    address: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's decision to live with a finding for a time.

    Args:
        rule: id of the rule.
        address: address of the finding; `*` stands for any text.
        owner: who decided.
        reason: why it is acceptable.
        expires: last day on which it holds.
    """

    rule: str
    address: str
    owner: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a command.

    Args:
        tool: the command, such as `secure-mcp review`.
        target: what was judged, such as the name of a file or a URL.
        rules: every rule that was asked, by id.
        findings: what was found and is not waived, in any order.
        waived: what was found and is waived, with the waiver.
        notes: what could not be judged and what else is worth knowing, one sentence each.
        threshold: the least severity that makes the command fail.
        clean: the sentence where nothing is at or above the threshold.
    """

    tool: str
    target: str
    rules: Mapping[str, Rule]
    findings: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...] = ()
    notes: tuple[str, ...] = ()
    threshold: Severity = Severity.MEDIUM
    clean: str = "nothing found"
    worst_first: tuple[Finding, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "worst_first", tuple(worst_first(self.findings)))

    @property
    def failing(self) -> tuple[Finding, ...]:
        """Findings at or above the threshold, worst first."""
        return tuple(finding for finding in self.worst_first if finding.severity >= self.threshold)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """Findings below the threshold, worst first."""
        return tuple(finding for finding in self.worst_first if finding.severity < self.threshold)

    @property
    def exit_code(self) -> ExitCode:
        """1 when something is at or above the threshold, else 0."""
        return ExitCode.FINDINGS if self.failing else ExitCode.OK


def printable(text: str) -> str:
    """Return text on one line without control characters: it may come from somebody else's plan or server."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by severity, then rule and address; each once."""
    return sorted(dict.fromkeys(findings), key=lambda found: (-found.severity, found.id, found.address, found.sentence))
