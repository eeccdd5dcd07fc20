"""The audit without a server: differences, rules, addresses, repairs, the signed report."""

import base64
import copy
import os
import shlex
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

import pytest
import yaml
from typer.testing import CliRunner

from ops.audit.addresses import address_of
from ops.audit.difference import Difference, Kind, differences
from ops.audit.kcadm import Root
from ops.audit.notify import check_url, notify, read_key, signature
from ops.audit.repair import repair_of
from ops.audit.rules import judge, load_rules
from ops.cli import app
from ops.environment import REPOSITORY
from ops.errors import ExitCode, OperatorError
from ops.realm import read_lock

INVENTORY = REPOSITORY / "terraform" / "environments" / "dev" / "keycloak.inventory.yaml"


@pytest.fixture
def lock() -> dict[str, Any]:
    return read_lock()


@pytest.mark.requirement("AUDIT-CLEAN")
def test_a_realm_does_not_differ_from_itself(lock: dict[str, Any]) -> None:
    assert differences(lock, copy.deepcopy(lock)) == []


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_every_leaf_that_is_changed_is_a_difference_with_a_sentence(lock: dict[str, Any]) -> None:
    """Nothing may be invisible: each leaf of the lock file is changed by itself."""
    seen = 0
    for holder, key in leaves(lock):
        before = holder[key]
        if isinstance(key, str) and key in {"clientId", "name", "alias", "username", "providerId", "subType", "path"}:
            continue  # these name the thing: changed, it is another one
        holder[key] = (not before) if isinstance(before, bool) else f"{before}-changed"
        found = differences(read_lock_once(), lock)
        assert found, (key, before)
        assert all(judge(difference).sentence for difference in found)
        holder[key] = before
        seen += 1
    assert seen > 400


_ONCE: list[dict[str, Any]] = []


def read_lock_once() -> dict[str, Any]:
    if not _ONCE:
        _ONCE.append(read_lock())
    return _ONCE[0]


def leaves(value: Any) -> list[tuple[Any, Any]]:
    """Return where the texts, numbers and truth values of some parts are; all of them would take minutes."""
    keys = (
        "clientProfiles",
        "clientPolicies",
        "components",
        "attributes",
        "scopeMappings",
        "users",
        "browserSecurityHeaders",
    )
    parts = {key: value[key] for key in keys}
    parts["clients"] = [entry for entry in value["clients"] if entry["clientId"] in {"mcp-cli", "mcp-server"}]
    parts["clientScopes"] = [entry for entry in value["clientScopes"] if entry["name"].startswith("mcp")]
    top = [(value, key) for key, item in value.items() if not isinstance(item, dict | list)]
    return top + [pair for part in parts.values() for pair in _leaves(part)]


def _leaves(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        found += _leaves(item) if isinstance(item, dict | list) else [(value, key)]
    return found


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_a_list_whose_order_means_nothing_may_have_another_order(lock: dict[str, Any]) -> None:
    other = copy.deepcopy(lock)
    for client in other["clients"]:
        client["redirectUris"].reverse()
        client["defaultClientScopes"].reverse()
    other["clients"].reverse()
    assert differences(lock, other) == []


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_every_rule_has_all_that_people_need() -> None:
    rules = [row.rule for row in load_rules()]
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.sentence and rule.why.endswith(".") and rule.reference for rule in rules)
    assert load_rules()[-1].match == "**", "the last row fits whatever is left"


@pytest.mark.requirement("AUDIT-TAMPERINGS")
@pytest.mark.parametrize(
    ("path", "kind", "live", "rule"),
    [
        (("clients", "https://agent.example/a/b"), Kind.ADDED, {"clientId": "x"}, "client-unknown"),
        (("clients", "a", "directAccessGrantsEnabled"), Kind.CHANGED, True, "client-password-grant"),
        (("clients", "a", "directAccessGrantsEnabled"), Kind.CHANGED, False, "client-other"),
        (("clients", "a", "webOrigins", "https://x/y"), Kind.ADDED, "https://x/y", "client-web-origin-added"),
        (("bruteForceProtected",), Kind.CHANGED, False, "realm-brute-force"),
        (("somethingNew",), Kind.ADDED, 1, "realm-other"),
    ],
)
def test_the_first_row_that_fits_decides(path: tuple[str, ...], kind: Kind, live: object, rule: str) -> None:
    assert judge(Difference(path, kind, None, live)).id == rule


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_every_address_is_one_that_terraform_declares(lock: dict[str, Any]) -> None:
    declared = set(yaml.safe_load(INVENTORY.read_text(encoding="utf-8"))["resources"])
    paths: list[tuple[str, ...]] = [("clients", client["clientId"]) for client in lock["clients"]]
    paths += [("clientScopes", scope["name"]) for scope in lock["clientScopes"]]
    paths += [
        ("clientScopes", scope["name"], "protocolMappers", mapper["name"])
        for scope in lock["clientScopes"]
        for mapper in scope.get("protocolMappers", [])
    ]
    paths += [("clientPolicies", "policies", policy["name"]) for policy in lock["clientPolicies"]["policies"]]
    paths += [("clientProfiles", "profiles", profile["name"]) for profile in lock["clientProfiles"]["profiles"]]
    for kind, entries in lock["components"].items():
        for entry in entries:
            name = f"{entry['subType']}/{entry['providerId']}/{entry['name']}" if "subType" in entry else entry["name"]
            paths.append(("components", kind, name))
    paths += [("roles", "realm", role["name"]) for role in lock["roles"]["realm"]]
    paths.append(("roles", "client", "mcp-server", "tool-admin"))
    found = {address_of(Difference(path, Kind.REMOVED, {}, None)) for path in paths} - {None}
    assert found <= declared
    kinds = ("client_policy", "client_registration_policy", "keystore", "audience_protocol_mapper", "openid_client.")
    assert {address for address in declared if any(kind in address for kind in kinds)} <= found


