"""The routes of the pages. Each path is spelled out, because the guard opens exactly these and nothing else."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

from starlette.routing import Route

from service.console import config
from service.console.files import Endpoint, document, load
from service.console.headers import Policy, console_policy, docs_policy, page_headers

CONFIG_PATH: Final = "/console/config.json"
HTML: Final = "text/html; charset=utf-8"
SWAGGER_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css")
# A page asks each time whether it is still the same; the address of a sign-in carries a code, so nothing is kept of it.
_ASK: Final = "no-cache"
_KEEP_NOTHING: Final = "no-store"


def page_routes(page_config: Mapping[str, Any], auth_origin: str) -> list[Route]:
    """Return the routes of the console and of the API documentation.

    Args:
        page_config: the document of `config.page_config`.
        auth_origin: origin of the authorization server.
    """
    package = resources.files("service.console")
    own = load("/console", package / "static")
    # The wheel carries the files of Swagger UI's own release; its code is not used.
    swagger = load("/docs", resources.files("fastapi_swagger") / "resources", SWAGGER_FILES)
    folders = {"console": own.path, "swagger": swagger.path}

    def page(name: str, policy: Policy, cache: str) -> Endpoint:
        html = (package / name).read_text(encoding="utf-8")
        for folder, path in folders.items():
            html = html.replace(f"${{{folder}}}", path)
        return document(html.encode(), HTML, page_headers(policy, cache))

    console, docs = console_policy(auth_origin), docs_policy(auth_origin)
    content = json.dumps(page_config, ensure_ascii=False, separators=(",", ":")).encode()
    endpoints = {
        "/": page("console.html", console, _ASK),
        config.CONSOLE_CALLBACK: page("console.html", console, _KEEP_NOTHING),
        CONFIG_PATH: document(content, "application/json", {"Cache-Control": _ASK}),
        "/docs": page("docs.html", docs, _ASK),
        config.DOCS_CALLBACK: page("docs.html", docs, _KEEP_NOTHING),
        **own.endpoints(),
        **swagger.endpoints(),
    }
    return [Route(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()]


def paths_of(routes: Sequence[Route]) -> tuple[str, ...]:
    """Return the paths, for the guard."""
    return tuple(route.path for route in routes)
