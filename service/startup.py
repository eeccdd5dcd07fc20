"""How the process refuses to start: short lines on stderr, exit code 2, no traceback."""

import sys
from collections.abc import Callable
from typing import TypeVar

from service.contract import ContractError
from service.settings_files import SettingsError
from service.tools.registry import ToolDeclarationError

Loaded = TypeVar("Loaded")

EXIT_CONFIGURATION = 2


def or_exit(load: Callable[[], Loaded]) -> Loaded:
    """Return what `load` returns, or end the process when settings, contract or tools are wrong.

    Args:
        load: raises an exception whose text has a line for each fault.
    """
    try:
        return load()
    except (SettingsError, ContractError, ToolDeclarationError) as error:
        lines = ("Secure MCP cannot start:", *(f"  {line}" for line in str(error).splitlines()))
        sys.stderr.write("\n".join(lines) + "\n")
        sys.exit(EXIT_CONFIGURATION)
