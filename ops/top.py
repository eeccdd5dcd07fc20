"""`secure-mcp top`: what the metrics say, live in the terminal, for people without Grafana."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ops.errors import unreachable

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
_PREFIX = "secure_mcp_"
_REDIS = {True: "up", False: "down", None: "none"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the metrics: when (monotonic seconds, and seconds since the epoch) and what."""

    at: float
    now: float
    series: Series

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the series of a metric that have these labels."""
        wanted = labels.items()
        wanted_name = _PREFIX + name
        return sum(
            value
            for (found, have), value in self.series.items()
            if found == wanted_name and wanted <= dict(have).items()
        )

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """Return the sums of a metric by the value of a label."""
        sums: dict[str, float] = {}
        for (found, have), value in self.series.items():
            present = dict(have)
            if found == _PREFIX + name and labels.items() <= present.items():
                sums[present[label]] = sums.get(present[label], 0) + value
        return sums


def look(url: str) -> Sample:
    """Ask the management port.

    Raises:
        OperatorError: nobody answers there, or it is no metrics.
    """
    try:
        answer = httpx.get(f"{url}/metrics", timeout=5, trust_env=False)
        answer.raise_for_status()
        families = list(text_string_to_metric_families(answer.text))
    except (httpx.HTTPError, ValueError) as error:
        raise unreachable(
            f"{url}/metrics does not answer: {type(error).__name__}.",
            "Bring the stack up: make up. Of a service that runs elsewhere name the port by --url.",
        ) from error
    series = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    return Sample(time.monotonic(), time.time(), series)


def summary(before: Sample, after: Sample) -> dict[str, object]:
    """Return what happened between two looks: rates a second, and the state now."""
    seconds = max(after.at - before.at, 0.001)

    def grown(name: str, **labels: str) -> float:
        return max(0.0, after.total(name, **labels) - before.total(name, **labels))

    def rates(name: str, label: str, **labels: str) -> dict[str, float]:
        then = before.by(name, label, **labels)
        changes = {key: value - then.get(key, 0) for key, value in after.by(name, label, **labels).items()}
        top = sorted(changes.items(), key=lambda item: -item[1])
        return {key: round(change / seconds, 2) for key, change in top if change > 0}

    answered = grown("http_request_duration_seconds_count")
    fetched = after.total("jwks_fetched_timestamp_seconds")
    return {
        "workers": int(after.total("workers")),
        "workers_ready": int(after.total("ready_workers")),
        "requests_a_second": round(answered / seconds, 2),
        "mean_ms": round(1000 * grown("http_request_duration_seconds_sum") / answered, 2) if answered else None,
        "cores": round(grown("worker_cpu_seconds_total") / seconds, 2),
        "memory_mb": round(after.total("worker_memory_bytes") / 2**20),
        "statuses": rates("http_requests_total", "status"),
        "refused": rates("access_decisions_total", "reason", decision="denied"),
        "tools": rates("access_decisions_total", "tool", decision="allowed"),
        "keys_age_seconds": round(after.now - fetched) if fetched else None,
        "revocations": int(after.total("revocations")),
        "redis": _REDIS[_state(after, "redis_up")],
        "lines_lost": int(after.total("log_lines_total", outcome="dropped")),
    }


def _state(sample: Sample, name: str) -> bool | None:
    values = [value for (found, _), value in sample.series.items() if found == _PREFIX + name]
    return values[0] == 1 if values else None


def rows(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return a summary as rows for people."""

    def words(value: object) -> str:
        if isinstance(value, dict):
            return ", ".join(f"{key} {rate:g}/s" for key, rate in list(value.items())[:6]) or "-"
        return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    return [(name.replace("_", " "), words(value)) for name, value in facts.items()]
