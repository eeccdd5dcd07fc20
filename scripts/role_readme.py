"""Writes the README of each Ansible role from its argument_specs.yml; with `--check` exits 1 when one is stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
ROLES = REPOSITORY / "ansible" / "roles"
NOTICE = "<!-- written by scripts/role_readme.py from meta/argument_specs.yml: make docs -->"


def options(specs: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and description of each variable, members of dictionaries after their parent."""
    for name, spec in specs.items():
        kind = f"{spec['type']} of {spec['elements']}" if "elements" in spec else spec["type"]
        if "choices" in spec:
            kind = " or ".join(f"`{choice}`" for choice in spec["choices"])
        default = (
            "**required**" if spec.get("required") else f"`{_short(spec['default'])}`" if "default" in spec else ""
        )
        yield f"{prefix}{name}", kind, default, " ".join(str(spec["description"]).split())
        yield from options(spec.get("options", {}), f"{prefix}{name}.")


def readme(role: Path) -> str:
    """Return the README of a role."""
    spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]
    rows = [f"| `{name}` | {kind} | {default} | {text} |" for name, kind, default, text in options(spec["options"])]
    lines = [f"# {role.name}", "", NOTICE, "", spec["short_description"], ""]
    lines += [*(f"- {' '.join(line.split())}" for line in spec["description"]), ""]
    lines += ["| variable | type | default | what it is for |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check the README of every role."""
    stale = []
    for role in sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml")):
        file, text = role / "README.md", readme(role)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(str(file.relative_to(REPOSITORY)))
            if "--check" not in sys.argv:
                file.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"stale: {', '.join(stale)}; run: make docs")
        return 1
    return 0


def _short(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()
    return text.removesuffix("\n...").removesuffix("...").strip().replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
