"""Running `secure-mcp doctor` in a test."""

import json
from typing import Any

from typer.testing import CliRunner

from ops.cli import app

_ORDER = ("info", "low", "medium", "high", "critical")


def examine(url: str, *options: str, token: str = "") -> tuple[int, dict[str, Any]]:
    """Run the command and return its exit code and its JSON, which must not hold the token."""
    arguments = ["doctor", url, "--json", *options, *(["--token-file", "-"] if token else [])]
    result = CliRunner().invoke(app, arguments, input=token or None)
    assert result.exit_code in (0, 1, 3), f"{result.exit_code} {result.output} {result.exception!r}"
    assert not token or token.split(".")[2] not in result.output
    return result.exit_code, json.loads(result.stdout)


def found(report: dict[str, Any], least: str = "medium") -> set[str]:
    """Return the ids of what was found, as bad as `least` or worse."""
    return {one["rule"] for one in report["findings"] if _ORDER.index(one["severity"]) >= _ORDER.index(least)}


def known(report: dict[str, Any]) -> set[str]:
    """Return the issues of the known problems."""
    return {issue for one in report["known"] for issue in one["issue"].split(", ")}
