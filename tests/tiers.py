"""pytest plugin: a directory of tests is a tier; a tier that this machine cannot carry is skipped with its reason.

`SECURE_MCP_REQUIRE=unit,realm` turns a skip in the tiers that it names into a failure. The run ends with a table.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.availability import AVAILABILITY

TESTS = Path(__file__).resolve().parent
REQUIRE = "SECURE_MCP_REQUIRE"

# In the order in which they run: the quick ones first.
TIERS: dict[str, tuple[str, ...]] = {
    "unit": ("unit",),
    "security": ("security",),
    "realm": ("realm", "protocol", "edge", "docs"),
    "terraform-keycloak": ("terraform/keycloak",),
    "terraform-docker": ("terraform/docker",),
    "stack": ("stack",),
    "host": ("host",),
    "browser": ("browser",),
    "faults-quick": ("faults_quick",),
    "faults": ("faults",),
    "swarm": ("swarm",),
    "long": ("long",),
}


def tier_of(path: Path) -> str:
    """Return the tier of a test file by the directory it stands in.

    Raises:
        pytest.UsageError: the directory belongs to no tier.
    """
    for tier, directories in TIERS.items():
        if any(path.is_relative_to(TESTS / directory) for directory in directories):
            return tier
    known = ", ".join(sorted(directory for directories in TIERS.values() for directory in directories))
    raise pytest.UsageError(f"{path} belongs to no tier; move it into one of tests/{{{known}}}")


def required_tiers(value: str) -> frozenset[str]:
    """Read the list of tiers in which a skip is a failure.

    Args:
        value: names joined by commas; empty means none.

    Raises:
        pytest.UsageError: a name is no tier.
    """
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    if unknown := sorted(names - TIERS.keys()):
        raise pytest.UsageError(f"{REQUIRE} names no tier: {', '.join(unknown)}; write some of: {', '.join(TIERS)}")
    return names


class TierPlugin:
    """Skips, orders, counts and reports by tier."""

    def __init__(self, required: frozenset[str]) -> None:
        self.required = required
        self.unavailable: dict[str, str] = {}
        self.counts: dict[str, Counter[str]] = {tier: Counter() for tier in TIERS}
        self.seconds: Counter[str] = Counter()
        self.selected: Counter[str] = Counter()
        self.running: str | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        order = list(TIERS)
        items.sort(key=lambda item: order.index(tier_of(item.path)))
        self.selected.update(tier_of(item.path) for item in items)
        if config.option.collectonly:
            return
        for tier in self.selected:
            self._say(config, f"tier {tier}: looking at what it needs")
            if reason := AVAILABILITY[tier]():
                self.unavailable[tier] = reason
        for item in items:
            if reason := self.unavailable.get(tier_of(item.path)):
                item.add_marker(pytest.mark.skip(reason=reason), append=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        tier = tier_of(item.path)
        if tier != self.running:
            self.running = tier
            self._say(item.config, f"tier {tier}: {_tests(self.selected[tier])}{self._why_skipped(tier)}")
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            self._refuse_skip(report, tier_of(item.path))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        report = yield
        if not report.passed and isinstance(collector, pytest.Module):
            tier = tier_of(collector.path)
            if report.skipped:
                self._refuse_skip(report, tier)
            self.counts[tier]["failed" if report.failed else "skipped"] += 1
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tier = tier_of(TESTS.parent / report.nodeid.split("::", 1)[0])
        self.seconds[tier] += report.duration
        if report.failed:
            self.counts[tier]["failed"] += 1
        elif report.skipped:
            self.counts[tier]["skipped"] += 1
        elif report.when == "call":
            self.counts[tier]["passed"] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._broken_promises() and not session.config.option.collectonly:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if terminalreporter.config.option.collectonly:
            return
        terminalreporter.section("tiers")
        widths = "{:<19}{:>7}{:>8}{:>9}{:>9}  {}"
        terminalreporter.write_line(widths.format("tier", "passed", "failed", "skipped", "seconds", "reason").rstrip())
        for tier in TIERS:
            count = self.counts[tier]
            numbers = (count["passed"], count["failed"], count["skipped"], f"{self.seconds[tier]:.1f}")
            terminalreporter.write_line(widths.format(tier, *numbers, self._reason(tier)).rstrip())
        for line in self._broken_promises():
            terminalreporter.write_line(f"FAILED {line}", red=True)

    def _broken_promises(self) -> list[str]:
        """Say which required tiers did not run at all."""
        reasons = {tier: self._reason(tier) for tier in TIERS if tier in self.required}
        return [f"{REQUIRE} asks for tier {tier}: {reason}" for tier, reason in reasons.items() if reason]

    def _reason(self, tier: str) -> str:
        if tier in self.unavailable:
            return self.unavailable[tier]
        if self.selected[tier] or self.counts[tier]:
            return ""
        return "not selected" if any(_test_files(tier)) else "no tests yet"

    def _why_skipped(self, tier: str) -> str:
        return f", skipped: {self.unavailable[tier]}" if tier in self.unavailable else ""

    def _refuse_skip(self, report: pytest.TestReport | pytest.CollectReport, tier: str) -> None:
        """Make a skip in a required tier a failure; a tier that cannot run at all is one line at the end instead."""
        if tier in self.required and tier not in self.unavailable:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome = "failed"
            report.longrepr = f"{REQUIRE} names tier {tier}, so this skip is a failure: {reason}"

    def _say(self, config: pytest.Config, text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and reporter.verbosity >= 0:
            reporter.ensure_newline()
            reporter.write_line(text)
            reporter.flush()


def _tests(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"


def _test_files(tier: str) -> Iterator[Path]:
    for directory in TIERS[tier]:
        yield from (TESTS / directory).rglob("test_*.py")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin; a wrong SECURE_MCP_REQUIRE ends the run here."""
    config.pluginmanager.register(TierPlugin(required_tiers(os.environ.get(REQUIRE, ""))), "secure-mcp-tiers")
