"""The playbook, run against a machine by ssh as an operator does."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.environment import REPOSITORY
from tests.host.machine import AUTH, MCP, USER, Machine

ANSIBLE = REPOSITORY / "ansible"
BIN = REPOSITORY / ".venv" / "host" / "bin"
_RECAP = re.compile(r"^\S+ +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """A run of the playbook."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """Number of tasks that changed something."""
        found = _RECAP.search(self.output)
        assert found, self.output[-4000:]
        return int(found[2])

    def changes(self) -> list[str]:
        """Return the names of the tasks that changed something, for messages."""
        tasks = re.split(r"^(?:TASK|RUNNING HANDLER) \[", self.output, flags=re.MULTILINE)[1:]
        return [task.split("]", 1)[0] for task in tasks if re.search(r"^changed:", task, re.MULTILINE)]


class Playbook:
    """ansible/site.yml with an inventory of one machine.

    Args:
        machine: where it is run.
        folder: for the inventory.
        values: variables of the inventory besides names and login.
    """

    def __init__(self, machine: Machine, folder: Path, values: Mapping[str, Any]) -> None:
        self.machine = machine
        self.values = dict(values)
        self._inventory = folder / "hosts.json"
        self._known_hosts = folder / "known_hosts"

    def run(self, *options: str, values: Mapping[str, Any] | None = None, timeout: float = 1500) -> Played:
        """Run the playbook.

        Args:
            options: of ansible-playbook.
            values: variables for this run only.
            timeout: seconds.
        """
        self._inventory.write_text(json.dumps(self._inventory_of(values or {})), encoding="utf-8")
        done = subprocess.run(
            [str(BIN / "ansible-playbook"), "--inventory", str(self._inventory), *options, "site.yml"],
            cwd=ANSIBLE, env=self._environment(), capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Played(done.returncode, done.stdout + done.stderr)

    def converge(self, *options: str, values: Mapping[str, Any] | None = None) -> Played:
        """Run the playbook, which must succeed."""
        played = self.run(*options, values=values)
        assert played.code == 0, played.output[-6000:]
        return played

    def _inventory_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        options = f"-o UserKnownHostsFile={self._known_hosts} -o StrictHostKeyChecking=accept-new"
        variables = {
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(self.machine.key),
            "ansible_ssh_common_args": options,
            "mcp_host": MCP,
            "auth_host": AUTH,
            "base_admin_users": [{"name": "ada", "keys": [self.public_key]}],
            # The controller of the test resolves none of the names.
            "certificates_preflight_from": "host",
        }
        return {"vm": {"hosts": {self.machine.address: {}}, "vars": variables | self.values | dict(values)}}

    @property
    def public_key(self) -> str:
        """The ssh key with which people log in."""
        return self.machine.key.with_suffix(".pub").read_text(encoding="ascii").strip()

    def _environment(self) -> dict[str, str]:
        # Ansible calls programs of its own by name.
        return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1"}
