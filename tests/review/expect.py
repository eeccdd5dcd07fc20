"""Writes what review says of each recorded plan to cases/expected.yaml, to be read as a difference."""

import json
import sys

from tests.unit.test_review_rules import PLANS, REVIEW, findings, written


def main() -> int:
    """Write the file."""
    said = {path.stem: sorted(map(written, findings(path))) for path in PLANS}
    head = (
        "# What review says of each plan of ../plans: written by `python -m tests.review.expect`, read by a person.\n"
    )
    lines = [head]
    for name, sentences in said.items():
        lines.append(f"{name}:\n" if sentences else f"{name}: []\n")
        lines += [f"  - {json.dumps(sentence, ensure_ascii=False)}\n" for sentence in sentences]
    text = "".join(lines)
    (REVIEW / "cases" / "expected.yaml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
