"""A flame graph as SVG from stacks that py-spy recorded: `python -m tests.benchmarks.calls.flame STACKS [SVG]`.

py-spy record --pid WORKER --duration 18 --rate 200 --format raw --output STACKS
"""

import sys
from html import escape
from pathlib import Path

from tests.benchmarks.page import DOCS

WIDTH, ROW, SMALLEST = 1200, 17, 0.003
Tree = dict[str, tuple[int, "Tree"]]


def tree(lines: list[str]) -> Tree:
    """Return samples by function, each with what it called; line numbers are left out."""
    root: Tree = {}
    for line in lines:
        stack, _, count = line.rpartition(" ")
        level = root
        for frame in stack.split(";"):
            name = frame.rpartition(":")[0] + ")" if ":" in frame else frame
            before, below = level.get(name, (0, {}))
            level[name] = before + int(count), below
            level = below
    return root


def draw(level: Tree, total: int, left: float = 0.0, depth: int = 0) -> tuple[list[str], int]:
    """Return the boxes of a level and below, and how deep it goes."""
    boxes, deepest = [], depth
    for name, (count, below) in sorted(level.items()):
        width = count / total
        if width >= SMALLEST:
            ours = "(service/" in name
            room = int(width * WIDTH / 6.2)
            label = name if len(name) <= room else name[: max(0, room - 1)]
            x, y = left * WIDTH, depth * ROW + 30
            boxes.append(
                f'<g><title>{escape(name)}: {width:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width * WIDTH:.1f}" '
                f'height="{ROW - 1}" fill="{"#8fd0b8" if ours else "#d5d8dd"}"/>'
                f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(label)}</text></g>'
            )
            more, reached = draw(below, total, left, depth + 1)
            boxes += more
            deepest = max(deepest, reached)
        left += width
    return boxes, deepest


def svg(lines: list[str]) -> str:
    """Return the picture; what is ours is green."""
    root = tree(lines)
    total = sum(count for count, _ in root.values())
    boxes, deepest = draw(root, total)
    height = (deepest + 1) * ROW + 40
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
    title = f"A worker under load, {total} samples; the service's own functions are green"
    parts = [f'{head}font-size="10">', f"<title>{title}</title>", f'<rect width="100%" height="{height}" fill="#fff"/>']
    return "\n".join([*parts, f'<text x="4" y="18" font-size="13">{title}</text>', *boxes, "</svg>", ""])


if __name__ == "__main__":
    stacks = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else DOCS / "images" / "flame.svg"
    target.write_text(svg(stacks), encoding="utf-8")
