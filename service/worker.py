"""The worker class of gunicorn: uvicorn on uvloop and httptools, without its own access log and server header."""

import logging
import sys
from typing import Any, ClassVar

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from service.draining import DrainingProtocol, DrainingServer


class Worker(UvicornWorker):  # type: ignore[misc]
    """A uvicorn worker whose log lines go through ours, and which loses no call when it ends."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "uvloop",
        "http": DrainingProtocol,
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

    async def _serve(self) -> None:
        """As in the base class, which knows no other server than uvicorn's own."""
        self.config.app = self.wsgi
        server = DrainingServer(config=self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
