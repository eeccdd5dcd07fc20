"""The documentation: generated parts are fresh, settings are described, links resolve, no path of a machine."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from scripts import generate_docs

REPOSITORY = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {"node_modules", "build", "dist"}
HIDDEN = re.compile(r"\.(?!github$)")

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"^#? ?(?P<name>[A-Z][A-Z0-9_]+)=", re.MULTILINE)

HOMES = [f"/{name}/" for name in ("home", "Users", "root")]


def pages() -> Iterator[Path]:
    for page in sorted(REPOSITORY.rglob("*.md")):
        folders = page.relative_to(REPOSITORY).parts[:-1]
        if not any(folder in SKIPPED_FOLDERS or HIDDEN.match(folder) for folder in folders):
            yield page


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that the headings of a page make: lower case, punctuation dropped, blanks to hyphens."""
    titles = (match["title"].lower() for match in HEADING.finditer(prose(page)))
    return frozenset(re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles)


each_page = pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.relative_to(REPOSITORY).as_posix())


def test_generated_parts_are_fresh() -> None:
    assert generate_docs.stale() == [], "run: make docs"


def test_a_change_of_a_generated_part_is_noticed() -> None:
    page = REPOSITORY / "docs/access.md"
    text = page.read_text(encoding="utf-8")
    assert generate_docs.render(text.replace("`mcp:infer`", "`mcp:dream`")) == text
    with pytest.raises(KeyError, match="nothing_makes_this"):
        generate_docs.render("<!-- generated: nothing_makes_this -->\n<!-- end -->")


def test_every_setting_of_the_example_file_is_described() -> None:
    names = VARIABLE.findall((REPOSITORY / ".env.example").read_text(encoding="utf-8"))
    described = (REPOSITORY / "docs/settings.md").read_text(encoding="utf-8")
    assert names, ".env.example names no variable"
    assert [name for name in names if f"`{name}`" not in described] == [], "describe them in docs/settings.md"


def test_every_variable_that_the_operators_command_reads_is_described() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "ops").glob("*.py"))
    names = set(re.findall(r"\"(SECURE_MCP_[A-Z_]*[A-Z])\"", code))
    described = (REPOSITORY / "docs/settings.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"`{name}`" not in described) == [], "describe them in docs/settings.md"


@each_page
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for match in LINK.finditer(prose(page)):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(match["target"])
    assert broken == []


@each_page
def test_no_page_names_a_path_of_this_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    homes = [re.escape(str(path)) for path in (REPOSITORY, REPOSITORY.parent, Path.home()) if len(path.parts) > 1]
    found = re.findall(rf"(?<![\w./~-])(?:{'|'.join([*homes, *HOMES])})\S*", text)
    assert found == []


def test_every_top_level_folder_says_what_lives_in_it() -> None:
    folders = [path for path in REPOSITORY.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    folders = [path for path in folders if path.name not in SKIPPED_FOLDERS and path.suffix != ".egg-info"]
    silent = [path.name for path in folders if not (path / "README.md").is_file() and any(path.rglob("*.*"))]
    assert sorted(silent) == [], "write a README.md in each"
