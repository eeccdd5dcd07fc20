"""The service with more tools than it has: `gunicorn 'tests.benchmarks.calls.many_tools:create_app()'`, BENCH_TOOLS."""

import os
from dataclasses import replace
from typing import Any

import service.app
from service.contract import Contract
from service.tools.registry import ToolRegistry, discover


def _discover(contract: Contract) -> ToolRegistry:
    tools = list(discover(contract).values())
    echo = next(tool for tool in tools if tool.name == "echo")
    more = range(len(tools), int(os.environ["BENCH_TOOLS"]))
    return ToolRegistry([*tools, *(replace(echo, name=f"echo_{number}") for number in more)], contract)


def create_app() -> Any:
    """Return the service with BENCH_TOOLS tools in all."""
    service.app.discover = _discover  # type: ignore[attr-defined]
    return service.app.create_app()
