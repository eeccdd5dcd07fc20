"""What is called, and where."""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.benchmarks.calls import servers
from tests.benchmarks.calls.servers import Server
from tests.benchmarks.calls.wrk import Run, Wrk
from tests.security.issuer import FakeIssuer
from tests.unit.jose import claims, public_jwk, sign

REALM = "bench"
TOKENS = 200
KID = "k" * 43  # as long as Keycloak's
NEW, OLD, REST, FLOOR_GROUP = "tools/call, 2026-07-28", "tools/call, 2025-11-25", "REST", "floor"
OURS, STOCK, TUNED = "ours", "FastMCP + JWTVerifier", "the same, our collector settings"
SDK, KEYCLOAK, JOSERFC = "MCP SDK, low level", "FastAPI + fastapi-keycloak-middleware", "FastAPI + joserfc"
FLOOR = "raw ASGI echo, no token"
MANY = 200

_CALL = {"name": "echo", "arguments": {"text": "hello"}}
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def _message(**params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**_CALL, **params}})


_REQUESTS: Mapping[str, tuple[str, dict[str, str], str]] = {
    NEW: (
        "/mcp",
        {**_JSON, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "echo"},
        _message(_meta=_META),
    ),
    OLD: ("/mcp", {**_JSON, "MCP-Protocol-Version": "2025-11-25"}, _message()),
    REST: ("/api/v1/tools/echo", _JSON, json.dumps({"text": "hello"})),
    FLOOR_GROUP: ("/", _JSON, json.dumps({"text": "hello"})),
}


def request_of(group: str) -> tuple[str, dict[str, str], str]:
    """Return path, headers and body of a kind of request."""
    return _REQUESTS[group]


@dataclass
class Sample:
    """One run: CPU in microseconds a request, latencies in milliseconds."""

    cpu: float
    rate: float
    p50: float
    p99: float


@dataclass
class Case:
    """One kind of request to one server."""

    group: str
    name: str
    server: Server
    issuer: str
    wrk: Wrk
    samples: list[Sample] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the requests go."""
        return self.server.origin + _REQUESTS[self.group][0]

    def tokens(self, number: int = TOKENS) -> list[str]:
        """Return fresh access tokens as Keycloak makes them; they live for 300 s, like ours."""
        own = {"iss": self.issuer, "aud": [f"{self.server.origin}/mcp", "mcp-server"]}
        stamp = time.time_ns()
        return [sign(claims(**own, jti=f"onrtcc:{stamp + one:032x}"), "RS256", kid=KID) for one in range(number)]

    def prove(self) -> None:
        """Be answered for a good token, and refused for a forged one: who accepts everything is quick."""
        _, headers, body = _REQUESTS[self.group]
        token = self.tokens(1)[0]
        head, _, signature = token.rpartition(".")
        letter = "A" if signature[9] != "A" else "B"
        forged = f"{head}.{signature[:9]}{letter}{signature[10:]}"
        for sent, wanted in ((token, True), (forged, self.group == FLOOR_GROUP)):
            answer = httpx.post(
                self.url,
                content=body,
                headers={**headers, "Authorization": f"Bearer {sent}"},
                trust_env=False,
                timeout=60,
            )
            served = answer.status_code == 200 and "hello" in answer.text and '"isError":true' not in answer.text
            if served is not wanted:
                raise SystemExit(f"{self.group}, {self.name}: {answer.status_code} {answer.text[:500]}")

    def run(self, connections: int, seconds: int) -> None:
        """Measure once."""
        tokens = self.tokens()
        before = self.server.cpu_seconds()
        found: Run = self.wrk.run(self.url, tokens, connections, seconds)
        used = self.server.cpu_seconds() - before
        rate = found.requests / found.seconds
        self.samples.append(Sample(used / found.requests * 1e6, rate, found.p50, found.p99))


def build(stack: ExitStack, folder: Path, issuer: FakeIssuer) -> list[Case]:
    """Start every server and return the cases; the servers end with the stack."""
    issuer.realms[REALM] = [public_jwk("RS256", kid=KID)]
    variables = {"BENCH_ISSUER": issuer.issuer(REALM), "BENCH_JWKS": json.dumps({"keys": issuer.realms[REALM]})}

    def peer(factory: str, name: str, environment: dict[str, str] = variables) -> Server:
        return stack.enter_context(servers.uvicorn(factory, name, folder, environment))

    ours = stack.enter_context(servers.ours(servers.OURS, "ours", folder, issuer.issuer(REALM)))
    with_many = servers.ours(servers.OURS_MANY, "ours-many", folder, issuer.issuer(REALM), {"BENCH_TOOLS": str(MANY)})
    stock, tuned, sdk = (
        peer("fastmcp:fastmcp_stock", "stock"),
        peer("fastmcp:fastmcp_tuned", "tuned"),
        peer("sdk:sdk_lowlevel", "sdk"),
    )
    mcp = {OURS: ours, STOCK: stock, TUNED: tuned, SDK: sdk}
    rest = {
        OURS: ours,
        KEYCLOAK: peer("keycloak_middleware:fastapi_keycloak_middleware", "keycloak-middleware"),
        JOSERFC: peer("joserfc_dependency:fastapi_joserfc", "joserfc"),
    }
    everywhere = {
        NEW: {
            **mcp,
            f"{OURS}, {MANY} tools": stack.enter_context(with_many),
            f"{STOCK}, {MANY} tools": peer(
                "fastmcp:fastmcp_stock", "stock-many", {**variables, "BENCH_TOOLS": str(MANY)}
            ),
        },
        OLD: mcp,
        REST: rest,
        FLOOR_GROUP: {FLOOR: peer("floor:floor", "floor")},
    }
    cases = []
    for group, found in everywhere.items():
        _, headers, body = _REQUESTS[group]
        for name, server in found.items():
            wrk = Wrk(folder, f"case-{len(cases)}", headers, body)
            cases.append(Case(group, name, server, issuer.issuer(REALM), wrk))
    for case in cases:
        own = case.name.startswith(OURS)
        case.server.wait("/readyz" if own else "/", (200,) if own else range(600))
    return cases
