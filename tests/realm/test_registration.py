"""Dynamic client registration (RFC 7591) where the contract opens it: who may register, and what never gets in."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ops.realm import render_lock
from ops.registered import BY_HAND, DAY_S, DYNAMIC, delete, registered_clients
from tests.support import client
from tests.support.browser import Browser
from tests.support.fixtures import realm_values
from tests.support.login import CodeFlow
from tests.support.oauth import request_token
from tests.support.realm import Realm, answered
from tests.support.registration import LOOPBACK, Registrar, changed_policy, opened
from tests.support.secrecy import Secrets

pytestmark = pytest.mark.requirement("REALM-REGISTRATION-OPEN")

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(scope="module")
def realm(keycloak, admin, public_url, client_secrets) -> Iterator[Realm]:
    realm = Realm(keycloak.url, admin, Secrets(client_secrets), name="open-realm")
    admin.post("", json=opened(render_lock(realm_values(public_url, client_secrets), realm.name)))
    yield realm
    admin.delete(f"/{realm.name}")


@pytest.fixture
def registrar(realm: Realm) -> Iterator[Registrar]:
    registrar = Registrar(realm)
    yield registrar
    registrar.forget()


def test_a_desktop_client_of_a_trusted_host_registers_and_is_held_short(registrar: Registrar) -> None:
    kept = registrar.kept(registrar.register())
    flows = ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled", "fullScopeAllowed")
    assert {name: kept[name] for name in flows} == dict.fromkeys(flows, False)
    assert (kept["consentRequired"], kept["standardFlowEnabled"]) == (True, True)
    assert kept["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not {"mcp-declared", "mcp-roles"} & {*kept["defaultClientScopes"], *kept["optionalClientScopes"]}


WRONG: dict[str, dict[str, Any]] = {
    "host that is not trusted": {"redirect_uris": ["https://evil.example/callback"]},
    "one bad among good": {"redirect_uris": [*LOOPBACK, "https://evil.example/callback"]},
    "http that is not loopback": {"redirect_uris": ["http://app.example.com/callback"]},
    "javascript": {"redirect_uris": ["javascript:alert(1)"]},
    "javascript with a trusted host": {"redirect_uris": ["javascript://localhost/%0aalert(1)"]},
    "data": {"redirect_uris": ["data:text/html,<script>alert(1)</script>"]},
    "wildcard": {"redirect_uris": ["*"]},
    "wildcard in the path": {"redirect_uris": ["https://app.example.com/*"]},
    "wildcard on loopback": {"redirect_uris": ["http://127.0.0.1/*"]},
    "wildcard in the host": {"redirect_uris": ["https://*.example.com/callback"]},
    "fragment": {"redirect_uris": ["https://app.example.com/callback#x"]},
    "user name before a trusted host": {"redirect_uris": ["https://evil.example@app.example.com/callback"]},
    "trusted host as user name": {"redirect_uris": ["http://localhost@evil.example/callback"]},
    "backslash": {"redirect_uris": ["https://evil.example\\@app.example.com/callback"]},
    "no scheme": {"redirect_uris": ["/callback"]},
    "own scheme": {"redirect_uris": ["com.example.app:/callback"]},
    "logo from elsewhere": {"logo_uri": "https://evil.example/logo.png"},
    "keys from elsewhere": {"jwks_uri": "https://evil.example/keys", "token_endpoint_auth_method": "private_key_jwt"},
    "keys from this machine": {"jwks_uri": "http://127.0.0.1:9000/", "token_endpoint_auth_method": "private_key_jwt"},
    "logout call to elsewhere": {"backchannel_logout_uri": "https://evil.example/logout"},
    "logout call to this machine": {"backchannel_logout_uri": "http://127.0.0.1:9000/"},
    "page after logout elsewhere": {"post_logout_redirect_uris": ["https://evil.example/"]},
    "roles": {"scope": "mcp:read mcp-roles"},
    "marker of declared clients": {"scope": "mcp:read mcp-declared"},
    "scope of service accounts": {"scope": "service_account"},
    "scope of nobody": {"scope": "mcp:read mcp:root"},
    "implicit grant": {"grant_types": ["implicit"], "response_types": ["token"]},
    "implicit beside the code": {
        "grant_types": ["authorization_code", "implicit"],
        "response_types": ["code", "token"],
    },
    "password grant": {"grant_types": ["password"]},
    "password beside the code": {"grant_types": ["authorization_code", "password"]},
}


@pytest.mark.parametrize("metadata", WRONG.values(), ids=WRONG.keys())
def test_what_must_not_be_registered_is_refused(registrar: Registrar, metadata: dict[str, Any]) -> None:
    refused = registrar.ask(**metadata)
    assert refused.status_code in {400, 403}, refused.text
    assert "client_id" not in refused.json()


@pytest.mark.parametrize("metadata", WRONG.values(), ids=WRONG.keys())
def test_it_is_not_swapped_in_by_an_update_either(registrar: Registrar, metadata: dict[str, Any]) -> None:
    registered = registrar.register()
    before = registrar.kept(registered)
    refused = registrar.update(registered, **metadata)
    assert refused.status_code in {400, 403}, refused.text
    assert registrar.kept(registered) == before


def test_a_caller_that_is_not_trusted_is_refused_whatever_its_headers_say(realm: Realm, registrar: Registrar) -> None:
    redirects = ["https://203.0.113.9/callback"]
    with changed_policy(realm, "trusted-hosts", trusted_hosts=["203.0.113.9"]):
        for headers in (
            {},
            {"X-Forwarded-For": "203.0.113.9"},
            {"X-Forwarded-For": "127.0.0.1, 203.0.113.9", "X-Forwarded-Proto": "https"},
            {"X-Real-IP": "203.0.113.9"},
            {"Forwarded": "for=203.0.113.9"},
            {"X-Forwarded-Host": "203.0.113.9", "X-Forwarded-Port": "443"},
        ):
            refused = registrar.ask(redirect_uris=redirects, headers=headers)
            assert refused.status_code == 403, (headers, refused.text)
            assert "Host not trusted" in refused.json()["error_description"]


# Mappers are no part of RFC 7591; Keycloak takes them in a format of its own, at another address.
MAPPERS = {
    "hard-coded role": ("oidc-hardcoded-role-mapper", {"role": "mcp-admin"}),
    "hard-coded claim": (
        "oidc-hardcoded-claim-mapper",
        {"claim.name": "realm_access.roles", "claim.value": "mcp-admin"},
    ),
    "user property": (
        "oidc-usermodel-property-mapper",
        {"user.attribute": "email", "claim.name": "preferred_username"},
    ),
    "user attribute": ("oidc-usermodel-attribute-mapper", {"user.attribute": "phone", "claim.name": "phone"}),
    "audience": ("oidc-audience-mapper", {"included.custom.audience": "https://other.example/mcp"}),
}


def own_format(**changes: Any) -> dict[str, Any]:
    flows = ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled")
    usual = {"clientId": "stranger", "publicClient": True, "redirectUris": LOOPBACK, "protocol": "openid-connect"}
    return usual | dict.fromkeys(flows, False) | {"standardFlowEnabled": True, "attributes": {}} | changes


def mapper(kind: str, config: dict[str, str]) -> list[dict[str, Any]]:
    config = config | {"access.token.claim": "true"}
    return [{"name": "mine", "protocol": "openid-connect", "protocolMapper": kind, "config": config}]


@pytest.mark.parametrize(("kind", "config"), MAPPERS.values(), ids=MAPPERS.keys())
def test_a_mapper_gets_in_neither_at_first_nor_by_an_update(
    realm: Realm, registrar: Registrar, kind: str, config: dict[str, str]
) -> None:
    url = f"{realm.issuer}/clients-registrations/default"
    mappers = mapper(kind, config)
    refused = client.post(url, json=own_format(protocolMappers=mappers))
    assert refused.status_code == 403, refused.text
    registered = answered(client.post(url, json=own_format()))
    headers = {"Authorization": f"Bearer {registered.pop('registrationAccessToken')}"}
    refused = client.request("PUT", f"{url}/stranger", json=registered | {"protocolMappers": mappers}, headers=headers)
    assert refused.status_code == 403, refused.text
    kept = realm.admin.get(f"/{realm.name}/clients", clientId="stranger")[0]
    assert kept.get("protocolMappers", []) == []


OWN_FORMAT = {
    "full scope": {"fullScopeAllowed": True},
    "no consent": {"consentRequired": False},
    "implicit flow": {"implicitFlowEnabled": True},
    "password grant": {"directAccessGrantsEnabled": True},
    "inner scope": {"defaultClientScopes": ["mcp-declared"]},
    "any page": {"webOrigins": ["*"]},
    "a page from elsewhere": {"webOrigins": ["https://evil.example"]},
    "an address that Keycloak calls": {"adminUrl": "http://169.254.169.254/"},
}


@pytest.mark.parametrize("changes", OWN_FORMAT.values(), ids=OWN_FORMAT.keys())
def test_keycloaks_own_format_opens_no_other_door(realm: Realm, registrar: Registrar, changes: dict[str, Any]) -> None:
    client.post(f"{realm.issuer}/clients-registrations/default", json=own_format(**changes))
    for kept in realm.admin.get(f"/{realm.name}/clients", clientId="stranger"):
        assert kept["fullScopeAllowed"] is False
        assert kept["consentRequired"] is True
        assert (kept["implicitFlowEnabled"], kept["directAccessGrantsEnabled"]) == (False, False)
        assert "mcp-declared" not in kept["defaultClientScopes"]
        assert kept["webOrigins"] == ["http://127.0.0.1"]
        assert not kept.get("adminUrl")


def test_one_client_over_the_limit_is_refused(realm: Realm, registrar: Registrar) -> None:
    there = len(realm.admin.get(f"/{realm.name}/clients"))
    with changed_policy(realm, "max-clients", max_clients=[str(there + 1)]):
        registrar.register()
        refused = registrar.ask()
        assert refused.status_code == 403, refused.text
        assert "Max Clients Limit" in refused.json()["error_description"]


@pytest.mark.parametrize("grant", ["client_credentials", EXCHANGE, DEVICE])
def test_a_registered_client_gets_no_token_without_a_person(realm: Realm, registrar: Registrar, grant: str) -> None:
    registered = registrar.register(
        grant_types=["authorization_code", grant], token_endpoint_auth_method="client_secret_post"
    )
    token = realm.token_for("mcp-automation")
    kind = "urn:ietf:params:oauth:token-type:access_token"
    fields = {"subject_token": token, "subject_token_type": kind} if grant == EXCHANGE else {}
    fields |= {name: registered[name] for name in ("client_id", "client_secret")}
    refused = request_token(realm.token_endpoint, grant, device_code="x" if grant == DEVICE else None, **fields)
    assert refused.status_code in {400, 403}, refused.text
    assert "access_token" not in refused.json()


def test_a_device_code_that_a_person_approved_is_worth_nothing(realm: Realm, registrar: Registrar, browser) -> None:
    registered, person, flow = registrar.register(grant_types=[DEVICE]), realm.add_person(), realm.flow()
    challenge = {"code_challenge": flow.pkce.challenge, "code_challenge_method": "S256"}
    asked = {"client_id": registered["client_id"], "scope": "mcp:read"} | challenge
    begun = client.post(f"{realm.issuer}/protocol/openid-connect/auth/device", data=asked)
    if begun.status_code == 200:
        page = browser.log_in(browser.open(begun.json()["verification_uri_complete"]), person.username, person.password)
        if page.form("accept"):
            browser.answer_consent(page)
        code = {"device_code": begun.json()["device_code"], "code_verifier": flow.pkce.verifier}
        begun = request_token(realm.token_endpoint, DEVICE, client_id=registered["client_id"], **code)
    assert begun.status_code in {400, 403}, begun.text
    assert begun.json()["error_description"] == "Request not allowed"


def test_a_page_of_a_declared_origin_may_register_and_no_other(realm: Realm, registrar: Registrar, stack) -> None:
    welcome = registrar.ask(headers={"Origin": stack.public_url})
    assert (welcome.status_code, welcome.headers["access-control-allow-origin"]) == (201, stack.public_url)
    refused = registrar.ask(headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403, refused.text
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.requirement("MCP-A5")
def test_a_client_that_registered_without_scope_steps_up(realm: Realm, registrar: Registrar, new_browser) -> None:
    registered, person = registrar.register(), realm.add_person()
    for scope in ("mcp:read", "mcp:read mcp:write"):
        flow = flow_of(realm, registered, scope)
        with new_browser() as browser:
            answer = answered(flow.exchange(flow.log_in(browser, person).answer["code"]))
        assert set(scope.split()) <= set(answer["scope"].split())


@pytest.mark.requirement("MCP-A5")
def test_a_client_that_registered_with_a_narrow_scope_is_told_so(
    realm: Realm, registrar: Registrar, browser: Browser
) -> None:
    flow = flow_of(realm, registrar.register(scope="openid mcp:read"), "mcp:read mcp:write")
    assert flow.open(browser).answer["error"] == "invalid_scope"


@pytest.mark.requirement("OPS-CLIENTS")
def test_unused_clients_expire_and_no_other(realm: Realm, registrar: Registrar, contract, new_browser) -> None:
    unused, used = registrar.register(client_name="unused"), registrar.register(client_name="used")
    by_hand = {"clientId": "stranger-by-hand", "publicClient": True, "redirectUris": LOOPBACK}
    realm.admin.post(f"/{realm.name}/clients", json=by_hand)
    with new_browser() as browser:
        flow = flow_of(realm, used, "mcp:read")
        answered(flow.exchange(flow.log_in(browser, realm.add_person()).answer["code"]))
    found = {item.client_id: item for item in registered_clients(realm.admin, realm.name, contract)}
    kinds = {item.client_id: item.kind for item in found.values()}
    assert kinds == {unused["client_id"]: DYNAMIC, used["client_id"]: DYNAMIC, "stranger-by-hand": BY_HAND}
    now, later = time.time(), time.time() + 31 * DAY_S
    assert not any(item.may_expire(30, now) for item in found.values() if item.client_id != "stranger-by-hand")
    gone = [item for item in found.values() if item.may_expire(30, later)]
    assert [item.client_id for item in gone] == [unused["client_id"]]
    delete(realm.admin, realm.name, gone)
    assert unused["client_id"] not in {item.client_id for item in registered_clients(realm.admin, realm.name, contract)}


def flow_of(realm: Realm, registered: dict[str, Any], scope: str) -> CodeFlow:
    redirect = registered["redirect_uris"][0].replace("127.0.0.1", "127.0.0.1:49152")
    return realm.flow(client_id=registered["client_id"], redirect_uri=redirect, scope=scope)
