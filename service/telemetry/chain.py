"""The hash chain of an audit file: each line names the hash of the line before it.

Whoever changes, removes or inserts a line has to write anew all that follow. Hashes that were written elsewhere in time
(the event `audit_anchor` in the log) prove that nobody did: see `verify`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

GENESIS: Final = "0" * 64
_CHAIN: Final = re.compile(r', "chain": \{"seq": ([1-9][0-9]*), "prev": "([0-9a-f]{64})", "hash": "([0-9a-f]{64})"\}\}')
_HASH_BEGINS: Final = ', "hash": "'


@dataclass(frozen=True, slots=True)
class Link:
    """Place of a line in the chain. Before the first line: `Link(0, GENESIS)`."""

    seq: int
    hash: str


@dataclass(slots=True)
class Report:
    """What `verify` found. `first` and `last` are None where there is no line."""

    lines: int = 0
    first: Link | None = None
    last: Link | None = None
    problems: list[str] = field(default_factory=list)


def chained(text: str, before: Link) -> tuple[str, Link]:
    """Return a line with its place in the chain.

    Args:
        text: a JSON object, not empty.
        before: the line before it.
    """
    hashed = f'{text[:-1]}, "chain": {{"seq": {before.seq + 1}, "prev": "{before.hash}"'
    digest = hashlib.sha256(hashed.encode()).hexdigest()
    return f'{hashed}{_HASH_BEGINS}{digest}"}}}}', Link(before.seq + 1, digest)


def link_of(line: str) -> Link | None:
    """Return the place that a line claims, or None when it has no chain."""
    match = _CHAIN.search(line)
    return Link(int(match[1]), match[3]) if match and match.end() == len(line) else None


def verify(lines: Iterable[str], anchors: Mapping[int, str] | None = None) -> Report:
    """Check every line of a chain.

    Args:
        lines: in the order of the files, without line breaks.
        anchors: hashes by number that are known from elsewhere; each must be met.
    """
    report, missing = Report(), dict(anchors or {})
    for number, line in enumerate(lines, 1):
        report.lines = number
        match = _CHAIN.search(line)
        if match is None or match.end() != len(line):
            report.problems.append(f"line {number} is torn or has no chain")
            continue
        seq, prev, claimed = int(match[1]), match[2], match[3]
        if hashlib.sha256(line[: match.start(3) - len(_HASH_BEGINS)].encode()).hexdigest() != claimed:
            report.problems.append(f"line {number} (seq {seq}) was changed: its hash does not fit")
        if report.last is None:
            report.first = Link(seq, claimed)
            if seq == 1 and prev != GENESIS:
                report.problems.append(f"line {number} is number 1 and yet names a line before it")
        elif seq != report.last.seq + 1:
            report.problems.append(f"line {number} is number {seq} and follows number {report.last.seq}")
        elif prev != report.last.hash:
            report.problems.append(f"line {number} (seq {seq}) does not follow from the line before it")
        report.last = Link(seq, claimed)
        if missing.pop(seq, claimed) != claimed:
            report.problems.append(f"number {seq} has another hash than the anchor says: the chain was written anew")
    begins = report.first.seq if report.first else 1
    for seq in sorted(missing):
        why = "older than the first line that is here" if seq < begins else "the end of the chain was cut off"
        report.problems.append(f"number {seq} of the anchors is missing: {why}")
    return report
