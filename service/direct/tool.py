"""What a tool's call needs, made once: FastMCP makes it anew for each call."""

import inspect
import json
from typing import Any, Final, NamedTuple

from fastmcp.tools import FunctionTool
from pydantic import BaseModel, TypeAdapter

from service.direct.attempt import Attempt

# What these become in an answer is known; others, such as FastMCP's own results, the ordinary way knows to read.
_PLAIN: Final = frozenset({str, int, float, bool, dict})
_LIBRARIES: Final = ("mcp", "fastmcp", "prefab")
_anything: Final = TypeAdapter[Any](Any)


class Result(NamedTuple):
    """A result in the two forms that MCP has for it: as text, and as JSON."""

    text: str
    value: Any


def is_wrapped(form: FunctionTool) -> bool:
    """Whether FastMCP puts the result under `result`, because MCP wants structured content to be an object."""
    return bool((form.output_schema or {}).get("x-fastmcp-wrap-result"))


def is_direct(form: FunctionTool) -> bool:
    """Whether a tool may be called the short way.

    Not so what takes something of FastMCP's (its `Context`, a dependency), has a time limit, repeats arguments in
    headers, or does not say what it returns.
    """
    shown = form.parameters.get("properties", {}).keys()
    return (
        inspect.signature(form.fn).parameters.keys() == shown
        and form.output_schema is not None
        and form.timeout is None
        and form.auth is None
        and "x-mcp-header" not in json.dumps(form.parameters)
    )


class DirectTool:
    """A tool that is called the short way.

    Args:
        form: FastMCP's form of it.
    """

    def __init__(self, form: FunctionTool) -> None:
        self.name = form.name
        self.wrapped = is_wrapped(form)
        function: Any = form.fn
        self._call = TypeAdapter[Any](function).validate_python
        self._dump = TypeAdapter[Any](form.return_type).dump_python

    async def run(self, arguments: dict[str, Any], attempt: Attempt) -> Result | None:
        """Call the tool; None where it is the ordinary way's to tell what came of it.

        Args:
            arguments: as they were sent.
            attempt: the current one.
        """
        try:
            returned = await self._call(arguments)
            if attempt.value is not returned or not _is_plain(returned):
                return None
            value = self._dump(returned, mode="json")
            if type(value) is str:
                return Result(value, value)
            if type(value) not in _PLAIN or not (self.wrapped or type(value) is dict):
                return None
            return Result(_anything.dump_json(value, fallback=str).decode(), value)
        except Exception:  # noqa: BLE001 - the ordinary way meets it again, and reports it
            return None


def _is_plain(value: object) -> bool:
    return type(value) in _PLAIN or (isinstance(value, BaseModel) and not type(value).__module__.startswith(_LIBRARIES))
