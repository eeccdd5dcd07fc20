"""What calls count by plain numbers is in the metrics what the metrics' own library would have made of it."""

import pytest
from prometheus_client import CollectorRegistry, Histogram

from service.auth.scopes import Demand
from service.telemetry import counts
from service.telemetry.counts import note_decision, publish_counts
from service.telemetry.events import Event
from service.telemetry.log import request_answered
from service.telemetry.metrics import BUCKETS, REGISTRY

ASKED = ("", "", "other", "")
SECONDS = (0.0, 0.0005, 0.001, 0.0011, 0.3, 0.5, 30.0, 31.0, 1e6)


def decided(event: Event, reason: str, demand: Demand | None) -> counts.Decided:
    return None, 0, event, ASKED, "PUT", reason, None, None, demand, None


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"secure_mcp_{name}", labels) or 0.0


@pytest.mark.requirement("METRICS")
def test_many_answers_published_together_are_the_same_as_each_observed() -> None:
    publish_counts()
    expected = Histogram("expected", "x", ("entrance", "tool"), buckets=BUCKETS, registry=CollectorRegistry())
    for seconds in SECONDS:
        request_answered((None, 0, ASKED, "PUT", "/", 299, seconds, "counted"), line=False)
        expected.labels("other", "counted").observe(seconds)
    assert value("http_requests_total", method="PUT", entrance="other", status="299") == 0
    publish_counts()
    publish_counts()  # nothing is published twice
    assert value("http_requests_total", method="PUT", entrance="other", status="299") == len(SECONDS)
    samples = next(iter(expected.collect())).samples
    for sample in samples:
        name = sample.name.removeprefix("expected")
        if name != "_created":
            assert value(f"http_request_duration_seconds{name}", **sample.labels) == pytest.approx(sample.value), sample
    assert len(samples) > len(BUCKETS)


@pytest.mark.requirement("METRICS")
def test_decisions_add_up_over_several_publications() -> None:
    for times in (1, 3):
        for _ in range(times):
            note_decision(decided(Event.ACCESS_DENIED, "batch", None))
        publish_counts()
    note_decision(decided(Event.ACCESS_DENIED, "batch", None))
    assert value("access_decisions_total", decision="denied", reason="batch", tool="none") == 4
    publish_counts()
    assert value("access_decisions_total", decision="denied", reason="batch", tool="none") == 5


@pytest.mark.requirement("METRICS")
def test_a_reason_that_nobody_knows_adds_no_series() -> None:
    note_decision(decided(Event.ACCESS_ALLOWED, "never heard of it", Demand((), "echo")))
    publish_counts()
    assert value("access_decisions_total", decision="allowed", reason="other", tool="echo") == 1
    assert (
        REGISTRY.get_sample_value(
            "secure_mcp_access_decisions_total", {"decision": "allowed", "reason": "never heard of it", "tool": "echo"}
        )
        is None
    )


@pytest.mark.requirement("METRICS")
def test_notes_of_calls_do_not_pile_up_while_nobody_publishes() -> None:
    """There are fewer than `MAX_NOTES` at any time, and each is counted once."""
    publish_counts()
    before = value("http_requests_total", method="PUT", entrance="other", status="298")
    for _ in range(7 * counts.MAX_NOTES // 2):
        note_decision(decided(Event.ACCESS_DENIED, "batch", None))
        request_answered((None, 0, ASKED, "PUT", "/", 298, 0.1, "counted"), line=False)
        assert len(counts.noted_answers) < counts.MAX_NOTES
        assert len(counts._noted_decisions) < counts.MAX_NOTES
    publish_counts()
    after = value("http_requests_total", method="PUT", entrance="other", status="298")
    assert after - before == 7 * counts.MAX_NOTES // 2
