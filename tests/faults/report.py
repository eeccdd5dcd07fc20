"""Takes what the last run measured over into measured.json, of which docs/faults.md is made.

`python -m tests.faults.report`: exit code 1 when a drill is red.
"""

import json
import sys

from tests.faults.drills import MEASURED, load_drills
from tests.faults.recorder import RESULTS


def main() -> int:
    """Merge, and say what is red."""
    if not RESULTS.exists():
        print("Nothing was measured yet; run: make faults", file=sys.stderr)
        return 2
    before = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    merged = before | json.loads(RESULTS.read_text(encoding="utf-8"))
    known = {id_: merged[id_] for id_ in load_drills() if id_ in merged}
    MEASURED.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    red = [id_ for id_, found in known.items() if found["outcome"] != "green"]
    for id_ in red:
        print(f"{id_} is red; repeat it: .venv/bin/python -m pytest {load_drills()[id_].test}", file=sys.stderr)
    print(f"{len(known)} of {len(load_drills())} drills measured, {len(red)} red: tests/faults/measured.json")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
