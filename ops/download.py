"""A large file from the network: resumable, checked, whole or not there at all."""

import hashlib
from pathlib import Path

import httpx
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ops.errors import OperatorError, unreachable
from ops.output import err, note

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str, origin: str) -> None:
    """Check a file; delete it when it is wrong.

    Args:
        path: the file.
        expected: its SHA-256 in hexadecimal.
        origin: where it came from, for the message.

    Raises:
        OperatorError: the checksum differs.
    """
    found = sha256_of(path)
    if found != expected:
        path.unlink()
        raise OperatorError(
            f"The file from {origin} has the wrong SHA-256 ({found}, expected {expected}); it was deleted.",
            "Run the command again; if it stays wrong, something on the way alters the file.",
        )


def download(url: str, target: Path, expected: str) -> None:
    """Fetch a file with a progress bar; an interrupted download goes on where it stopped (RFC 9110 section 14).

    Args:
        url: https address.
        target: where the file shall be; it appears only when it is whole and its checksum right.
        expected: SHA-256 in hexadecimal.

    Raises:
        OperatorError: no answer, a wrong answer or a wrong checksum.
    """
    partial = target.with_suffix(".part")
    try:
        _fetch(url, partial)
    except httpx.HTTPError as error:
        raise unreachable(
            f"{url} could not be downloaded: {error or type(error).__name__}.", "Check the network."
        ) from error
    verify(partial, expected, url)
    partial.replace(target)


def _fetch(url: str, partial: Path) -> None:
    begin = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={begin}-"} if begin else {}
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=30) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here already
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            begin = 0
        total = begin + int(response.headers.get("Content-Length", 0)) or None
        if not err.is_terminal:
            note(f"downloading {url}" + (f" ({total / 1e6:.0f} MB)" if total else ""))
        columns = (
            TextColumn("  download"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with (
            partial.open("ab" if begin else "wb") as file,
            Progress(*columns, console=err, disable=not err.is_terminal) as bar,
        ):
            task = bar.add_task("download", total=total, completed=begin)
            for chunk in response.iter_bytes(_CHUNK):
                file.write(chunk)
                bar.advance(task, len(chunk))
