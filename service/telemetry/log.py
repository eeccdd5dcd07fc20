"""The log: one JSON object a line on stdout, from our code and from libraries alike. It never waits (outlet.py)."""

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, Processor

from service.telemetry.clock import time_text
from service.telemetry.counts import MAX_NOTES, Answered, add_up, noted_answers
from service.telemetry.events import Event
from service.telemetry.stdout import STDOUT

MAX_TEXT: Final = 2000
MAX_FRAMES: Final = 12
MAX_KNOWN_PATH: Final = 200
# Milliseconds, looked up in less time than they are formatted.
_TENTHS: Final = tuple(f"{tenths / 10:.1f}" for tenths in range(1000))
_FIRST_KEYS: Final = ("time", "level", "event", "request_id")
_EVENTS: Final = frozenset(Event)
_wants_requests = False
_REQUEST: Final = f'", "level": "info", "event": "{Event.REQUEST.value}", "request_id": "'
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# A JWS, a bearer token after its scheme, a token in a query: none may reach a log through a library's message.
_SECRETS: Final = re.compile(r"(?i)eyJ[\w-]*\.[\w-]+(?:\.[\w-]*)?|(?<=bearer )\S+|(?<=[?&]access_token=)[^\s&\"']+")
# These repeat what our own lines say, or say it once for each request.
_QUIET: Final = ("httpx", "httpcore", "mcp", "fastmcp", "uvicorn.access", "asyncio")


def redact(text: str) -> str:
    """Return the text without anything that looks like a token, and at most 2000 characters of it."""
    return _SECRETS.sub("[redacted]", text)[:MAX_TEXT]


def request_answered(said: Answered, line: bool) -> None:
    """Count an answer and write its line, without the detour over structlog: what is done for each has to be cheap.

    Args:
        said: what count and line are made of.
        line: or only count it.
    """
    noted_answers.append(said)
    if len(noted_answers) >= MAX_NOTES:
        add_up()
    if line and _wants_requests:
        STDOUT.put(said)


def request_line(said: Answered) -> str:
    """Return the line of one request; its ids need no escape."""
    _, at, (request_id, trace_id, _, address), method, path, status, seconds, _ = said
    answered, caller = _answered_and_caller(method, path, status, address)
    tenths = round(seconds * 10_000)
    took = _TENTHS[tenths] if tenths < len(_TENTHS) else f"{tenths / 10:.1f}"
    return f'{{"time": "{time_text(at)}{_REQUEST}{request_id}{answered}{took}{caller}{trace_id}"}}'


@lru_cache(1024)
def _answered_and_caller(method: str, path: str, status: int, address: str) -> tuple[str, str]:
    """Return what many lines have in common, between their ids and the milliseconds."""
    answered = f'", "method": {_as_json(method[:32])}, "path": {_as_json(path)}, "status": {status}, "ms": '
    return answered, f', "address": {_as_json(address)}, "trace_id": "'


def _as_json(text: str) -> str:
    """Return text from outside as a JSON string: without tokens, and in ASCII."""
    return encode_basestring_ascii(redact(text))


ids: Final[ContextVar[tuple[str, ...]]] = ContextVar("secure_mcp_ids", default=("", ""))
"""Request id and trace id of the request that is being answered, and more; these two are on each of its lines."""


def _with_ids(_logger: object, _method: str, event: EventDict) -> EventDict:
    request_id, trace_id, *_ = ids.get()
    return {"request_id": request_id, "trace_id": trace_id, **event} if request_id else event


class _Lines:
    """Where structlog puts a finished line: into the queue, so that no caller waits for standard output."""

    def msg(self, line: str) -> None:
        STDOUT.put(line)

    debug = info = warning = error = exception = critical = fatal = log = msg


class _Handler(logging.Handler):
    """The same for libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        STDOUT.put(self.format(record))


def _redact_values(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put what every line has first, and take tokens out of texts."""
    line = {key: event.pop(key) for key in _FIRST_KEYS if key in event} | dict(event)
    return {key: redact(value) if isinstance(value, str) else value for key, value in line.items()}


def _as_library_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put the free text of a library under `message`, so that `event` stays a closed list."""
    event["message"] = event["event"]
    event["event"] = Event.LIBRARY.value
    return event


def _closed_list(_logger: object, _method: str, event: EventDict) -> EventDict:
    if event["event"] in _EVENTS:
        event["event"] = str(event["event"])
        return event
    return _as_library_line(_logger, _method, event)


def _where(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Say which exception was raised where, without its text, which may repeat what a caller sent."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
    if info and error is not None:
        event["exception"] = f"{type(error).__module__}.{type(error).__qualname__}"
        event["frames"] = _frames(error.__traceback__)
        if cause := error.__cause__ or error.__context__:
            event["cause"] = f"{type(cause).__module__}.{type(cause).__qualname__}"
            event["cause_frames"] = _frames(cause.__traceback__)
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-MAX_FRAMES:]
    return [f"{'/'.join(frame.filename.rsplit('/', 2)[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def configure_log(level: str = "info") -> None:
    """Send every log line of this process to stdout as JSON (UTC time, level, event, request_id).

    Args:
        level: debug, info, warning or error.
    """
    first: list[Processor] = [
        _with_ids,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    last: list[Processor] = [
        _where,
        _redact_values,
        # JSON escapes control characters and, by ensure_ascii, everything that could disturb a terminal.
        structlog.processors.JSONRenderer(ensure_ascii=True),
    ]
    structlog.configure(
        processors=[*first, _closed_list, *last],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler()
    remove: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
            processors=[remove, _as_library_line, *last],
        )
    )
    logging.captureWarnings(True)
    global _wants_requests
    _wants_requests = LEVELS[level] <= logging.INFO
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(LEVELS[level])
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"uvicorn", "gunicorn", "fastmcp", "mcp"}:
            logging.getLogger(name).handlers = []
            logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(LEVELS[level], logging.ERROR if name == "asyncio" else logging.WARNING))
