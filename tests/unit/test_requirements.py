"""The manifest of requirements and the tests name each other, both ways."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

TESTS = Path(__file__).resolve().parent.parent
MANIFEST = TESTS / "requirements.yaml"
MUST_NAME = ("realm", "protocol", "security", "faults")  # tests in here say which rule they prove


def ids_of(decorators: list[ast.expr]) -> list[str]:
    """Return the ids in `pytest.mark.requirement("ID", ...)` marks."""
    calls = [node for node in decorators if isinstance(node, ast.Call)]
    calls = [call for call in calls if ast.unparse(call.func).endswith(".requirement")]
    return [argument.value for call in calls for argument in call.args if isinstance(argument, ast.Constant)]


def marked_tests() -> Iterator[tuple[Path, str, list[str]]]:
    """Yield each test of the tree: file, name, ids of its own and of its module."""
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = [
            id_
            for node in tree.body
            if isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)
            for id_ in ids_of(node.value.elts if isinstance(node.value, ast.List) else [node.value])
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield path.relative_to(TESTS), node.name, module + ids_of(node.decorator_list)


def manifest() -> list[dict[str, str]]:
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["requirements"]


def test_every_row_is_complete_and_unique() -> None:
    rows = manifest()
    fields = {"id", "sentence", "source"}
    assert [row for row in rows if set(row) - {"gap", "edge"} != fields or not all(row.values())] == []
    assert [id_ for id_, count in Counter(row["id"] for row in rows).items() if count > 1] == []
    assert [row["id"] for row in rows if not row["sentence"].endswith(".")] == []


def test_no_requirement_is_without_a_test() -> None:
    named = {id_ for _, _, ids in marked_tests() for id_ in ids}
    left_over = sorted({row["id"] for row in manifest() if "gap" not in row} - named)
    assert not left_over, f"write a test that names them, or take the rows out of {MANIFEST.name}: {left_over}"


def test_no_gap_is_left_that_a_test_has_closed() -> None:
    named = {id_ for _, _, ids in marked_tests() for id_ in ids}
    closed = sorted({row["id"] for row in manifest() if "gap" in row} & named)
    assert not closed, f"take the gap out of these rows of {MANIFEST.name}: {closed}"


def test_no_test_names_an_unknown_requirement() -> None:
    known = {row["id"] for row in manifest()}
    unknown = [f"{path}::{name} {id_}" for path, name, ids in marked_tests() for id_ in ids if id_ not in known]
    assert not unknown, f"add rows to {MANIFEST.name}: {unknown}"


def test_tests_against_real_software_name_what_they_prove() -> None:
    nameless = [f"{path}::{name}" for path, name, ids in marked_tests() if path.parts[0] in MUST_NAME and not ids]
    assert not nameless, f"mark them with @pytest.mark.requirement: {nameless}"
