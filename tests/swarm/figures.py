"""What the tier measures, kept in dist/swarm.json, and from there by hand in docs/scaling.md."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "dist" / "swarm.json"


class Figures:
    """Figures by what they are of."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def add(self, what: str, figure: str) -> None:
        """Keep a figure, and show it."""
        self._found[what] = figure
        print(f"\nFIGURE {what}: {figure}")

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        """Keep how long the block takes."""
        began = time.monotonic()
        yield
        self.add(what, f"{time.monotonic() - began:.0f} s")

    def write(self) -> None:
        """Write all into the file."""
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(self._found, indent=2) + "\n", encoding="utf-8")
