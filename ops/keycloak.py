"""A Keycloak server as a local process: an instance of the built distribution with its own data folder."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx

from ops.distribution import STAMP, ensure_distribution
from ops.java import find_java
from ops.processes import ServerProcess

__all__ = ["KeycloakServer", "ensure_distribution", "make_instance"]

BOOTSTRAP_CLIENT = "bootstrap-admin"
_VERSION = "version.txt"  # of every release
# Local servers live for minutes: the second compiler would take a core from them at start and never pay back.
_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"


def make_instance(distribution: Path, home: Path) -> bool:
    """Lay out an instance: hard links to the distribution (copies across file systems), configuration of its own.

    Args:
        distribution: what `ensure_distribution` returned; it is not changed.
        home: folder of the instance. An instance that is already there stays as it is, with its data.

    Returns:
        Whether it was made. One of another release or build is laid out anew around its data, which is no making: the
        server must not run then.
    """
    if home.exists() and _build_of(home) == _build_of(distribution):
        return False
    fresh = home.with_name(f".{home.name}.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    shutil.copytree(distribution, fresh, copy_function=_link)
    shutil.rmtree(fresh / "conf")
    shutil.copytree(distribution / "conf", fresh / "conf")
    if not home.exists():
        fresh.rename(home)
        return True
    _exchange(fresh, home)
    return False


def _exchange(fresh: Path, home: Path) -> None:
    """Put another build in the place of an instance's. Its data never move; what tells builds apart is last, so that a
    stop half-way is made good the next time."""
    for part in [part for part in fresh.iterdir() if part.name not in {"data", _VERSION, STAMP}]:
        old = home / part.name
        if old.is_dir():
            shutil.rmtree(old)
        part.replace(old)
    for name in (_VERSION, STAMP):
        (fresh / name).replace(home / name)
    shutil.rmtree(fresh)


def features_of(home: Path) -> tuple[str, ...]:
    """Return the features of an instance beyond those of a release; none where there is no instance."""
    found = [option for option in _read(home / STAMP).split() if option.startswith("--features=")]
    return tuple(found[0].partition("=")[2].split(",")) if found else ()


def version_of(home: Path) -> str:
    """Return the version of an instance, such as 26.7.4; an empty text where there is no instance."""
    return _read(home / _VERSION).rpartition(" ")[2].strip()


def _build_of(home: Path) -> tuple[str, str]:
    return version_of(home), _read(home / STAMP)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


class KeycloakServer:
    """A Keycloak on http://localhost:PORT with a service account `bootstrap-admin` in its master realm.

    Args:
        home: folder of the instance, see `make_instance`.
        port: port of the public listener.
        management_port: port of health and metrics.
        admin_secret: client secret of `bootstrap-admin`; counts at the first start only.
        env: further environment variables, such as the values of the placeholders of an imported realm.
        log: log file; None means keycloak.log beside the instance.
        pid_file: where the process is remembered; None means keycloak.pid.json beside the instance.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        management_port: int,
        admin_secret: str,
        env: Mapping[str, str],
        *,
        log: Path | None = None,
        pid_file: Path | None = None,
    ) -> None:
        self.home = home
        self.port = port
        self.url = f"http://localhost:{port}"
        self._management_port = management_port
        self._env = {
            "KC_BOOTSTRAP_ADMIN_CLIENT_ID": BOOTSTRAP_CLIENT,
            "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": admin_secret,
        } | dict(env)
        self.log = log or home.parent / "keycloak.log"
        self._process = ServerProcess("Keycloak", self.log, pid_file or home.parent / "keycloak.pid.json")

    @property
    def pid(self) -> int | None:
        """Pid while it runs."""
        return self._process.pid

    def start(self, import_file: Path | None = None) -> None:
        """Start the server; it is not ready yet then.

        Args:
            import_file: a realm to import unless it is there already; placeholders in it come from `env`.
        """
        imports = self.home / "data" / "import"
        if imports.exists():
            shutil.rmtree(imports)
        arguments = self._arguments()
        if import_file:
            imports.mkdir(parents=True)
            shutil.copyfile(import_file, imports / "realm.json")
            arguments.append("--import-realm")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KC_")}
        env = {"JAVA_OPTS_APPEND": _JAVA_OPTIONS} | inherited | self._env | {"JAVA": str(find_java())}
        self._process.launch([str(self.home / "bin" / "kc.sh"), *arguments], env, self.home)

    def wait_ready(self, deadline_s: float = 180) -> None:
        """Wait until the server answers requests.

        Raises:
            OperatorError: it ended, or was not ready at the deadline.
        """
        self._process.wait_until(self.is_ready, deadline_s)

    def is_ready(self) -> bool:
        """Tell whether the health endpoint says that the server is up."""
        try:
            return httpx.get(
                f"http://127.0.0.1:{self._management_port}/health/ready", timeout=5, trust_env=False
            ).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> bool:
        """End the server and keep its data. Returns whether it ran."""
        return self._process.stop()

    def _arguments(self) -> list[str]:
        return [
            "start",
            "--optimized",
            "--cache=local",
            "--http-enabled=true",
            "--http-host=127.0.0.1",
            f"--http-port={self.port}",
            f"--http-management-port={self._management_port}",
            f"--hostname={self.url}",
            "--log-level=INFO,io.smallrye.health:error",  # else a line for each time that somebody asks too early
        ]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)
