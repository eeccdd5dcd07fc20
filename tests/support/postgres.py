"""A real PostgreSQL for a block of a test: a cluster of its own, run by somebody who is not root, on a small disk."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from ops.containers.database import DUMP, FILL
from ops.environment import REPOSITORY
from ops.processes import ServerProcess
from tests.support.relay import free_port
from tests.support.until import until

NEEDED = ("initdb", "postgres", "psql", "pg_dump", "pg_restore")
DISK = 400 * 2**20  # a cluster with Keycloak's tables takes 120 MiB of it
START_S = 60
_CREATE = "CREATE DATABASE keycloak OWNER keycloak"
_WRITE_LOG = "SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)) FROM generate_series(1, 400);\n"
_DEBIAN = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"  # of Debian's package


def missing_postgres() -> str | None:
    """Say what a machine lacks to run PostgreSQL."""
    if missing := [name for name in NEEDED if _program(name) is None]:
        return f"no {', '.join(missing)}; install postgresql"
    if os.geteuid() == 0 and not _account():
        return f"root may not run PostgreSQL, and there is no account {_ACCOUNT}; install postgresql"
    return None


def options_of_the_stack() -> list[str]:
    """Return the options that the container of the stack gets, beside the size of its memory."""
    text = (REPOSITORY / "terraform" / "docker" / "postgres.tf").read_text(encoding="utf-8")
    return [part for option in re.findall(r'"-c", "([a-z_]+=[^"$]+)"', text) for part in ("-c", option)]


class Postgres:
    """A cluster on a loopback port, with a database and a role `keycloak`; nothing runs until `start`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self._folder = folder
        self.disk = folder / "disk"
        self._data = self.disk / "data"
        self._log = folder / "postgres.log"
        self._process = ServerProcess("PostgreSQL", self._log, folder / "postgres.pid.json")
        self._superuser = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"jdbc:postgresql://127.0.0.1:{self.port}/keycloak"

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def make(self) -> None:
        """Make the cluster, its role and its database."""
        self._data.mkdir(mode=0o700)
        word = self.disk / "word"
        word.write_text(self._superuser, encoding="ascii")
        for path in (self.disk, self._data, word):
            if account := _account():
                os.chown(path, account.pw_uid, account.pw_gid)
        rules = ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run([*_as_account(), _found("initdb"), "-D", str(self._data), "-U", "super", f"--pwfile={word}", *rules])
        word.unlink()
        self.start()
        self.sql(f"CREATE ROLE keycloak LOGIN PASSWORD '{self.password}'")
        self.sql(_CREATE)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.launch()
        until(lambda: self.answers() or not self.lives(), START_S, f"PostgreSQL answers; its log: {self._log}")
        assert self.lives(), self.log[-2000:]

    def launch(self) -> None:
        """Start it; whether it comes up is left to the caller."""
        self._process.stop()  # takes the exit status of one that ended by itself
        place = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        command = [*_as_account(), _found("postgres"), *place, *options_of_the_stack()]
        self._process.launch(command, {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, self.disk)

    def lives(self) -> bool:
        return self._process.pid is not None

    def answers(self) -> bool:
        return self._psql("SELECT 1", "postgres").returncode == 0

    def stop(self) -> None:
        """End sessions and stop, as the container's stop signal does ("fast")."""
        if (pid := self._process.pid) is not None:
            os.kill(pid, signal.SIGINT)
            until(lambda: not self.lives(), START_S, "PostgreSQL has stopped")
        self._process.stop()  # takes its exit status

    def kill(self) -> None:
        """Send SIGKILL to all of it: what was not written yet is lost."""
        pid = self._process.pid
        assert pid is not None
        first = psutil.Process(pid)
        for process in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # they end by themselves when the first one is gone
                process.kill()
        until(lambda: not self.lives(), 30, "PostgreSQL is dead")
        self._process.stop()

    def sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run a statement as the superuser and return the lines of its answer."""
        done = self._psql(statement, database)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def session(self, statement: str) -> subprocess.Popen[bytes]:
        """Run a statement in a session of the role `keycloak` that stays."""
        command, environment = self._command(statement, "keycloak", "keycloak", self.password)
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def dump(self) -> bytes:
        """Return what `secure-mcp backup` takes of the database, by its own command."""
        return self._tool(DUMP)

    def restore(self, dump: bytes) -> None:
        """Put a dump into an empty database in the place of this one, by the command of `secure-mcp restore`."""
        self.sql("DROP DATABASE keycloak")
        self.sql(_CREATE)
        self._tool(FILL, dump)

    def fill(self) -> Path:
        """Take all of the room that its disk has, and make it need more for its log; return the file to delete."""
        filler = self.disk / "filler"
        command, environment = self._command(None, "keycloak", "super", self._superuser)
        piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # Without room nobody new can log in, so this session begins before.
        with subprocess.Popen(command, env=environment, **piped) as session:  # type: ignore[call-overload]
            session.stdin.write("SELECT 'ready';\n")
            session.stdin.flush()
            assert session.stdout.readline() == "ready\n"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(2**20))
            session.communicate(_WRITE_LOG, timeout=120)
        return filler

    def _tool(self, command: Sequence[str], content: bytes = b"") -> bytes:
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": self.password}
        command = [_found(command[0]), *command[1:], f"--port={self.port}"]
        done = subprocess.run(command, env=environment, input=content, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _psql(self, statement: str, database: str) -> subprocess.CompletedProcess[str]:
        command, environment = self._command(statement, database, "super", self._superuser)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def _command(
        self, statement: str | None, database: str, role: str, password: str
    ) -> tuple[list[str], dict[str, str]]:
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", role, "-d", database]
        command = [_found("psql"), "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", *where]
        command += ["-c", statement] if statement else []
        return command, {"PATH": os.environ["PATH"], "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, cwd=self.disk, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a cluster for the block; as root on a disk of its own that is no larger than DISK."""
    # Not below a folder of pytest's own, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="secure-mcp-postgres-"))
    folder.chmod(0o711)
    cluster = Postgres(folder)
    cluster.disk.mkdir()
    if not os.geteuid():
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "small", str(cluster.disk)], check=False)
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.stop()
        if cluster.disk.is_mount():
            subprocess.run(["umount", str(cluster.disk)], check=True)
        shutil.rmtree(folder)


def _account() -> pwd.struct_passwd | None:
    """Return whom root runs it as; None where it is run as who runs the test."""
    if os.geteuid():
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(_ACCOUNT)
    return None


def _as_account() -> list[str]:
    return [] if os.geteuid() else ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", "--"]


def _program(name: str) -> str | None:
    """Return the newest of Debian's, which keeps them beside the search path, else what the search path has."""
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    return shutil.which(name, path=str(versions[-1])) if versions else shutil.which(name)


def _found(name: str) -> str:
    program = _program(name)
    assert program, missing_postgres()
    return program
