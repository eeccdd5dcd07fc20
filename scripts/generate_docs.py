"""Writes the generated parts of the documentation, between `<!-- generated: NAME -->` and `<!-- end -->`.

`python scripts/generate_docs.py` writes them; with `--check` it writes nothing and exits 1 when one is stale.
"""

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from prometheus_client.metrics import MetricWrapperBase
from pydantic_core import PydanticUndefined

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from ops.doctor.faults import FAULTS  # noqa: E402 - the path comes first
from ops.doctor.known import KNOWN  # noqa: E402
from ops.review.rules import load_rules  # noqa: E402
from scripts.audit_pages import audit_exclusions, audit_rules, audit_tamperings  # noqa: E402
from scripts.client_pages import mcp_clients  # noqa: E402 - the path comes first
from scripts.fault_pages import fault_drills  # noqa: E402
from service import settings as settings_module  # noqa: E402
from service.contract import SCHEMA_PATH, Client, load_contract  # noqa: E402
from service.settings import PREFIX, Settings  # noqa: E402
from service.settings_files import is_secret  # noqa: E402
from service.telemetry import metrics as metrics_module  # noqa: E402
from service.telemetry.reasons import REASONS  # noqa: E402
from service.tools.registry import discover  # noqa: E402

PAGES = tuple(
    REPOSITORY / "docs" / f"{name}.md"
    for name in ("access", "audit", "clients", "doctor", "faults", "observability", "review", "settings")
)

_REGION = re.compile(r"(<!-- generated: (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)
BAR = "\\|"  # a bar inside a cell
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
_KINDS = {
    "public": "public: a person logs in, PKCE S256",
    "service_account": "service account: client credentials",
    "resource_server": "resource server: gets no token for itself",
}


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    names = list(columns)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', BAR) for cell in line)} |\n" for line in lines)


def code(names: Iterable[str]) -> str:
    """Return names as inline code, or `none`."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def duration(seconds: int) -> str:
    """Return a number of seconds in the largest unit that divides it."""
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}{'s' if seconds > size else ''}"
    return f"{seconds} seconds"


def scopes() -> str:
    """Return the table of scopes."""
    contract = load_contract()
    tools = discover(contract)
    rows = [
        (
            code([scope.name]),
            scope.description,
            scope.consent,
            code(scope.implies),
            code(tool.name for tool in tools.values() if scope.name in tool.scopes),
        )
        for scope in contract.scopes.values()
    ]
    return table(("scope", "what it allows", "consent text", "implies", "tools that ask for it"), rows)


def clients() -> str:
    """Return the table of clients."""

    def row(client: Client) -> tuple[str, ...]:
        redirects = code((*client.redirect_uris, *client.redirect_paths))
        consent = {"public": "asked" if client.consent else "not asked"}.get(client.kind, "no person")
        granted = code(client.default_scopes), code(client.optional_scopes)
        return (code([client.client_id]), _KINDS[client.kind], client.description, *granted, consent, redirects)

    columns = ("client", "kind", "what for", "scopes in every token", "scopes on request", "consent", "redirects")
    return table(columns, map(row, load_contract().clients.values()))


def lifetimes() -> str:
    """Return the table of lifetimes with what the schema allows."""
    allowed = _schema("lifetimes")
    rows = [
        (code([name]), f"{seconds} s", duration(seconds), allowed[name]["x-fix"].removeprefix("write "))
        for name, seconds in load_contract().lifetimes.items()
    ]
    return table(("lifetime", "seconds", "that is", "allowed"), rows)


def rules() -> str:
    """Return the table of the remaining rules: registration, passwords, brute force."""
    contract = load_contract()
    parts = {part: getattr(contract, part) for part in ("registration", "passwords", "brute_force")}
    return table(
        ("rule", "value", "allowed"),
        [
            (code([f"{part}.{name}"]), code([json.dumps(value)]), _schema(part)[name]["x-fix"].removeprefix("write "))
            for part, values in parts.items()
            for name, value in values.items()
        ],
    )


def settings() -> str:
    """Return the table of the service's settings."""
    meanings = dict(_meanings())
    rows = []
    for name, field in Settings.model_fields.items():
        variable = PREFIX + name.upper()
        names = code([variable, f"{variable}_FILE"] if is_secret(field) else [variable])
        rows.append((names, _default(field.default), meanings[name]))
    return table(("variable", "default", "meaning"), rows)


def metrics() -> str:
    """Return the table of the service's metrics."""
    rows = []
    for found in vars(metrics_module).values():
        if isinstance(found, MetricWrapperBase):
            (family,) = found.describe()
            suffix = "_total" if family.type == "counter" else ""
            labels = code(found._labelnames)  # noqa: SLF001 - no public name
            rows.append((code([f"{family.name}{suffix}"]), family.type, labels, family.documentation))
    return table(("metric", "kind", "labels", "meaning"), rows)


def reasons() -> str:
    """Return the table of reason codes."""
    rows = [(code([name]), reason.sentence, reason.decided_by, reason.fix) for name, reason in REASONS.items()]
    return table(("reason", "what happened", "decided by", "what to do"), rows)


def doctor_faults() -> str:
    """Return the table of what doctor finds."""
    rows = [
        (code([fault.id]), fault.severity.word, fault.sentence.removesuffix(" ({seen})"), fault.reference)
        for fault in sorted(FAULTS.values(), key=lambda fault: -fault.severity)
    ]
    return table(("finding", "severity", "what is wrong", "who asks for it"), rows)


def doctor_known() -> str:
    """Return the table of the known problems that doctor recognises."""
    return table(
        ("issue", "who meets it", "what happens, and the way out"), ((k.issue, k.client, k.symptom) for k in KNOWN)
    )


def review_rules() -> str:
    """Return the table of the rules of `secure-mcp review`, by subject, worst first."""
    known = sorted(load_rules().values(), key=lambda rule: (rule.subject, -rule.severity, rule.id))
    rows = [
        (rule.subject, code([rule.id]), rule.severity.word, rule.sentence.replace("<", "&lt;"), rule.reference)
        for rule in known
    ]
    return f"{len(rows)} rules.\n\n" + table(("subject", "rule", "severity", "what it says", "reference"), rows)


def _schema(part: str) -> dict[str, Any]:
    properties: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))["$defs"][part]["properties"]
    return properties


