"""The edge's templates: every hole has a value in both renderers, and no name is left that nobody fills."""

import re
from pathlib import Path

import pytest
import yaml

from scripts.render_nginx import HOLE, TEMPLATES, example_values, render

EDGE = TEMPLATES.parent / "terraform" / "docker" / "common" / "edge.tf"


def holes() -> set[str]:
    return {
        hole for template in TEMPLATES.glob("*.conf") for hole in HOLE.findall(template.read_text(encoding="utf-8"))
    }


@pytest.mark.requirement("STACK-EDGE")
def test_terraform_fills_every_hole_and_nothing_else() -> None:
    block = EDGE.read_text(encoding="utf-8").split("_edge = {", 1)[1].split("\n  }\n", 1)[0]
    assert set(re.findall(r"^    (\w+) +=", block, re.MULTILINE)) == holes()


@pytest.mark.requirement("HOST-TEMPLATES")
def test_ansible_fills_every_hole_and_nothing_else() -> None:
    variables = TEMPLATES.parent / "ansible" / "roles" / "nginx" / "vars" / "main.yml"
    assert set(yaml.safe_load(variables.read_text(encoding="utf-8"))["nginx_holes"]) == holes()


@pytest.mark.requirement("STACK-EDGE")
def test_the_linters_fill_every_hole_and_nothing_else(tmp_path: Path) -> None:
    assert set(example_values(tmp_path)) == holes()
    render(tmp_path, example_values(tmp_path))
    assert "${" not in "".join(file.read_text(encoding="utf-8") for file in tmp_path.glob("*.conf"))


@pytest.mark.requirement("STACK-HEADERS")
def test_no_location_has_headers_of_its_own() -> None:
    for template in TEMPLATES.glob("*.conf"):
        depth = 0
        for line in template.read_text(encoding="utf-8").splitlines():
            code = line.split("#", 1)[0]
            assert not (depth >= 1 and "location" in code and "add_header" in code)
            if re.match(r"\s*location\b", code):
                depth += 1
            elif depth and code.strip() == "}":
                depth -= 1
            elif depth:
                assert "add_header" not in code, f"{template.name}: {line.strip()}"


@pytest.mark.requirement("MCP-R27")
def test_the_edge_reads_no_header_that_mirrors_the_body() -> None:
    everything = "".join(template.read_text(encoding="utf-8") for template in TEMPLATES.glob("*.conf"))
    assert "http_mcp_" not in everything


@pytest.mark.requirement("STACK-EDGE")
def test_forwarded_headers_are_overwritten_never_extended() -> None:
    proxy = (TEMPLATES / "proxy.conf").read_text(encoding="utf-8")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    assert 'proxy_set_header Forwarded "";' in proxy
    everything = "".join(template.read_text(encoding="utf-8") for template in TEMPLATES.glob("*.conf"))
    assert "proxy_add_x_forwarded_for" not in everything
