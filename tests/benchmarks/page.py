"""The measured parts of docs/benchmarks.md, each between a mark that names it and an end."""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"


def put(part: str, text: str) -> None:
    """Put text in place of a measured part.

    Args:
        part: its name.
        text: Markdown.
    """
    begin, end = f"<!-- measured: {part} -->\n", "<!-- end -->\n"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE.name} has no part {part}; write the lines {begin.strip()} and {end.strip()}")
    PAGE.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def machine(packages: Iterable[str]) -> str:
    """Return what the figures were measured on, in a sentence.

    Args:
        packages: whose versions matter.
    """
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if platform.system() == "Linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = f"{len(models)} x {models[0]}" if models else platform.processor()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{cpu}, {platform.system()} {platform.release()}, Python {platform.python_version()}; {versions}."


def bars(title: str, values: Iterable[tuple[str, float]], unit: str = "", left: int = 220) -> str:
    """Return a bar chart as SVG; what is ours stands out.

    Args:
        title: says what is shown.
        values: name and value of each bar.
        unit: written behind each value.
        left: room for the names, in pixels.
    """
    found = list(values)
    longest, row, width = max(value for _, value in found), 26, 420
    height = row * len(found) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {height}" role="img" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{title}</title>",
        f'<rect width="100%" height="{height}" fill="#fff"/>',
        f'<text x="10" y="20" font-weight="bold">{title}</text>',
    ]
    for index, (name, value) in enumerate(found):
        top = 34 + index * row
        colour = "#0b6e4f" if "ours" in name.split(", ") else "#8a8f98"
        length = max(1.0, value / longest * width)
        shown = f"{value:.0f}" if value >= 100 else f"{value:.2f}"
        parts.append(f'<text x="{left - 8}" y="{top + 15}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{length:.1f}" height="18" fill="{colour}"/>')
        parts.append(f'<text x="{left + length + 6:.1f}" y="{top + 14}">{shown}{unit}</text>')
    return "\n".join([*parts, "</svg>", ""])
