"""Alerts and dashboards as code: promtool accepts them, each alert fires and does not, each has its page."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "terraform" / "docker" / "observability"
RULES = FOLDER / "alerts.yml"
CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))

pytestmark = pytest.mark.requirement("ALERTS")


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed; install Debian's package prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def expected(name: str, labels: dict[str, str]) -> dict[str, Any]:
    rule = ALERTS[name]
    texts = {
        key: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
        for key, text in rule["annotations"].items()
    }
    return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": texts}


def test_every_alert_has_a_case_and_a_page() -> None:
    assert CASES.keys() == ALERTS.keys()
    for name, rule in ALERTS.items():
        page = REPOSITORY / rule["annotations"]["runbook"]
        assert page.name == f"{name}.md"
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {name}\n")
        for heading in ("## What it means", "## Look", "## Do"):
            assert heading in text, (name, heading)
    pages = {page.stem for page in (REPOSITORY / "docs" / "runbooks").glob("*.md")} - {"README", "audit-trail"}
    assert pages == ALERTS.keys()


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def rendered(name: str, **holes: str) -> str:
    """Return a template of the folder as Terraform would fill it."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(holes)
    return re.sub(r"\$\{(\w+)\}", lambda hole: holes[hole[1]], text)


def test_prometheus_and_alertmanager_accept_their_configuration(tmp_path: Path) -> None:
    hosts = {name: f"{name}:1" for name in ("alertmanager", "keycloak", "postgres", "redis", "service")}
    hosts["nginx"] = '["nginx:1"]'
    prometheus = tmp_path / "prometheus.yml"
    prometheus.write_text(rendered("prometheus.yml", interval="15s", nodes='["h:9100"]', rules=str(RULES), **hosts))
    done = promtool("check", "config", str(prometheus))
    assert done.returncode == 0, done.stdout + done.stderr
    if shutil.which("amtool") is None:
        pytest.skip("amtool is not installed; install Debian's package prometheus-alertmanager")
    for webhooks in ("[]", '[{"url": "http://h/"}]'):
        manager = tmp_path / "alertmanager.yml"
        manager.write_text(rendered("alertmanager.yml", webhooks=webhooks))
        done = subprocess.run(["amtool", "check-config", str(manager)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_the_alert_fires_and_does_not(name: str, tmp_path: Path) -> None:
    tests = []
    for kind in ("fires", "quiet"):
        case = CASES[name][kind]
        alerts = [expected(name, case.get("labels", {}))] if kind == "fires" else []
        tests.append(
            {
                "name": f"{name} {kind}",
                "interval": "1m",
                "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
                "alert_rule_test": [{"eval_time": case["at"], "alertname": name, "exp_alerts": alerts}],
            }
        )
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    done = promtool("test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def known_metrics() -> set[str]:
    """Return the names of our own metrics, with what Prometheus makes of histograms."""
    from prometheus_client.metrics import MetricWrapperBase

    from ops.operator_metrics import NAMES
    from service.telemetry import metrics

    names = set(NAMES)
    for found in vars(metrics).values():
        if isinstance(found, MetricWrapperBase):
            (family,) = found.describe()
            ends = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
            names |= {family.name + end for end in ends}
    return names


def expressions() -> dict[str, str]:
    found = {name: rule["expr"] for name, rule in ALERTS.items()}
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for number, target in enumerate(panel.get("targets", ())):
                found[f"{path.stem}: {panel['title']} {number}"] = target["expr"]
    return found


def test_every_metric_that_is_asked_for_exists() -> None:
    known = known_metrics()
    for where, expression in expressions().items():
        asked = set(re.findall(r"\bsecure_mcp_\w+", expression))
        assert asked <= known, (where, asked - known)


def known_labels() -> dict[str, set[str]]:
    """Return the labels of our own metrics, with those that Prometheus adds."""
    from prometheus_client.metrics import MetricWrapperBase

    from service.telemetry import metrics

    return {
        next(iter(found.describe())).name: {*found._labelnames, "job", "instance", "le"}
        for found in vars(metrics).values()
        if isinstance(found, MetricWrapperBase)
    }


def test_every_label_that_is_asked_for_exists() -> None:
    """An expression with a label that a metric does not have is valid, and silent for ever."""
    known, asked = known_labels(), 0
    for where, expression in expressions().items():
        for name, selector in re.findall(r"\bsecure_mcp_(\w+)\{([^}]*)\}", expression):
            metric = re.sub("_(total|bucket|count|sum)$", "", f"secure_mcp_{name}")
            labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            assert not labels - known.get(metric, labels), (where, name, labels)
            asked += metric in known
        metrics = {
            re.sub("_(total|bucket|count|sum)$", "", found)
            for found in re.findall(r"\b\w+_\w+\b(?=[\[{)])", expression)
        }
        grouped = set(re.findall(r"\w+", " ".join(re.findall(r"\bby\s*\(([^)]*)\)", expression))))
        if metrics and metrics <= known.keys():
            assert all(grouped <= known[metric] for metric in metrics), (where, grouped)
            asked += bool(grouped)
    assert asked > 15


def test_dashboards_are_whole_and_prometheus_can_read_every_expression(tmp_path: Path) -> None:
    assert [path.stem for path in DASHBOARDS] == ["edge", "keycloak", "security", "service", "stores"]
    uids = set()
    for path in DASHBOARDS:
        board = json.loads(path.read_text(encoding="utf-8"))
        uids.add(board["uid"])
        assert board["schemaVersion"] >= 39
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids)) >= 4
        for panel in board["panels"]:
            assert {"title", "type", "gridPos", "datasource", "targets"} <= panel.keys(), (
                path.name,
                panel.get("title"),
            )
            assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
            position = panel["gridPos"]
            assert 0 <= position["x"] < position["x"] + position["w"] <= 24
    assert len(uids) == len(DASHBOARDS)
    rules = [
        {"record": f"r:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions().values())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
