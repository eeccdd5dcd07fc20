"""ops.secrets: random, private, made once."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from ops.errors import OperatorError
from ops.secrets import ensure_secret, ensure_secrets, read_secret


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_secret_is_private_and_long(tmp_path):
    folder = tmp_path / "secrets"
    assert len(ensure_secret(folder, "mcp-server")) >= 43
    assert mode(folder) == 0o700
    assert mode(folder / "mcp-server") == 0o400


def test_secret_stays(tmp_path):
    assert ensure_secret(tmp_path, "a") == ensure_secret(tmp_path, "a")


def test_secrets_differ(tmp_path):
    assert len(set(ensure_secrets(tmp_path, ["a", "b", "c"]).values())) == 3


def test_all_who_make_it_at_once_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: ensure_secret(tmp_path, "a"), range(32)))
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_folder_that_others_can_enter_is_closed(tmp_path):
    tmp_path.chmod(0o755)
    ensure_secret(tmp_path, "a")
    assert mode(tmp_path) == 0o700


def test_file_that_others_can_read_is_refused(tmp_path):
    ensure_secret(tmp_path, "a")
    (tmp_path / "a").chmod(0o644)
    with pytest.raises(OperatorError, match="chmod 400"):
        read_secret(tmp_path, "a")


def test_missing_secret_names_the_way_out(tmp_path):
    with pytest.raises(OperatorError, match="make up"):
        read_secret(tmp_path, "a")
