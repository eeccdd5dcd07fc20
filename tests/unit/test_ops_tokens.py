"""ops.token_cache and ops.assertion: what is kept, for how long and for whom; what a client signs."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from ops.assertion import LIFETIME_S, client_assertion, read_key
from ops.errors import OperatorError
from ops.token_cache import MARGIN_S, cached, forget

pytestmark = pytest.mark.requirement("OPS-TOKENS")

WHO = ("https://as.example/token", "job", "", "")


class Server:
    """Gives a new token at each call."""

    def __init__(self, expires_in: object = 300) -> None:
        self.calls = 0
        self.expires_in = expires_in

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {"access_token": f"token-{self.calls}", "expires_in": self.expires_in}


def test_a_token_is_kept_for_the_same_caller_only(tmp_path: Path) -> None:
    server = Server()
    assert [cached(tmp_path / "t", WHO, server) for _ in range(3)] == ["token-1"] * 3
    for other in (("https://as.example/token", "job", "mcp:read", ""), ("https://as.example/token", "jobx", "", "")):
        assert cached(tmp_path / "t", other, server) != "token-1"
    assert cached(tmp_path / "t", ("https://as.example/toke", "njob", "", ""), server) != "token-1"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    cached(tmp_path / "t", WHO, Server())
    (kept,) = (tmp_path / "t").iterdir()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "job" not in kept.name


@pytest.mark.parametrize("spoil", ["expired", "nearly", "open", "damaged", "empty"])
def test_what_is_no_good_any_more_is_fetched_anew(tmp_path: Path, spoil: str) -> None:
    server = Server()
    cached(tmp_path, WHO, server)
    (kept,) = tmp_path.iterdir()
    value = json.loads(kept.read_text(encoding="utf-8"))
    ends = {"expired": time.time() - 1, "nearly": time.time() + MARGIN_S - 1}.get(spoil, value["expires_at"])
    texts = {"damaged": "{", "empty": "{}"}
    kept.write_text(texts.get(spoil, json.dumps(value | {"expires_at": ends})), encoding="utf-8")
    kept.chmod(0o644 if spoil == "open" else 0o600)
    assert cached(tmp_path, WHO, server) == "token-2"
    assert cached(tmp_path, WHO, server) == "token-2"


@pytest.mark.parametrize("expires_in", [None, 0, MARGIN_S, "300"])
def test_a_token_whose_end_is_near_or_unknown_is_not_kept(tmp_path: Path, expires_in: object) -> None:
    server = Server(expires_in)
    assert [cached(tmp_path, WHO, server) for _ in range(2)] == ["token-1", "token-2"]


def test_what_is_kept_can_be_forgotten(tmp_path: Path) -> None:
    server = Server()
    cached(tmp_path, WHO, server)
    forget(tmp_path)
    forget(tmp_path / "none")
    assert cached(tmp_path, WHO, server) == "token-2"


def written(path: Path, content: bytes, mode: int = 0o400) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSAKey.generate_key(2048), "RS256"), (ECKey.generate_key("P-256"), "ES256")]
)
def test_an_assertion_is_for_one_server_once_and_short(tmp_path: Path, key: RSAKey | ECKey, algorithm: str) -> None:
    own = read_key(written(tmp_path / "key.pem", key.as_pem(private=True)))
    forms = [client_assertion("job", own, "https://as.example") for _ in range(2)]
    tokens = [jwt.decode(form["client_assertion"], key, algorithms=[algorithm]) for form in forms]
    claims = [token.claims for token in tokens]
    assert {(one["iss"], one["sub"], one["aud"]) for one in claims} == {("job", "job", "https://as.example")}
    assert claims[0]["exp"] - claims[0]["iat"] == LIFETIME_S
    assert claims[0]["jti"] != claims[1]["jti"]
    assert "client_secret" not in forms[0]


@pytest.mark.parametrize("case", ["missing", "open", "public", "nonsense", "symmetric"])
def test_a_key_that_is_none_is_refused(tmp_path: Path, case: str) -> None:
    pair = ECKey.generate_key("P-256")
    content = {
        "public": pair.as_pem(private=False),
        "nonsense": b"nonsense",
        "symmetric": json.dumps(OctKey.generate_key(256).as_dict()).encode(),
    }.get(case, pair.as_pem(private=True))
    path = tmp_path / "key.pem"
    if case != "missing":
        written(path, content, 0o644 if case == "open" else 0o400)
    with pytest.raises(OperatorError):
        read_key(path)
