"""What can be wrong on the way to an MCP server: faults.yaml as the rules of a report."""

from pathlib import Path
from typing import Final

import yaml

from ops.findings.model import Rule, severity_of


def _read() -> dict[str, Rule]:
    rows = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))
    return {
        name: Rule(
            name,
            severity_of(row["severity"]),
            row["sentence"] + " ({seen})",
            row["why"],
            row["fix"],
            row["reference"],
        )
        for name, row in rows.items()
    }


FAULTS: Final = _read()
