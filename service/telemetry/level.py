"""The log level, changed while the service runs: set through one worker, taken over by all within a second."""

import os
from pathlib import Path
from typing import Final

import structlog

from service.telemetry.events import Event
from service.telemetry.log import LEVELS, configure_log

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

log = structlog.get_logger(__name__)

_current = "info"


def current() -> str:
    """Return the level of this worker."""
    return _current


def begin(level: str) -> None:
    """Configure the log of this process with the level that the settings say."""
    global _current
    _current = level
    configure_log(level)


def change(level: str) -> None:
    """Set the level here, and for the other workers where they share a folder.

    Args:
        level: debug, info, warning or error.

    Raises:
        ValueError: it is none of these.
    """
    if level not in LEVELS:
        raise ValueError(level)
    if (shared := _shared()) is not None:
        fresh = shared.with_suffix(f".{os.getpid()}")
        fresh.write_text(level, encoding="ascii")
        fresh.replace(shared)
    _apply(level)


def take_over() -> None:
    """Apply the level that another worker was told."""
    shared = _shared()
    if shared is None:
        return
    try:
        level = shared.read_text(encoding="ascii")
    except OSError:
        return  # nobody has changed it yet
    if level in LEVELS:
        _apply(level)


def _apply(level: str) -> None:
    global _current
    if level != _current:
        before, _current = _current, level
        configure_log(level)
        log.warning(Event.LOG_LEVEL_CHANGED, before=before, after=level)


def _shared() -> Path | None:
    folder = os.environ.get(FOLDER)
    return Path(folder) / "log_level" if folder else None
