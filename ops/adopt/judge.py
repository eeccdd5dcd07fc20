"""What of a live realm the access contract can say, and what stays outside, each with its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

BUILT_IN = {
    "account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console",
}  # fmt: skip
ACCOUNTS = {"auditor", "terraform"}
OWN_SCOPES = {"mcp-audience", "mcp-declared", "mcp-roles"}
_SENTENCE = 255


@dataclass
class Adoption:
    """What is taken over.

    Args:
        contract: the access contract as a mapping.
        clients: live clients that the contract now names, by client id.
        scopes: live client scopes that it names, by name.
        outside: what stays as it is and is not declared, one sentence each.
        changed: what the contract cannot say as it is live, one sentence each.
    """

    contract: Json
    clients: dict[str, Json] = field(default_factory=dict)
    scopes: dict[str, Json] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def judge(live: Mapping[str, Any], base: Mapping[str, Any], schema: Mapping[str, Any]) -> Adoption:
    """Return what the contract can say about a live realm.

    Args:
        live: what `collect_realm` returned.
        base: the contract of this repository: its scopes are those that the tools ask for, its numbers the defaults.
        schema: access.schema.json.
    """
    adoption = Adoption({"version": 1})
    _scopes(adoption, live, base, schema)
    _clients(adoption, live, base, schema)
    adoption.contract["registration"] = _registration(adoption, live, base)
    for section, fields in _FIELDS.items():
        adoption.contract[section] = _numbers(adoption, live, base[section], schema["$defs"][section], section, fields)
    _passwords(adoption, live, base, schema)
    if live["id"] != live["realm"]:
        adoption.outside.append(
            "Signing keys and registration policies: the realm's internal id is not its name, and provider 5.9 would "
            "make them where Keycloak does not look. They stay as they are; audit compares them with a snapshot."
        )
    if not live.get("bruteForceProtected"):
        adoption.contract["brute_force"] = dict(base["brute_force"])
        adoption.changed.append("Protection against guessed passwords is off; it is switched on.")
    return adoption


def _scopes(adoption: Adoption, live: Mapping[str, Any], base: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    pattern = schema["properties"]["scopes"]["propertyNames"]["pattern"]
    scopes = {name: dict(scope) for name, scope in base["scopes"].items()}
    for scope in live["clientScopes"]:
        name, attributes = scope["name"], scope.get("attributes", {})
        if scope.get("protocol") != "openid-connect" or name in OWN_SCOPES or _is_built_in(scope):
            continue
        if not re.search(pattern, name):
            adoption.outside.append(
                f"Client scope {name}: a scope of the contract is lower-case words joined by colons."
            )
            continue
        text = scope.get("description") or f"The scope {name}."
        consent = attributes.get("consent.screen.text") or text
        scopes[name] = {"description": text[:_SENTENCE], "consent": consent[:_SENTENCE]}
        adoption.scopes[name] = scope
        for mapper in scope.get("protocolMappers", []):
            adoption.outside.append(f"Mapper {mapper['name']} of the scope {name}: it stays, and no code declares it.")
    adoption.contract["scopes"] = scopes


def _is_built_in(scope: Mapping[str, Any]) -> bool:
    """Keycloak's own scopes have a consent text that is a key of its messages, or none and a name without colon."""
    return ":" not in scope["name"]