@pytest.mark.requirement("AUDIT-WEBHOOK")
def test_the_signature_is_that_of_the_specification() -> None:
    """The vector of the Standard Webhooks specification's reference implementations."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.requirement("AUDIT-WEBHOOK")
def test_a_receiver_that_follows_the_specification_accepts_what_is_told_and_nothing_else() -> None:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError

    key = os.urandom(32)
    judge_of_others = Webhook("whsec_" + base64.b64encode(key).decode())
    with Receiver() as receiver:
        notify(receiver.url, key, b'{"findings": []}')
    headers, body = receiver.seen[0]
    assert judge_of_others.verify(body, headers) == {"findings": []}
    with pytest.raises(WebhookVerificationError):
        judge_of_others.verify(body.replace(b"[]", b"[1]"), headers)
    with pytest.raises(WebhookVerificationError):
        judge_of_others.verify(body, headers | {"webhook-timestamp": "1614265330"})


@pytest.mark.requirement("AUDIT-WEBHOOK")
def test_a_receiver_that_refuses_is_not_reached() -> None:
    with Receiver(status=500) as receiver, pytest.raises(OperatorError) as told:
        notify(receiver.url, os.urandom(32), b"{}")
    assert told.value.code is ExitCode.UNREACHABLE


class Receiver:
    """A web server that keeps headers and bodies."""

    def __init__(self, status: int = 204) -> None:
        seen: list[tuple[dict[str, str], bytes]] = []
        self.seen = seen

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.mark.requirement("AUDIT-WEBHOOK")
@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all"])
def test_a_weak_key_is_refused(tmp_path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(0o400)
    with pytest.raises(OperatorError) as refused:
        read_key(file)
    assert refused.value.code is ExitCode.USAGE


@pytest.mark.requirement("AUDIT-WEBHOOK")
@pytest.mark.parametrize("url", ["http://alerts.example/x", "ftp://x", "alerts.example", "https://"])
def test_what_was_found_goes_by_https_only(url: str) -> None:
    with pytest.raises(OperatorError):
        check_url(url)


@pytest.mark.requirement("AUDIT-TAMPERINGS")
def test_a_rule_is_explained_and_an_unknown_one_is_refused() -> None:
    runner = CliRunner()
    told = runner.invoke(app, ["audit", "--explain", "policy-missing"])
    assert (told.exit_code, "Why:" in told.output) == (0, True)
    assert runner.invoke(app, ["audit", "--explain", "nothing"]).exit_code != 0
    assert "Examples" in runner.invoke(app, ["audit", "--help"]).output
    assert "Examples" in runner.invoke(app, ["repair", "--help"]).output


@pytest.mark.requirement("AUDIT-REPAIR")
def test_a_command_names_what_is_live_under_another_name_of_the_realm() -> None:
    path = ("roles", "realm", "default-roles-mcp-realm", "composites", "client", "realm-management", "manage-clients")
    repair = repair_of(Difference(path, Kind.ADDED, None, "manage-clients"), Root(realm="agents"))
    command = "kcadm.sh remove-roles -r agents --rname default-roles-agents --cclientid realm-management"
    assert repair.before == (f"{command} --rolename manage-clients",)


@pytest.mark.requirement("AUDIT-REPAIR")
def test_what_somebody_wrote_into_the_realm_is_no_command() -> None:
    name = "x'; rm -rf ~; '"
    repair = repair_of(Difference(("roles", "realm", name), Kind.ADDED, None, {"name": name}), Root(realm="agents"))
    assert shlex.split(repair.before[0]) == ["kcadm.sh", "delete", f"roles/{name}", "-r", "agents"]
