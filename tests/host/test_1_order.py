"""The order in which the playbook is tried: dry run on the untouched machine, converge, once more, a mistake."""

import shutil
from pathlib import Path

import pytest

from ops.environment import REPOSITORY
from tests.host.conftest import Converged
from tests.host.machine import Machine
from tests.host.playbook import Playbook, Played


@pytest.mark.requirement("HOST-CONVERGES")
def test_a_dry_run_works_on_a_bare_machine_and_touches_nothing(machine: Machine, dry_run: Played) -> None:
    assert dry_run.code == 0, dry_run.output[-4000:]
    assert dry_run.changed > 10
    assert machine.run("bash", "-c", "command -v nft nginx dockerd certbot").stdout == ""
    assert machine.run("ls", "/etc/secure-mcp").returncode != 0


@pytest.mark.requirement("HOST-CONVERGES")
def test_it_converges_and_no_unit_fails(converged: Converged) -> None:
    assert converged.first.changed > 20
    assert converged.machine.failed_units() == ""


@pytest.mark.requirement("HOST-CONVERGES")
def test_a_second_run_changes_nothing(converged: Converged) -> None:
    again = converged.playbook.converge()
    assert (again.changed, again.changes()) == (0, [])


@pytest.mark.requirement("HOST-TEMPLATES")
def test_a_broken_template_is_named_with_its_line_and_reaches_nothing(converged: Converged, tmp_path: Path) -> None:
    broken = tmp_path / "nginx"
    shutil.copytree(REPOSITORY / "nginx", broken)
    text = (broken / "mcp.conf").read_text(encoding="utf-8")
    line = text[: text.index("proxy_buffering off;")].count("\n") + 1
    (broken / "mcp.conf").write_text(text.replace("proxy_buffering off;", "proxy_bufering off;"), encoding="utf-8")
    before = converged.machine.shell("cat /etc/nginx/nginx.conf /etc/nginx/secure-mcp/*; pgrep -f 'nginx: worker'")
    played = converged.playbook.run("--tags=nginx", values={"nginx_templates": str(broken)})
    assert played.code != 0
    assert f'unknown directive "proxy_bufering" in /etc/nginx/secure-mcp-staged/secure-mcp/mcp.conf:{line}' in " ".join(
        played.output.split()
    )
    after = converged.machine.shell("cat /etc/nginx/nginx.conf /etc/nginx/secure-mcp/*; pgrep -f 'nginx: worker'")
    assert after == before
    assert converged.machine.run("nginx", "-t").returncode == 0


@pytest.mark.requirement("HOST-REFUSES")
@pytest.mark.parametrize(
    ("role", "values", "words"),
    [
        ("base", {"base_admin_users": []}, "Name at least one person in base_admin_users, each with a public key."),
        ("nginx", {"auth_host": "mcp.host.test"}, "Give Keycloak one of its own (auth_host)."),
        ("certificates", {"certificates_method": "magic"}, "value of certificates_method must be one of"),
    ],
)
def test_wrong_values_are_refused_with_the_remedy(
    playbook: Playbook, role: str, values: dict[str, object], words: str
) -> None:
    played = playbook.run("--check", f"--tags={role}", values=values)
    assert played.code != 0
    assert words in " ".join(played.output.split())
