"""Puts the service together: correlation, Host and Origin, guard, then FastAPI with FastMCP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.security import OAuth2AuthorizationCodeBearer
from fastmcp import FastMCP
from fastmcp.tools import FunctionTool
from starlette.routing import Route
from starlette.types import ASGIApp

from service import __version__
from service.api import errors, health
from service.api.logout import LOGOUT_PATH, logout_router
from service.api.management import ManagementPort
from service.api.tools import tools_router
from service.auth.agreement import Agreement
from service.auth.challenge import Challenges
from service.auth.guard import Guard
from service.auth.keys import JwksKeySource
from service.auth.logout import LogoutTokenValidator
from service.auth.metadata import metadata_paths, metadata_routes, metadata_url
from service.auth.origin import OriginGate
from service.auth.rate import CallerRate
from service.auth.revocation import Revocations
from service.auth.scopes import FIRST_SCOPES
from service.auth.token import CLOCK_READS_SECONDS, KeySource, TokenValidator
from service.cache import STREAM_TIMEOUT_SECONDS, TIMEOUT_SECONDS, build_cache, build_redis
from service.console.config import auth_origin, page_config
from service.console.routes import page_routes, paths_of
from service.contract import Contract, load_contract
from service.direct.layer import DirectCalls, direct_tools
from service.downstream import Downstream, build_downstream
from service.mcp_server import build_mcp_server, build_tools
from service.settings import Settings, load_settings
from service.settings_checks import reveal
from service.startup import or_exit
from service.telemetry import level
from service.telemetry.correlation import Correlation
from service.telemetry.events import Event
from service.telemetry.publish import Publisher
from service.telemetry.sinks import configure_sinks
from service.tools.registry import ToolRegistry, discover

log = structlog.get_logger(__name__)

OPENAPI_PATH: Final = "/openapi.json"


def create_app(
    settings: Settings | None = None, keys: KeySource | None = None, agreement: Agreement | None = None
) -> ASGIApp:
    """Return the service as an ASGI application.

    Args:
        settings: read from the environment when None.
        keys: where verification keys come from; fetched from the issuer when None.
        agreement: what `keys` tells about the issuer's metadata, where they are given.

    Exits with code 2 and short lines on stderr when settings, contract or tools are wrong.
    """
    settings = settings or or_exit(load_settings)
    contract = or_exit(lambda: load_contract(settings.access_contract))
    tools = or_exit(lambda: discover(contract)).configured(settings)
    downstream = or_exit(lambda: build_downstream(settings, contract))
    level.begin(settings.log_level)
    configure_sinks(settings)
    agreement = agreement or Agreement(settings.issuer, contract)
    keys = keys or JwksKeySource(
        issuer=settings.issuer,
        internal_url=settings.issuer_internal_url,
        ttl=settings.jwks_ttl_seconds,
        cache=build_cache(reveal(settings.redis_url)),
        algorithms=settings.algorithms,
        on_metadata=agreement.see,
    )
    revocations = Revocations(
        contract.lifetimes["access_token"] + settings.leeway_seconds,
        build_redis(reveal(settings.redis_url), STREAM_TIMEOUT_SECONDS),
    )
    caller_rate = build_caller_rate(settings)
    challenges = Challenges(metadata_url(settings), FIRST_SCOPES, contract.clients)
    open_paths = metadata_paths(settings)
    function_tools = build_tools(tools)
    server = build_mcp_server(tools, function_tools)
    pages = page_routes(page_config(settings, contract, tools, function_tools), auth_origin(settings))
    validator = TokenValidator(
        issuer=settings.issuer,
        audience=settings.audience,
        algorithms=settings.algorithms,
        leeway=settings.leeway_seconds,
        keys=keys,
        contract=contract,
        allowed_clients=frozenset(settings.allowed_clients),
        max_lifetime=contract.lifetimes["access_token"] + CLOCK_READS_SECONDS,
        cache_seconds=settings.token_cache_seconds,
        revocations=revocations,
    )
    publisher = Publisher(settings, keys, revocations, validator, caller_rate)
    api = build_api(
        server,
        settings,
        contract,
        tools,
        function_tools,
        keys,
        revocations,
        challenges,
        agreement,
        pages,
        publisher,
        downstream,
        caller_rate,
    )
    guard = Guard(
        DirectCalls(api, server, direct_tools(server, function_tools), settings.mcp_path),
        validator=validator,
        tools=tools,
        challenges=challenges,
        mcp_path=settings.mcp_path,
        public_paths=(*open_paths, *health.HEALTH_PATHS, LOGOUT_PATH, OPENAPI_PATH, *paths_of(pages)),
        downstream=downstream,
        caller_rate=caller_rate,
    )
    gate = OriginGate(
        guard,
        public_origin=settings.public_origin,
        origins=settings.cors_origins,
        open_paths=open_paths,
        server_paths=(LOGOUT_PATH,),
    )
    service = Correlation(gate, settings.mcp_path)
    return ManagementPort(service, settings.management_port) if settings.management_port else service


def build_api(
    server: FastMCP[Any],
    settings: Settings,
    contract: Contract,
    tools: ToolRegistry,
    function_tools: Sequence[FunctionTool],
    keys: KeySource,
    revocations: Revocations,
    challenges: Challenges,
    agreement: Agreement,
    pages: Sequence[Route],
    publisher: Publisher,
    downstream: Downstream | None = None,
    caller_rate: CallerRate | None = None,
) -> FastAPI:
    """Return what stands behind the guard: MCP endpoint, REST view, metadata, health, pages.

    Args:
        server: the MCP server.
        settings: the settings.
        contract: the access contract.
        tools: all tools.
        function_tools: FastMCP's form of them.
        keys: started and stopped with the application.
        revocations: likewise; learns which sessions ended.
        challenges: makes the refusals of routes that ask for scopes themselves.
        agreement: what was found out about the realm.
        pages: console and API documentation.
        publisher: publishes metrics while the application runs.
        downstream: stopped with the application.
        caller_rate: started and stopped with the application.
    """
    mcp_app = server.http_app(path=settings.mcp_path, stateless_http=True, json_response=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with mcp_app.lifespan(mcp_app):
            await keys.start()
            await revocations.start()
            if caller_rate is not None:
                await caller_rate.start()
            await publisher.start()
            log.info(Event.SERVICE_STARTED, version=__version__, environment=settings.environment, tools=sorted(tools))
            try:
                yield
            finally:
                await publisher.stop()
                if downstream is not None:
                    await downstream.exchanger.stop()
                if caller_rate is not None:
                    await caller_rate.stop()
                await revocations.stop()
                await keys.stop()
                log.info(Event.SERVICE_STOPPED)

    app = FastAPI(
        title="Secure MCP",
        version=__version__,
        description="The tools of this MCP server as plain HTTP. MCP clients use the MCP endpoint itself: "
        f"`{settings.audience}`.",
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.keys = keys
    app.state.agreement = agreement
    app.state.challenges = challenges
    errors.install(app)
    app.include_router(health.router)
    app.include_router(logout_router(logout_validator(settings, contract, keys), revocations))
    app.include_router(tools_router(server, tools, function_tools, oauth2_scheme(settings, contract)))
    app.router.routes.extend(metadata_routes(settings, FIRST_SCOPES))
    app.router.routes.extend(pages)
    app.router.routes.append(Route(settings.mcp_path, endpoint=mcp_app, methods=["POST"]))
    return app


def build_caller_rate(settings: Settings) -> CallerRate | None:
    """Return what counts the requests of each caller, or None where no rate is set.

    Args:
        settings: the settings.
    """
    if settings.caller_requests_per_minute is None:
        return None
    redis = build_redis(reveal(settings.redis_url), TIMEOUT_SECONDS)
    return CallerRate(settings.caller_requests_per_minute, redis, settings.workers)


def logout_validator(settings: Settings, contract: Contract, keys: KeySource) -> LogoutTokenValidator:
    """Return what judges logout tokens; Keycloak addresses one to each client that took part in a session.

    Args:
        settings: the settings.
        contract: names the clients.
        keys: where verification keys come from.
    """
    return LogoutTokenValidator(
        issuer=settings.issuer,
        clients=frozenset(contract.clients),
        algorithms=settings.algorithms,
        leeway=settings.leeway_seconds,
        keys=keys,
    )


def oauth2_scheme(settings: Settings, contract: Contract) -> OAuth2AuthorizationCodeBearer:
    """Return the OpenAPI security scheme: authorization code with PKCE at the issuer.

    Args:
        settings: the settings.
        contract: names and describes the scopes.
    """
    endpoint: Any = f"{settings.issuer}/protocol/openid-connect"
    return OAuth2AuthorizationCodeBearer(
        authorizationUrl=f"{endpoint}/auth",
        tokenUrl=f"{endpoint}/token",
        refreshUrl=f"{endpoint}/token",
        scopes={name: scope.description for name, scope in contract.scopes.items()},
        description="Authorization code with PKCE (S256)",
        auto_error=False,
    )
