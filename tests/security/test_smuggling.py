"""Edge and service agree where a request ends: nobody's request is answered as somebody else's."""

from collections.abc import Iterator

import pytest

from tests.security.fronts import Front, front
from tests.security.issuer import FakeIssuer
from tests.support.smuggle import smuggle, smuggle_http2

UNLIMITED = {"rate_mcp": "9999r/s", "burst_mcp": "9999"}
AT_LEAST = 60


@pytest.fixture(scope="module")
def open_front(issuer: FakeIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(issuer, tmp_path_factory.mktemp("front"), **UNLIMITED) as running:
        yield running


@pytest.mark.requirement("EDGE-SMUGGLING")
def test_no_request_hides_in_another(open_front: Front) -> None:
    count, wrong = smuggle(open_front.target, open_front.token)
    assert wrong == []
    assert count >= AT_LEAST
    assert open_front.reached == 0


@pytest.mark.requirement("EDGE-SMUGGLING")
def test_no_request_hides_in_one_of_http2(open_front: Front) -> None:
    count, wrong = smuggle_http2(open_front.target, open_front.token)
    assert wrong == []
    assert count == 30
    assert open_front.reached == 0


@pytest.mark.requirement("EDGE-STRANGERS")
def test_a_strangers_name_on_a_connection_of_ours_is_misdirected(open_front: Front) -> None:
    """The connection is for a name of ours, the request on it for another: no page of ours, nor the server's own."""
    with open_front.target.connect() as connection, connection.makefile("rb") as answer:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: stranger.example\r\nConnection: close\r\n\r\n")
        assert answer.readline().startswith(b"HTTP/1.1 421 ")
