"""The worker class of gunicorn: uvicorn on uvloop and httptools, without its own access log and server header."""

import logging
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]


class Worker(UvicornWorker):  # type: ignore[misc]
    """A uvicorn worker whose log lines go through ours."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": "httptools",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
        "ws": "none",
        # Requests under way have this long (seconds) after SIGTERM.
        "timeout_graceful_shutdown": 25,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).handlers = []
            logging.getLogger(name).propagate = name == "uvicorn.error"
