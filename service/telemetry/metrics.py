"""What is counted and measured, for Prometheus. Every label has few values, whatever callers write.

Under gunicorn each worker writes into a file of its own in the folder PROMETHEUS_MULTIPROC_DIR, which gunicorn_conf.py
names before this module is imported; a scrape adds the files up. What every call counts goes through counts.py.
"""

from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()
_PREFIX: Final = "secure_mcp_"
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(_PREFIX + name, text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, mode: Any, *labels: str) -> Gauge:
    return Gauge(_PREFIX + name, text, labels, registry=REGISTRY, multiprocess_mode=mode)


REQUESTS: Final = _counter("http_requests", "Requests answered.", "method", "entrance", "status")
DURATION: Final = Histogram(
    f"{_PREFIX}http_request_duration_seconds",
    "Time from the request's head to the end of its answer.",
    ("entrance", "tool"),
    buckets=BUCKETS,
    registry=REGISTRY,
)
DECISIONS: Final = _counter("access_decisions", "Requests allowed and refused.", "decision", "reason", "tool")
TOKEN_CACHE: Final = _counter("token_validations", "Tokens judged, from memory (hit) or anew (miss).", "cache")
JWKS_FETCHES: Final = _counter("jwks_fetches", "Fetches of the authorization server's keys.", "outcome")
JWKS_DROPPED: Final = _counter("jwks_dropped_keys", "Keys of the authorization server that cannot be used.")
LOG_LINES: Final = _counter("log_lines", "Lines of log and audit trail, written and dropped.", "sink", "outcome")
CPU: Final = _counter("worker_cpu_seconds", "CPU time of the workers.")

BUILD: Final = _gauge("build_info", "What runs here; the value is 1.", "livemax", "version", "environment")
WORKERS: Final = _gauge("workers", "Workers that run.", "livesum")
MEMORY: Final = _gauge(
    "worker_memory_bytes", "Resident memory of the workers; what they share counts in each.", "livesum"
)
LAG: Final = _gauge("event_loop_lag_seconds", "How late the slowest event loop was in the last second.", "livemax")
READY: Final = _gauge("ready_workers", "Workers that have keys to judge tokens with.", "livesum")
JWKS_FETCHED: Final = _gauge(
    "jwks_fetched_timestamp_seconds", "When the worker with the oldest keys fetched them; 0 is never.", "livemin"
)
JWKS_KEYS: Final = _gauge("jwks_keys", "Usable keys in the worker that has the fewest.", "livemin")
REVOKED: Final = _gauge("revocations", "Sessions and people whose tokens are refused before they expire.", "livemax")
# With a label, so that there is no series, and no alarm, where no Redis is configured: one without begins with 0.
REDIS_UP: Final = _gauge("redis_up", "1 while every worker reaches Redis, else 0.", "livemin", "use")
