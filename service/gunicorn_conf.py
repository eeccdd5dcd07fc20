"""Settings of gunicorn: ``gunicorn -c service/gunicorn_conf.py 'service.app:create_app()'``.

Wrong settings end the process here, before a worker is forked.
"""

import gc
import os
import shutil
import tempfile
from typing import Any

from service.settings import load_settings
from service.startup import or_exit

# What is loaded stays: to look through it for garbage again and again while it grows is a fifth of the start.
gc.disable()

_settings = or_exit(load_settings)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


bind = [_address(_settings.host, _settings.port)]
if _settings.management_port:
    bind.append(_address(_settings.management_host, _settings.management_port))
    # Workers put their metrics here, each in files of its own. Named before the application is loaded.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="secure-mcp-metrics-")
workers = _settings.workers
worker_class = "service.worker.Worker"
# The application is loaded once and shared by the workers; a wrong contract or tool ends the start.
preload_app = True
# A worker that does not beat for this long (seconds) is replaced.
timeout = 30
# After SIGTERM: longer than the worker's own 25 s for requests under way.
graceful_timeout = 30
# Longer than the 60 s for which Nginx keeps idle connections, or it would write into one that is being closed.
keepalive = 75
# uvicorn takes the caller's address from X-Forwarded-For when the connection comes from one of these.
forwarded_allow_ips = ",".join(_settings.trusted_proxies)
proc_name = "secure-mcp"
accesslog = None
# One socket in the home directory for all instances, and none is needed.
control_socket_disable = True
loglevel = _settings.log_level


def post_worker_init(_worker: object) -> None:
    """Collect seldom from here on; pauses shrink from about 100 ms to 30 ms."""
    gc.set_threshold(20_000, 50, 1_000)
    _keep_what_is_loaded()


def when_ready(_server: object) -> None:
    """Before the first worker is forked: what was loaded stays shared, for no collection of a worker touches it.

    Takes back what loading published as well: the master process is no worker.
    """
    _keep_what_is_loaded()
    _forget(os.getpid())


def on_reload(_server: object) -> None:
    """After SIGHUP this file was read anew, and so was the application: as `when_ready`."""
    _keep_what_is_loaded()


def child_exit(_server: object, worker: Any) -> None:
    """Take back the gauges of a worker that ended; its counters stay in the sums."""
    _forget(worker.pid)


def on_exit(_server: object) -> None:
    """Leave nothing behind."""
    if folder := os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None):
        shutil.rmtree(folder, ignore_errors=True)


def _keep_what_is_loaded() -> None:
    """Keep what was loaded out of every later collection; to look for garbage first takes 0.1 s and finds 1 % of it."""
    gc.freeze()
    gc.enable()


def _forget(pid: int) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
