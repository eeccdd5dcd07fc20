"""ops.download and ops.distribution: a wrong file is deleted, an interrupted download goes on."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ops import distribution
from ops.download import download
from ops.errors import ExitCode, OperatorError
from ops.ports import free_port

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    ranges: list[str | None]

    def do_GET(self):
        self.server.ranges.append(self.headers["Range"])
        begin = int((self.headers["Range"] or "bytes=0-")[6:-1])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.server_port}/file.zip"


def test_download_is_whole_and_checked(url, tmp_path):
    download(url, tmp_path / "file.zip", SHA256)
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [tmp_path / "file.zip"]


def test_interrupted_download_goes_on(server, url, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    download(url, tmp_path / "file.zip", SHA256)
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_wrong_checksum_deletes_the_file(url, tmp_path):
    with pytest.raises(OperatorError, match="wrong SHA-256"):
        download(url, tmp_path / "file.zip", "0" * 64)
    assert not list(tmp_path.iterdir())


def test_no_network_says_what_could_not_be_reached(tmp_path):
    url = f"http://127.0.0.1:{free_port()}/file.zip"
    with pytest.raises(OperatorError, match="could not be downloaded") as failed:
        download(url, tmp_path / "file.zip", SHA256)
    assert failed.value.code is ExitCode.UNREACHABLE


def test_damaged_archive_in_the_cache_is_deleted(tmp_path):
    archive = tmp_path / f"keycloak-{distribution.VERSION}.zip"
    archive.write_bytes(b"half")
    with pytest.raises(OperatorError, match="wrong SHA-256"):
        distribution.ensure_archive(tmp_path)
    assert not archive.exists()


def test_named_file_with_wrong_checksum_is_refused_and_kept(tmp_path, monkeypatch):
    mine = tmp_path / "mine.zip"
    mine.write_bytes(b"not Keycloak")
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv(distribution.ZIP_VARIABLE, str(mine))
    with pytest.raises(OperatorError, match="wrong SHA-256"):
        distribution.ensure_archive(cache)
    assert mine.exists()
    assert not list(cache.iterdir())


def test_another_release_has_its_own_file_and_does_not_take_the_named_one(tmp_path, monkeypatch):
    monkeypatch.setenv(distribution.ZIP_VARIABLE, str(tmp_path / "mine.zip"))
    monkeypatch.setattr(distribution.shutil, "which", lambda _: None)
    monkeypatch.setattr(distribution, "RELEASES", f"http://127.0.0.1:{free_port()}")
    older = distribution.Release("1.2.3", SHA256)
    with pytest.raises(OperatorError, match=r"/1\.2\.3/keycloak-1\.2\.3\.zip could not be downloaded"):
        distribution.ensure_archive(tmp_path, older)
    archive = tmp_path / "keycloak-1.2.3.zip"
    archive.write_bytes(CONTENT)
    assert distribution.ensure_archive(tmp_path, older) == archive


def test_without_any_source_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv(distribution.ZIP_VARIABLE, raising=False)
    monkeypatch.setattr(distribution.shutil, "which", lambda _: None)
    monkeypatch.setattr(distribution, "RELEASES", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(OperatorError) as failed:
        distribution.ensure_archive(tmp_path)
    assert distribution.ZIP_VARIABLE in failed.value.next_step