def _clients(adoption: Adoption, live: Mapping[str, Any], base: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    clients: dict[str, Json] = {}
    for client in live["clients"]:
        client_id = client["clientId"]
        if client_id in BUILT_IN | ACCOUNTS or client_id.endswith("-realm"):
            continue
        kind, reason = _kind(client, schema)
        if kind == "resource_server" and any(entry["kind"] == kind for entry in clients.values()):
            kind, reason = "", "a contract has one resource server, and another client is it already"
        if not kind:
            adoption.outside.append(f"Client {client_id}: {reason}.")
            continue
        clients[client_id] = _entry(client, kind, set(adoption.contract["scopes"]))
        adoption.clients[client_id] = client
        for flow, text in (("directAccessGrantsEnabled", "password grant"), ("implicitFlowEnabled", "implicit flow")):
            if client.get(flow):
                adoption.changed.append(f"Client {client_id} loses the {text}.")
        if client.get("fullScopeAllowed"):
            adoption.changed.append(
                f"Tokens of client {client_id} carry no role that no scope lets in (full scope is off)."
            )
        for mapper in client.get("protocolMappers", []):
            adoption.outside.append(
                f"Mapper {mapper['name']} of the client {client_id}: it stays, and no code declares it."
            )
    if not any(entry["kind"] == "resource_server" for entry in clients.values()):
        name = next(name for name, entry in base["clients"].items() if entry["kind"] == "resource_server")
        clients[name] = dict(base["clients"][name])
        adoption.changed.append(f"There is no client for the MCP service itself; {name} is made.")
    adoption.contract["clients"] = clients


def _kind(client: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, str]:
    """Return the kind that the contract has for a client, or none and why."""
    if client.get("protocol") != "openid-connect":
        return "", "it does not speak OpenID Connect"
    if not re.search(schema["properties"]["clients"]["propertyNames"]["pattern"], client["clientId"]):
        return (
            "",
            "a client id of the contract is lower-case words joined by hyphens (it may have registered by itself)",
        )
    if not client.get("enabled"):
        return "", "it is switched off"
    login, account = client.get("standardFlowEnabled"), client.get("serviceAccountsEnabled")
    if client.get("publicClient"):
        if not login:
            return "", "a public client without the authorization code flow has no kind in the contract"
        pattern = schema["$defs"]["redirect_uris"]["items"]["pattern"]
        unfit = [uri for uri in client.get("redirectUris", []) if not re.search(pattern, uri)]
        if unfit or not client.get("redirectUris"):
            return (
                "",
                f"its redirect URIs are not exact ({', '.join(unfit) or 'there is none'}); write them out, adopt again",
            )
        return "public", ""
    if login:
        return "", "a client with both a secret and a login page has no kind in the contract"
    return ("service_account" if account else "resource_server"), ""


def _entry(client: Mapping[str, Any], kind: str, scopes: set[str]) -> Json:
    entry: Json = {
        "kind": kind,
        "name": (client.get("name") or client["clientId"])[:_SENTENCE],
        "description": (client.get("description") or f"Adopted client {client['clientId']}.")[:_SENTENCE],
    }
    if kind == "public":
        entry["redirect_uris"] = sorted(client["redirectUris"])
        entry["consent"] = bool(client.get("consentRequired"))
    if kind != "resource_server":
        for name, field_name in (
            ("default_scopes", "defaultClientScopes"),
            ("optional_scopes", "optionalClientScopes"),
        ):
            if found := sorted(scopes & set(client.get(field_name, []))):
                entry[name] = found
    return entry


def _registration(adoption: Adoption, live: Mapping[str, Any], base: Mapping[str, Any]) -> Json:
    """Anonymous registration stays open for the hosts that are trusted by name, and is closed otherwise."""
    kind = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy"
    policies = [policy for policy in live["components"].get(kind, []) if policy.get("subType") == "anonymous"]
    trusted = next((policy for policy in policies if policy["providerId"] == "trusted-hosts"), None)
    hosts = [host for host in (trusted or {}).get("config", {}).get("trusted-hosts", []) if host != "closed.invalid"]
    named = sorted(host for host in hosts if re.fullmatch(r"[A-Za-z0-9.-]+", host))
    if trusted is None:
        adoption.changed.append(
            "Any host may register a client (the policy Trusted Hosts is gone); registration is closed."
        )
    elif set(hosts) - set(named):
        adoption.changed.append(
            f"Hosts with wildcards may not register any more: {', '.join(sorted(set(hosts) - set(named)))}."
        )
    limit: Json = next((policy for policy in policies if policy["providerId"] == "max-clients"), {})
    most = int((limit.get("config", {}).get("max-clients") or [base["registration"]["max_clients"]])[0])
    return dict(base["registration"]) | {
        "anonymous": "trusted_hosts" if named else "closed",
        "trusted_hosts": named,
        "max_clients": most,
    }


def _numbers(
    adoption: Adoption,
    live: Mapping[str, Any],
    base: Mapping[str, Any],
    schema: Mapping[str, Any],
    section: str,
    fields: Mapping[str, str],
) -> Json:
    found = dict(base)
    for name, field_name in fields.items():
        value = live.get(field_name)
        bounds = schema["properties"][name]
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        if bounds["minimum"] <= value <= bounds["maximum"]:
            found[name] = value
        elif value:
            adoption.changed.append(
                f"{section}.{name} is {value}, the contract allows {bounds['minimum']} to {bounds['maximum']}: "
                f"it becomes {base[name]}."
            )
    return found


def _passwords(adoption: Adoption, live: Mapping[str, Any], base: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    policy = live.get("passwordPolicy") or ""
    rules = dict(re.findall(r"(\w+)\(([^)]*)\)", policy))
    bounds = schema["$defs"]["passwords"]["properties"]
    found = dict(base["passwords"])
    for name, word in (("min_length", "length"), ("history", "passwordHistory")):
        text = rules.get(word, "")
        if text.isdecimal() and bounds[name]["minimum"] <= int(text) <= bounds[name]["maximum"]:
            found[name] = int(text)
    adoption.contract["passwords"] = found
    if not policy:
        adoption.changed.append("There is no password policy; one is set.")


_FIELDS: dict[str, dict[str, str]] = {
    "lifetimes": {
        "access_token": "accessTokenLifespan",
        "authorization_code": "accessCodeLifespan",
        "login": "accessCodeLifespanLogin",
        "login_action": "accessCodeLifespanUserAction",
        "session_idle": "ssoSessionIdleTimeout",
        "session_max": "ssoSessionMaxLifespan",
        "offline_idle": "offlineSessionIdleTimeout",
        "offline_max": "offlineSessionMaxLifespan",
        "events": "eventsExpiration",
    },
    "brute_force": {
        "max_failures": "failureFactor",
        "wait_seconds": "waitIncrementSeconds",
        "max_wait_seconds": "maxFailureWaitSeconds",
        "quick_failure_milliseconds": "quickLoginCheckMilliSeconds",
        "quick_failure_wait_seconds": "minimumQuickLoginWaitSeconds",
        "reset_seconds": "maxDeltaTimeSeconds",
    },
}
