"""Writes the table of what differs between the environments into docs/operations.md; `--check` only compares."""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "operations.md"
NAMES = ("dev", "staging", "prod")
ROOTS = ("docker", "keycloak")
_MARKS = "<!-- environments -->", "<!-- /environments -->"
_ASSIGNMENT = re.compile(r"^(\w+)\s*=\s*(.*)$")


def read_values(text: str) -> dict[str, str]:
    """Return the assignments of a tfvars file, each value on one line.

    Args:
        text: the file; comments on lines of their own.
    """
    values: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        if found := _ASSIGNMENT.match(line):
            name, values[found[1]] = found[1], found[2].strip()
        elif line.strip() and name:
            values[name] += " " + line.strip()
    return {key: re.sub(r"\s+", " ", value) for key, value in values.items()}


def table() -> str:
    """Return the table in Markdown: a row for each value that any environment sets."""
    rows = ["| root | value | " + " | ".join(NAMES) + " |", "|---" * (len(NAMES) + 2) + "|"]
    for root in ROOTS:
        files = {name: REPOSITORY / "terraform" / "environments" / name / f"{root}.tfvars" for name in NAMES}
        values = {name: read_values(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
        for key in sorted({key for given in values.values() for key in given}):
            cells = [f"`{values[name][key]}`" if key in values.get(name, {}) else "default" for name in NAMES]
            if len(set(cells)) > 1:
                rows.append(f"| {root} | `{key}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def render(page: str) -> str:
    """Return the page with the table between its marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, rest = page.split(_MARKS[0], 1)
    after = rest.split(_MARKS[1], 1)[1]
    return f"{before}{_MARKS[0]}\n{table()}\n{_MARKS[1]}{after}"


def main() -> int:
    """Write or compare; 1 when the page is out of date."""
    page = PAGE.read_text(encoding="utf-8")
    fresh = render(page)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(fresh, encoding="utf-8")
        return 0
    if fresh != page:
        sys.stderr.write("docs/operations.md is out of date; run: python scripts/environment_table.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
