"""One comment on a change and one issue about drift, kept up to date; GitHub's and GitLab's REST interfaces.

The variables are those that the pipelines of both set by themselves, and a token in SECURE_MCP_CI_TOKEN.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from ops.errors import OperatorError, findings, unreachable

TOKEN: Final = "SECURE_MCP_CI_TOKEN"  # noqa: S105 - the name of a variable
_PAGE: Final = 100
_MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Forge:
    """Where a project is.

    Args:
        base: URL of the project's interface.
        headers: with the credentials.
        comments: path of the comments of a change, with {number}.
        edit: path and method that change a comment, with {number} and {id}.
        text: name of the field that holds an issue's text.
        closing: what closes an issue.
        number: name of the field with an issue's number.
        method: method that changes something.
    """

    base: str
    headers: Mapping[str, str]
    comments: str
    edit: str
    text: str
    closing: Mapping[str, str]
    number: str
    method: str

    def comment(self, change: str, marker: str, body: str) -> str:
        """Write the comment with this marker, or change it where it is there; return which of the two."""
        body = f"<!-- {marker} -->\n{body}"
        for row in self._all(self.comments.format(number=change)):
            # A person's comment is not ours, whatever it begins with.
            ours = row.get("user", {}).get("type", "Bot") == "Bot"
            if ours and str(row.get("body", "")).startswith(f"<!-- {marker} -->"):
                self._send(self.method, self.edit.format(number=change, id=row["id"]), {"body": body})
                return "updated"
        self._send("POST", self.comments.format(number=change), {"body": body})
        return "written"

    def issue(self, title: str, body: str | None) -> str:
        """Keep one open issue of this title: written or updated where there is a body, closed where there is none."""
        rows = [row for row in self._all("/issues?state=" + self._open) if row.get("title") == title]
        if body is None:
            for row in rows:
                self._send(self.method, f"/issues/{row[self.number]}", dict(self.closing))
            return "closed" if rows else "none"
        if rows:
            self._send(self.method, f"/issues/{rows[0][self.number]}", {self.text: body})
            return "updated"
        self._send("POST", "/issues", {"title": title, self.text: body})
        return "opened"

    @property
    def _open(self) -> str:
        return "opened" if self.number == "iid" else "open"

    def _all(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        joint = "&" if "?" in path else "?"
        for page in range(1, _MOST_PAGES + 1):
            found = self._send("GET", f"{path}{joint}per_page={_PAGE}&page={page}")
            rows += found
            if len(found) < _PAGE:
                break
        return rows

    def _send(self, method: str, path: str, content: dict[str, str] | None = None) -> Any:
        try:
            response = httpx.request(method, self.base + path, headers=dict(self.headers), json=content, timeout=30)
        except httpx.TransportError as error:
            raise unreachable(f"{self.base} does not answer: {error}.", "Run the job again.") from error
        if not response.is_success:
            raise findings(
                f"{method} {path} is answered with HTTP {response.status_code}.",
                f"Give {TOKEN} the right to write comments and issues, no more.",
            )
        return response.json()


def find_forge() -> Forge:
    """Return the project of the pipeline that this runs in.

    Raises:
        OperatorError: no pipeline of GitHub or GitLab, or no token.
    """
    token = os.environ.get(TOKEN, "")
    if not token:
        raise OperatorError(
            f"{TOKEN} is not set.", "Give the job a token that may write comments and issues (docs/ci.md)."
        )
    if repository := os.environ.get("GITHUB_REPOSITORY"):
        return Forge(
            base=f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
            comments="/issues/{number}/comments",
            edit="/issues/comments/{id}",
            text="body",
            closing={"state": "closed"},
            number="number",
            method="PATCH",
        )
    if project := os.environ.get("CI_PROJECT_ID"):
        return Forge(
            base=f"{os.environ.get('CI_API_V4_URL', '')}/projects/{quote(project, safe='')}",
            headers={"PRIVATE-TOKEN": token},
            comments="/merge_requests/{number}/notes",
            edit="/merge_requests/{number}/notes/{id}",
            text="description",
            closing={"state_event": "close"},
            number="iid",
            method="PUT",
        )
    raise OperatorError("This is no pipeline of GitHub or GitLab.", "Read the page in dist/ci instead.")


def change_number() -> str:
    """Return the number of the pull or merge request that this pipeline is for; empty where it is for none."""
    return os.environ.get("SECURE_MCP_CI_CHANGE") or os.environ.get("CI_MERGE_REQUEST_IID") or ""
