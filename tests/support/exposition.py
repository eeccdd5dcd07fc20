"""What a scrape says, as numbers."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(url: str) -> Series:
    """Return every series of an endpoint by name and labels."""
    answer = httpx.get(url, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(series: Series, name: str, **labels: str) -> float:
    """Return the sum of the series with this name that have these labels."""
    return sum(
        value for (found, have), value in series.items() if found == name and labels.items() <= dict(have).items()
    )
