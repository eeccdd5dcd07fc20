"""Health check of the container, without curl: `python -m service.healthcheck` ends with 0 when the service answers."""

import http.client
import os
import sys

TIMEOUT_SECONDS = 3


def main() -> int:
    """Ask /livez on the loopback interface; 0 for an answer 200, 1 for anything else."""
    port = int(os.environ.get("SECURE_MCP_PORT") or 8000)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        return 0 if connection.getresponse().status == http.client.OK else 1
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
