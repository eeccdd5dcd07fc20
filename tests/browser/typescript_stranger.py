"""tests/node/stranger.mjs as the tests see it: the official TypeScript clients, a line of JSON for each event."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.desk import Desk
from tests.browser.meeting import Meeting
from tests.support import node
from tests.support.http import MODERN
from tests.support.oauth import ISSUED


class TypeScriptStranger:
    """One of the two official packages.

    Args:
        url: the MCP endpoint, and nothing else.
        flavour: `sdk` for @modelcontextprotocol/sdk, or the revision that @modelcontextprotocol/client shall speak.
    """

    def __init__(self, url: str, flavour: str, desk: Desk, folder: Path) -> None:
        if reason := node.missing_node():
            pytest.skip(reason)
        package = "sdk" if flavour == "sdk" else "client"
        pinned = [MODERN] if flavour == MODERN else []
        self.command = node.command("stranger.mjs", package, url, *pinned)
        self.folder = folder
        self.desk = desk
        self.meeting = Meeting()

    def meet(self, widen: Callable[[str], None]) -> Meeting:
        """Go through the whole visit.

        Args:
            widen: called with the client's id after the step-up was refused.
        """
        self.desk.attend(lambda: self._visit(widen))
        return self.meeting

    def _visit(self, widen: Callable[[str], None]) -> None:
        meeting = self.meeting
        with self._running() as (events, go_on):
            meeting.echoed = self._result(events)
            assert self._result(events) is None, "the step-up went through although the scope is not assigned"
            widen(meeting.client_id)
            go_on()
            meeting.computed = self._result(events)
            go_on()
            meeting.computed_after_refresh = self._result(events)

    def fail(self) -> str:
        """Get in, call echo, call what needs more, and return the words with which the library gives up."""

        def visit() -> str:
            with self._running() as (events, _):
                self.meeting.echoed = self._result(events)
                return next(str(event["message"]) for event in events if event["event"] == "failed")

        return self.desk.attend(visit)

    @contextmanager
    def _running(self) -> Iterator[tuple[Iterator[dict[str, Any]], Callable[[], None]]]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = node.environment(self.folder)
        with subprocess.Popen(self.command, **pipes, text=True, cwd=node.FOLDER, env=environment) as process:

            def events() -> Iterator[dict[str, Any]]:
                for line in process.stdout:
                    yield json.loads(line)
                raise AssertionError(f"the client ended with {process.wait()}: {process.stderr.read()[-2000:]}")

            def go_on() -> None:
                process.stdin.write("go on\n")
                process.stdin.flush()

            try:
                yield events(), go_on
                assert process.wait(30) == 0
            finally:
                process.kill()

    def _result(self, events: Iterator[dict[str, Any]]) -> str | None:
        """Follow what happens until a call has ended and return its text, or None where it was refused."""
        for event in events:
            match event["event"]:
                case "open":
                    self.desk.open(event["url"])
                case "registered":
                    self.meeting.client_id = event["client_id"]
                case "refused":
                    self.meeting.refused = {"error": event["error"], "iss": event["iss"]}
                case "tokens":
                    ISSUED.update(
                        event[name] for name in ("access_token", "refresh_token", "id_token") if name in event
                    )
                    self.meeting.refresh_tokens.append(event["refresh_token"])
                case "called":
                    return event.get("text")
        raise AssertionError("unreachable")
