"""The servers that ours is compared with, each as its own documentation builds it: factories for uvicorn.

Each has one tool or route, `echo`, which is async everywhere (a sync one would pay for a thread), judges issuer,
audience, signature and expiry, and has its keys at hand. None logs, counts or keeps an audit trail. One module each,
so that none carries the libraries of another.
"""

import json
import os
from typing import Any, Final

ISSUER: Final = os.environ.get("BENCH_ISSUER", "")
AUDIENCE: Final = os.environ.get("BENCH_AUDIENCE", "")
TOOLS: Final = int(os.environ.get("BENCH_TOOLS", "1"))
JWKS: Final[dict[str, Any]] = json.loads(os.environ.get("BENCH_JWKS", '{"keys": []}'))
