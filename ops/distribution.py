"""The Keycloak distribution: fetched, checked, unpacked, built once a set of features, shared by all."""

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.download import download, verify
from ops.errors import OperatorError
from ops.java import find_java
from ops.locks import exclusive
from ops.output import note, step

RELEASES = "https://github.com/keycloak/keycloak/releases/download"
ZIP_VARIABLE = "SECURE_MCP_KEYCLOAK_ZIP"
BUILD_OPTIONS = ("--db=dev-file", "--health-enabled=true", "--metrics-enabled=true")
STAMP = "secure-mcp-build.txt"
"""File of a built distribution, and of each instance of it, with the options it was built with."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Keycloak: its version, and the SHA-256 of its zip file in hexadecimal."""

    version: str
    sha256: str

    @property
    def name(self) -> str:
        """Its folder, and its file without the ending."""
        return f"keycloak-{self.version}"

    @property
    def artifact(self) -> str:
        """The file in a Maven repository."""
        return f"org.keycloak:keycloak-quarkus-dist:{self.version}:zip"

    @property
    def url(self) -> str:
        """The file where the project publishes it."""
        return f"{RELEASES}/{self.version}/{self.name}.zip"


# Of the release's keycloak-26.7.4.zip, which is byte for byte the Maven artifact keycloak-quarkus-dist.
CURRENT = Release("26.7.4", "a286e98b4296d4e75ee88d8527c7cd463b307caa022f088c9f22cffccc741fa1")
VERSION = CURRENT.version


def cache_folder() -> Path:
    """Return the folder of downloads (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "secure-mcp"


def ensure_distribution(features: Sequence[str] = (), release: Release = CURRENT) -> Path:
    """Return the built distribution; fetch, check, unpack and build it first where it is missing or half-finished.

    Args:
        features: features of Keycloak beyond those of a release, such as `cimd`; a build has them or has them not.
        release: another release than the one that is run here.

    Raises:
        OperatorError: no source has it, its checksum is wrong, there is no Java, or the build fails.
    """
    cache = cache_folder()
    home = cache / "-".join((release.name, *features))
    options = build_options(features)
    if _is_built(home, options):
        return home
    with exclusive(cache / "keycloak.lock", "prepares the Keycloak distribution"):
        if not _is_built(home, options):
            for leftover in [*cache.glob(".build-*"), *cache.glob(".maven-*")]:
                shutil.rmtree(leftover)
            java = find_java()
            archive = ensure_archive(cache, release)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=cache) as scratch:
                named = f" with {', '.join(features)}" if features else ""
                with step(f"unpack and build Keycloak {release.version}{named} (once for this machine)"):
                    fresh = _build(_unpack(archive, Path(scratch)), java, options)
                if home.exists():
                    shutil.rmtree(home)
                fresh.rename(home)
    return home


def ensure_archive(cache: Path, release: Release = CURRENT) -> Path:
    """Return the checked zip file; see `ensure_distribution`."""
    archive = cache / f"{release.name}.zip"
    if archive.exists():
        verify(archive, release.sha256, str(archive))
        return archive
    # The variable names the file of the release that is run here.
    if release == CURRENT and (given := os.environ.get(ZIP_VARIABLE)):
        return _copy(Path(given).expanduser(), archive, release)
    if maven := shutil.which("mvn"):
        try:
            return _with_maven(maven, archive, release)
        except subprocess.SubprocessError as error:
            note(f"mvn could not get {release.artifact} ({type(error).__name__}); trying the release download")
    try:
        download(release.url, archive, release.sha256)
    except OperatorError as error:
        if release != CURRENT:
            raise
        way_out = f"Or fetch it elsewhere and name the file: {ZIP_VARIABLE}=/path/{release.name}.zip make up"
        raise OperatorError(error.problem, f"{error.next_step} {way_out}", error.code) from error
    return archive


def build_options(features: Sequence[str]) -> tuple[str, ...]:
    """Return the options of `kc.sh build`, see `ensure_distribution`."""
    return (*BUILD_OPTIONS, f"--features={','.join(features)}") if features else BUILD_OPTIONS


def _is_built(home: Path, options: Sequence[str]) -> bool:
    stamp = home / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == " ".join(options)


def _copy(source: Path, archive: Path, release: Release) -> Path:
    if not source.is_file():
        raise OperatorError(
            f"{ZIP_VARIABLE} names no file: {source}.", f"Give the path of {release.name}.zip, or unset it."
        )
    note(f"Keycloak from {source}")
    return _take(archive, lambda fresh: shutil.copyfile(source, fresh), f"{ZIP_VARIABLE}={source}", release)


def _with_maven(maven: str, archive: Path, release: Release) -> Path:
    def fetch(fresh: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".maven-", dir=archive.parent) as scratch:
            wanted = [f"-Dartifact={release.artifact}", f"-DoutputDirectory={scratch}"]
            command = [maven, "-q", "-B", "dependency:copy", *wanted]
            subprocess.run(command, cwd=scratch, capture_output=True, timeout=900, check=True)  # noqa: S603
            next(Path(scratch).glob("*.zip")).rename(fresh)

    with step(f"fetch {release.artifact} with mvn (177 MB)"):
        return _take(archive, fetch, "mvn", release)


def _take(archive: Path, fetch: Callable[[Path], object], origin: str, release: Release) -> Path:
    fresh = archive.with_suffix(".new")
    fetch(fresh)
    verify(fresh, release.sha256, origin)
    fresh.replace(archive)
    return archive


def _unpack(archive: Path, scratch: Path) -> Path:
    with zipfile.ZipFile(archive) as file:
        file.extractall(scratch)
    home = next(scratch.glob("keycloak-*"))
    for script in (home / "bin").glob("*.sh"):
        script.chmod(0o755)  # zipfile does not restore modes
    return home


def _build(home: Path, java: Path, options: Sequence[str]) -> Path:
    command = [str(home / "bin" / "kc.sh"), "build", *options]
    env = os.environ | {"JAVA": str(java)}
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603
    if result.returncode != 0:
        words = (result.stdout + result.stderr).strip()[-800:]
        raise OperatorError(f"`kc.sh build` failed: {words}", f"Check {java} and the free disk space, then try again.")
    (home / STAMP).write_text(" ".join(options), encoding="utf-8")
    return home