def _meanings() -> Iterator[tuple[str, str]]:
    """Yield each setting with the string that stands below it: Python itself keeps no docstrings of attributes."""
    tree = ast.parse(inspect.getsource(settings_module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == Settings.__name__)
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                yield name, " ".join(meaning.split())


def _default(value: object) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, Path):
        return code([value.name])
    if isinstance(value, tuple):
        return code([",".join(value)]) if value else "empty"
    return "not set" if value is None else code([str(value)])


GENERATORS: dict[str, Callable[[], str]] = {
    "scopes": scopes,
    "audit_exclusions": lambda: table(*audit_exclusions()),
    "audit_rules": lambda: table(*audit_rules()),
    "audit_tamperings": lambda: table(*audit_tamperings()),
    "clients": clients,
    "fault_drills": lambda: table(*fault_drills()),
    "lifetimes": lifetimes,
    "mcp_clients": mcp_clients,
    "rules": rules,
    "metrics": metrics,
    "reasons": reasons,
    "review_rules": review_rules,
    "settings": settings,
    "doctor_faults": doctor_faults,
    "doctor_known": doctor_known,
}


def render(text: str) -> str:
    """Return a page with its generated regions made anew.

    Raises:
        KeyError: a region has a name that no generator has.
    """
    return _REGION.sub(lambda match: f"{match[1]}\n{GENERATORS[match['name']]()}\n{match[3]}", text)


def stale() -> list[Path]:
    """Return the pages whose generated regions are not what they would be now."""
    return [page for page in PAGES if render(text := page.read_text(encoding="utf-8")) != text]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args(arguments).check
    for page in (pages := stale()):
        name = page.relative_to(REPOSITORY)
        if check:
            print(f"{name}: is stale; run: make docs", file=sys.stderr)
        else:
            page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
            print(f"{name}: written", file=sys.stderr)
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
