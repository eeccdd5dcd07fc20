"""Which rules of the wire are proven a second time through the real Nginx: rows with `edge`, and tests/edge."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.test_requirements import TESTS, manifest, marked_tests

WIRE = ("MCP-R", "MCP-A", "MCP-CORS", "MCP-BATCH", "RFC6750-", "RFC9728-")
PROVEN = "proven"


def of_the_wire() -> list[dict[str, str]]:
    """Rows about what a client meets, without the gaps."""
    return [row for row in manifest() if row["id"].startswith(WIRE) and "gap" not in row]


def run_through_the_edge() -> Iterator[tuple[str, list[str]]]:
    """Yield name and ids of each test of tests/edge: written there, or taken from another folder."""
    marked = list(marked_tests())
    for file in sorted((TESTS / "edge").glob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        dropped = {ast.unparse(name) for node in tree.body if isinstance(node, ast.Delete) for name in node.targets}
        own = {name for path, name, _ in marked if path == file.relative_to(TESTS)}
        yield from ((name, ids) for path, name, ids in marked if path == file.relative_to(TESTS))
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("tests.realm.", "tests.protocol.")):
                source = Path(*(node.module or "").split(".")[1:]).with_suffix(".py")
                names = {alias.name for alias in node.names}
                for path, name, ids in marked:
                    if path == source and (name in names or "*" in names) and name not in own | dropped:
                        yield name, ids


def test_each_rule_of_the_wire_says_whether_it_is_proven_through_the_edge() -> None:
    silent = [row["id"] for row in of_the_wire() if not row.get("edge")]
    assert not silent, f"write `edge: {PROVEN}`, or why not, into these rows of requirements.yaml: {silent}"


def test_what_is_said_to_be_proven_through_the_edge_is() -> None:
    proven = {id_ for _, ids in run_through_the_edge() for id_ in ids}
    said = {row["id"] for row in manifest() if row.get("edge") == PROVEN}
    assert said - proven == set(), "no test of tests/edge names them"
    excused = {row["id"] for row in manifest() if row.get("edge", PROVEN) != PROVEN}
    assert excused & proven == set(), f"they are proven: write `edge: {PROVEN}`"
