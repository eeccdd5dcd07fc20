"""How a function in this folder becomes a tool: the decorator, and the list of all tools.

    @tool(scopes=("mcp:read",), title="Echo", example={"text": "hello"})
    async def echo(text: Annotated[str, Field(description="What to say back.")]) -> str:
        \"""Return the text.\"""

Nothing else is to be wired: the guard, tools/list, the REST view and OpenAPI all read the registry.
"""

import importlib
import inspect
import logging
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, TypeVar

from fastmcp.exceptions import ToolError

import service.tools
from service.contract import Contract

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MARK: Final = "__secure_mcp_tool__"


class ToolFailure(ToolError):
    """Raised by a tool that has no result for these arguments; the caller is shown the text.

    Args:
        text: what is wrong and what to change, without repeating an argument.
    """

    def __init__(self, text: str) -> None:
        # An answer to the caller, no fault of the service: FastMCP need not report it.
        super().__init__(text, log_level=logging.DEBUG)


class ToolDeclarationError(Exception):
    """A tool is declared wrongly; the text says which, where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its author declared it.

    `scopes` are all needed for a call. `example` is a set of arguments that works, shown in OpenAPI. Without one of the
    settings `needs` there is no such tool.
    """

    name: str
    title: str
    description: str
    scopes: tuple[str, ...]
    function: Callable[..., Awaitable[Any]]
    example: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = True
    needs: tuple[str, ...] = ()


def tool(
    *,
    scopes: Sequence[str],
    title: str = "",
    example: Mapping[str, Any] | None = None,
    read_only: bool = True,
    needs: Sequence[str] = (),
) -> Callable[[Function], Function]:
    """Declare an async function a tool; its name and docstring become the tool's name and description.

    Args:
        scopes: scopes of access.yaml, at least one; a caller needs them all.
        title: name for people; without one the function's name.
        example: arguments that work.
        read_only: whether a call changes nothing (MCP `readOnlyHint`).
        needs: fields of `Settings`; where one is not set, the service has no such tool.

    Raises:
        ToolDeclarationError: the function is not async, has no docstring, or names no scope.
    """

    def declare(function: Function) -> Function:
        name = str(getattr(function, "__name__", ""))
        where = f"service/tools, tool {name}"
        description = inspect.getdoc(function)
        if not _is_async(function):
            raise ToolDeclarationError(f"{where}: is not async; write `async def {name}`")
        if not _NAME.fullmatch(name):
            raise ToolDeclarationError(f"{where}: has an unusable name; write up to 64 of a-z, 0-9 and _")
        if not description:
            raise ToolDeclarationError(f"{where}: has no docstring; say what it does, for people and models")
        if not scopes or isinstance(scopes, str):
            raise ToolDeclarationError(f'{where}: names no scope; write scopes=("mcp:read",)')
        declared = Tool(
            name,
            title or name.capitalize(),
            description,
            tuple(scopes),
            function,
            dict(example or {}),
            read_only,
            tuple(needs),
        )
        setattr(function, _MARK, declared)
        return function

    return declare


def _is_async(function: object) -> bool:
    return inspect.iscoroutinefunction(function)


class ToolRegistry(Mapping[str, Tool]):
    """All tools by name.

    Args:
        tools: the tools.
        contract: must know each scope that a tool names.

    Raises:
        ToolDeclarationError: two tools have one name, or the contract does not know a scope.
    """

    def __init__(self, tools: Sequence[Tool], contract: Contract) -> None:
        self._tools: dict[str, Tool] = {}
        self._contract = contract
        problems = []
        for entry in tools:
            if entry.name in self._tools:
                problems.append(f"service/tools, tool {entry.name}: is declared twice; rename one")
            self._tools[entry.name] = entry
            problems += [
                f"service/tools, tool {entry.name}: the access contract does not know scope {scope}; "
                f"add it to access.yaml or write one of: {', '.join(contract.scopes)}"
                for scope in entry.scopes
                if scope not in contract.scopes
            ]
        if problems:
            raise ToolDeclarationError("\n".join(problems))

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def configured(self, settings: object) -> "ToolRegistry":
        """Return the registry without the tools whose settings are not set."""
        kept = [entry for entry in self._tools.values() if all(getattr(settings, name) for name in entry.needs)]
        return ToolRegistry(kept, self._contract)

    def callable_with(self, scopes: frozenset[str]) -> list[Tool]:
        """Return the tools that a caller who holds these scopes may call.

        Args:
            scopes: granted scopes with all that they imply.
        """
        return [entry for entry in self._tools.values() if scopes.issuperset(entry.scopes)]


def declared_in(module: ModuleType) -> list[Tool]:
    """Return the tools that a module itself declares, in the order of its lines."""
    return [
        getattr(value, _MARK)
        for value in vars(module).values()
        if hasattr(value, _MARK) and getattr(value, "__module__", None) == module.__name__
    ]


def discover(contract: Contract, package: ModuleType = service.tools) -> ToolRegistry:
    """Import every module of the package and register the tools that it declares.

    Args:
        contract: must know each scope that a tool names.
        package: where the tools are.

    Raises:
        ToolDeclarationError: a tool is declared wrongly.
    """
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return ToolRegistry([entry for module in modules for entry in declared_in(module)], contract)
