"""Renders the edge's templates with Ansible's own renderer; run by the Python of .venv/host, cases as JSON on stdin.

A case is what `nginx -V` says and which variables differ; the answer is the text of each file.
"""

import json
import sys
from pathlib import Path

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

REPOSITORY = Path(__file__).resolve().parents[2]
ROLE = REPOSITORY / "ansible" / "roles" / "nginx"


def main() -> None:
    """Answer each case."""
    init_plugin_loader()
    loader = DataLoader()
    files = [ROLE / "defaults" / "main.yml", ROLE / "vars" / "main.yml"]
    files += sorted((REPOSITORY / "ansible" / "group_vars" / "vm").glob("*.yml"))
    variables: dict[str, object] = {}
    for file in files:
        variables |= loader.load_from_file(str(file), trusted_as_template=True)
    answers = []
    for case in json.load(sys.stdin):
        facts = {"default_ipv6": {"address": "2001:db8::1"} if case.get("ipv6") else {}}
        there = {"stat": {"exists": True}}
        given = {
            "ansible_facts": facts,
            "ansible_managed": "Ansible managed",
            "auth_host": "auth.example.com",
            "mcp_host": "mcp.example.com",
            "nginx_build": {"stderr": case["build"]},
            "nginx_operator": there,
            "nginx_public": there,
            "role_path": str(ROLE),
        }
        templar = Templar(loader=loader, variables=variables | given | case.get("variables", {}))
        holes = templar.template(variables["nginx_holes"])
        answer = {"nginx.conf": templar.template(_read(ROLE / "templates" / "nginx.conf.j2"))}
        for name in templar.template(variables["nginx_files"]):
            edge = Templar(loader=loader, variables=holes).copy_with_new_env(
                variable_start_string="${", variable_end_string="}"
            )
            answer[f"{name}.conf"] = edge.template(_read(REPOSITORY / "nginx" / f"{name}.conf"))
        answers.append(answer)
    json.dump(answers, sys.stdout)


def _read(path: Path) -> str:
    return trust_as_template(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
