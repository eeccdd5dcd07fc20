"""Bad edits of our own Terraform code as data, each planned by the real provider over an applied state."""

import copy
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from ops.errors import ExitCode
from ops.findings.model import Finding, Report
from ops.review.judge import judge
from ops.review.plan import read_plan
from ops.review.rules import load_rules
from tests.support.terraform import Root

FOLDER = Path(__file__).parent / "mutations"


@dataclass(frozen=True)
class Mutation:
    """One bad edit.

    Args:
        id: what it is called.
        file: the file, relative to the top of the repository.
        rule: the rule of review that has to name it.
        words: what the sentence has to say.
        old: the text that is replaced, each time that it is there.
        new: the text in its place.
        append: text for the end of the file instead.
    """

    id: str
    file: str
    rule: str
    words: str
    old: str = ""
    new: str = ""
    append: str = ""

    def edit(self, top: Path) -> None:
        """Make the edit in a copy of the repository; it must change something."""
        path = top / self.file
        text = path.read_text(encoding="utf-8")
        edited = text + self.append if self.append else text.replace(self.old, self.new)
        assert edited != text, f"{self.id}: {self.file} has no {self.old!r}"
        path.write_text(edited, encoding="utf-8")

    def named_by(self, findings: Sequence[Finding]) -> bool:
        """Return whether review names the edit."""
        return any(found.id == self.rule and self.words in f"{found.sentence} {found.address}" for found in findings)


def load(name: str) -> list[Mutation]:
    """Return the mutations of a root module."""
    return [Mutation(**entry) for entry in yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))]


def planned(
    applied: Root, folder: Path, mutation: Mutation, options: list[str], env: Mapping[str, str]
) -> list[Finding]:
    """Plan an edit over an applied state and return what review finds.

    Args:
        applied: the root module with its state; it is not changed.
        folder: an empty folder for the edited copy.
        mutation: the edit.
        options: arguments of `terraform plan`.
        env: what Terraform logs in with.
    """
    top = applied.contract.parent
    shutil.copytree(top, folder, dirs_exist_ok=True, symlinks=True)
    root = copy.copy(applied)
    root.path, root.contract = folder / applied.path.relative_to(top), folder / "access.yaml"
    mutation.edit(folder)
    root.succeed("plan", "-no-color", "-input=false", "-refresh=false", "-lock=false", "-out=edited", *options, env=env)
    return judge(read_plan(root.succeed("show", "-json", "edited").encode(), mutation.id))


def missed(
    applied: Root, mutations: list[Mutation], folder: Path, options: list[str], env: Mapping[str, str]
) -> dict[str, str]:
    """Return the edits that review does not name with exit code 1, with what it says instead.

    Args:
        applied: the root module with its state.
        mutations: the edits.
        folder: an empty folder.
        options: arguments of `terraform plan`.
        env: what Terraform logs in with.
    """

    def judged(mutation: Mutation) -> str:
        found = planned(applied, folder / mutation.id, mutation, options, env)
        report = Report("secure-mcp review", mutation.id, load_rules(), tuple(found))
        shutil.rmtree(folder / mutation.id)
        if report.exit_code is ExitCode.FINDINGS and mutation.named_by(report.failing):
            return ""
        return json.dumps([(finding.id, finding.sentence) for finding in found], indent=1)

    # Terraform waits for its provider and the server most of the time.
    with ThreadPoolExecutor(3) as pool:
        said = dict(zip((mutation.id for mutation in mutations), pool.map(judged, mutations), strict=True))
    return {name: text for name, text in said.items() if text}
