"""The REST view: the same tools behind the same decision."""

import pytest

from tests.support import client
from tests.support.http import Service, bearer, text_of
from tests.support.realm import Stack
from tests.support.verdict import assert_no_credentials

pytestmark = pytest.mark.requirement("REST")


def test_it_lists_what_the_caller_may_call(service: Service, reader_token: str, automation_token: str) -> None:
    def names(token: str) -> set[str]:
        answer = service.get("/api/v1/tools", token).json()
        return {tool["name"] for tool in (answer["tools"] if isinstance(answer, dict) else answer)}

    assert names(reader_token) == {"echo", "timestamp"}
    assert names(automation_token) == {"echo", "timestamp", "calculate"}


@pytest.mark.parametrize(
    ("tool", "arguments"), [("echo", {"text": "grüße ✓"}), ("calculate", {"expression": "(1 + 2) * 3.5"})]
)
def test_both_views_give_the_same_result(service: Service, automation_token: str, tool: str, arguments: dict) -> None:
    rest = service.use(tool, arguments, automation_token, entrance="rest")
    assert rest.status_code == 200
    assert rest.json()["tool"] == tool
    seen = rest.json()["result"]
    told = text_of(service.use(tool, arguments, automation_token))
    assert told == str(seen) or float(told) == float(seen)


def test_an_unknown_tool_is_not_found(service: Service, automation_token: str) -> None:
    response = service.use("erase", {}, automation_token, entrance="rest")
    assert response.status_code == 404
    assert response.json()["request_id"]


@pytest.mark.parametrize("arguments", [{}, {"text": 1}, {"text": "x", "more": 1}, {"text": None}, {"text": ["x"]}])
def test_wrong_arguments_are_a_client_error(service: Service, reader_token: str, arguments: dict) -> None:
    response = service.use("echo", arguments, reader_token, entrance="rest")
    assert response.status_code in {400, 422}, response.text
    assert response.json()["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_a_tool_is_called_by_post_only(stack: Stack, reader_token: str, method: str) -> None:
    response = client.request(method, f"{stack.public_url}/api/v1/tools/echo", headers=bearer(reader_token))
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


def test_the_description_is_public_and_names_the_scopes(stack: Stack, service: Service) -> None:
    document = service.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) >= {"/api/v1/tools", "/api/v1/tools/echo", "/api/v1/tools/calculate"} or (
        set(document["paths"]) >= {"/api/v1/tools", "/api/v1/tools/{name}"}
    )
    assert service.get("/docs").status_code == 200
    assert_no_credentials(service.get("/api/v1/tools"), stack)
