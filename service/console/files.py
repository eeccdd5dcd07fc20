"""Files that a browser loads: named by their content, so that a cache may keep them for ever and never a wrong one."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Folder:
    """Files under one URL path that changes whenever one of them does."""

    path: str
    files: Mapping[str, bytes]

    def endpoints(self) -> dict[str, Endpoint]:
        """Return what answers each path."""
        return {
            f"{self.path}/{name}": document(content, _media_type(name), {"Cache-Control": _FOR_EVER})
            for name, content in self.files.items()
        }


def load(prefix: str, folder: Traversable, names: Iterable[str] = ()) -> Folder:
    """Read files, once, at the start.

    Args:
        prefix: URL path in front, such as `/console`.
        folder: where the files are.
        names: which ones; none means all.
    """
    wanted = sorted(names) or sorted(entry.name for entry in folder.iterdir() if _suffix(entry.name) in _TYPES)
    files = {name: folder.joinpath(name).read_bytes() for name in wanted}
    total = hashlib.sha256()
    for name, content in files.items():
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return Folder(f"{prefix}/{total.hexdigest()[:16]}", files)


def document(content: bytes, media_type: str, headers: Mapping[str, str]) -> Endpoint:
    """Return an endpoint that answers with this content, or with 304 whoever has it already (RFC 9110 section 13.1.2).

    Args:
        content: the body.
        media_type: its type.
        headers: further headers; `nosniff` and the ETag come by themselves.
    """
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    sent = {"X-Content-Type-Options": "nosniff", "ETag": etag, **headers}

    async def serve(request: Request) -> Response:
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if etag in known or "*" in known:
            return Response(status_code=304, headers=sent)
        return Response(content, media_type=media_type, headers=sent)

    return serve


def _media_type(name: str) -> str:
    return _TYPES.get(_suffix(name)) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
