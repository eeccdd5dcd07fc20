"""`secure-mcp top`: rates between two looks."""

from ops.top import Sample, rows, summary


def sample(at: float, **values: float) -> Sample:
    series = {("secure_mcp_workers", frozenset[tuple[str, str]]()): 2.0}
    for name, value in values.items():
        status = frozenset({("status", name.removeprefix("s")), ("method", "POST")})
        series[("secure_mcp_http_requests_total", status)] = value
        series[("secure_mcp_http_request_duration_seconds_count", status)] = value
        series[("secure_mcp_http_request_duration_seconds_sum", status)] = value / 100
        denied = frozenset({("decision", "denied"), ("reason", f"r{name}")})
        series[("secure_mcp_access_decisions_total", denied)] = value
    return Sample(at, 1000.0 + at, series)


def test_rates_are_those_of_the_interval() -> None:
    facts = summary(sample(0, s200=100, s401=5), sample(10, s200=300, s401=10, s503=1))
    assert facts["requests_a_second"] == 20.6
    assert facts["mean_ms"] == 10.0
    assert facts["statuses"] == {"200": 20.0, "401": 0.5, "503": 0.1}
    assert facts["refused"] == {"rs200": 20.0, "rs401": 0.5, "rs503": 0.1}
    assert (facts["workers"], facts["redis"], facts["keys_age_seconds"]) == (2, "none", None)
    assert ("statuses", "200 20/s, 401 0.5/s, 503 0.1/s") in rows(facts)


def test_nothing_happened_and_a_restart_are_no_fault() -> None:
    assert summary(sample(0, s200=100), sample(0, s200=100))["mean_ms"] is None
    assert summary(sample(0, s200=100), sample(5, s200=1))["requests_a_second"] == 0
    assert ("mean ms", "-") in rows(summary(sample(0), sample(5)))
