"""A bare virtual machine to run the playbook against: a container in which systemd, sshd and an engine run."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.errors import OperatorError
from tests.support.until import until

HERE = Path(__file__).resolve().parent
# Machines are in this computer's engine, whatever engine a test speaks to (DOCKER_HOST) by then.
_OUR_ENGINE = dict(os.environ)
USER = "debian"
# Of RFC 6761: nobody owns names below it.
MCP, AUTH = "mcp.host.test", "auth.host.test"
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")

# What systemd and an engine inside need. No --privileged: the engine refuses that on some machines.
_CAPABILITIES = ("SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_PTRACE")
OPTIONS = (
    *(f"--cap-add={name}" for name in _CAPABILITIES),
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup",
    "--tmpfs=/run",
    "--tmpfs=/run/lock",
    "--tmpfs=/tmp:exec,mode=1777",
    "--stop-signal=SIGRTMIN+3",
)
# From Debian 13 on systemd refuses the older cgroups, which this computer may have, unless its command line says so.
INIT = ("/sbin/init", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")


def build(suite: str = "bookworm") -> None:
    """Make the image of a bare machine where it is not there yet; raises subprocess.CalledProcessError.

    Args:
        suite: Debian's release.
    """
    subprocess.run([str(HERE / "build"), suite], check=True, timeout=900)


def docker(*arguments: str, timeout: float = 300, stdin: bytes | None = None) -> str:
    """Run the docker program; raises subprocess.CalledProcessError with its words."""
    done = subprocess.run(["docker", *arguments], capture_output=True, timeout=timeout, input=stdin, env=_OUR_ENGINE)
    if done.returncode:
        raise OperatorError(f"docker {' '.join(arguments)}: {done.stderr.decode()}", "Look at the engine.")
    return done.stdout.decode()


@dataclass(frozen=True)
class Machine:
    """The running machine.

    `address` is where it is reached, `gateway` is this computer as the machine sees it, `key` the ssh key of `debian`.
    """

    name: str
    address: str
    gateway: str
    key: Path

    def run(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a program on the machine as root."""
        return subprocess.run(
            ["docker", "exec", self.name, *command], capture_output=True, text=True, timeout=timeout, env=_OUR_ENGINE
        )

    def shell(self, script: str, timeout: float = 300) -> str:
        """Run a script on the machine as root and return what it prints; it must succeed."""
        done = self.run("bash", "-euo", "pipefail", "-c", script, timeout=timeout)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, content: str, mode: str = "0644") -> None:
        """Write a file on the machine."""
        docker("exec", "-i", self.name, "install", "-D", "-m", mode, "/dev/stdin", path, stdin=content.encode())

    def booted(self) -> bool:
        """Say whether systemd has started everything; a unit that failed counts as started."""
        return self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def said(self, since: float) -> str:
        """Return the last lines of the journal and of Nginx's log, whether or not the machine still works.

        Args:
            since: seconds since the epoch.
        """
        journal = (
            f"journalctl --since=@{int(since)} --no-pager --output=short-precise | grep -v module=grpc | tail -n 60"
        )
        return self.run("sh", "-c", f"{journal}; tail -n 20 /var/log/nginx/*.log; docker ps --all 2>&1").stdout

    def failed_units(self) -> str:
        """Return the units that failed, empty where none did."""
        return self.run("systemctl", "--failed", "--plain", "--no-legend").stdout.strip()

    def reboot(self, deadline_s: float) -> None:
        """Stop the machine as a power button does, start it again, and wait for systemd."""
        docker("restart", "--time=90", self.name)
        self.open_network_settings()  # before the engine inside starts, which writes some of them
        until(self.booted, deadline_s, "systemd has started everything")
        self.shell("systemctl restart systemd-sysctl")

    def open_network_settings(self) -> None:
        """Let network settings of the kernel be written, as on a machine of its own; the rest is shared."""
        self.shell("mkdir -p /run/proc && mount -t proc proc /run/proc && mount --bind /run/proc/sys/net /proc/sys/net")


@contextmanager
def bare_machine(folder: Path, suite: str = "bookworm") -> Iterator[Machine]:
    """Start a machine, and remove it with everything of it at the end.

    Args:
        folder: where its ssh key is kept.
        suite: Debian's release.
    """
    name = f"secure-mcp-host-{secrets.token_hex(4)}"
    subnet = f"10.187.{secrets.randbelow(200) + 20}"
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    machine = Machine(name, f"{subnet}.10", f"{subnet}.1", key)
    names = [f"--add-host={host}:{machine.address}" for host in (MCP, AUTH)]
    names += [f"--add-host=acme.host.test:{machine.gateway}"]
    try:
        docker("network", "create", f"--subnet={subnet}.0/24", f"--gateway={machine.gateway}", name)
        docker(
            "run", "--detach", f"--name={name}", "--hostname=host", f"--network={name}", f"--ip={machine.address}",
            f"--volume={name}:/var/lib/docker", *names, *OPTIONS, f"secure-mcp-tests/host:{suite}", *INIT,
        )  # fmt: skip
        until(machine.booted, 60, "the machine has booted")
        machine.open_network_settings()
        machine.shell("systemctl restart systemd-sysctl")
        machine.shell(f"install -d -m 0700 -o {USER} -g {USER} /home/{USER}/.ssh")
        machine.write(f"/home/{USER}/.ssh/authorized_keys", key.with_suffix(".pub").read_text(encoding="ascii"))
        machine.shell(f"chown {USER}: /home/{USER}/.ssh/authorized_keys")
        _trust_this_computer(machine)
        # A cloud's image is weeks old, and so are its lists of packages.
        machine.shell("touch -d '30 days ago' /var/lib/apt/lists")
        yield machine
    finally:
        for what in (("rm", "--force", "--volumes", name), ("volume", "rm", "--force", name), ("network", "rm", name)):
            subprocess.run(["docker", *what], capture_output=True, timeout=120)


def _trust_this_computer(machine: Machine) -> None:
    """Give the machine the authorities of this computer, which may reach registries through a proxy with its own."""
    if BUNDLE.is_file():
        machine.write(str(BUNDLE), BUNDLE.read_text(encoding="utf-8"))
        machine.write("/etc/pip.conf", f"[global]\ncert = {BUNDLE}\n")
