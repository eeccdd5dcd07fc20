"""ops.normalise and ops.realm: what is compared, what is kept, what is filled in."""

import copy
import json

import pytest

from ops.errors import OperatorError
from ops.normalise import normalise
from ops.realm import import_values, render_lock, write_lock

URL = "http://localhost:8000"

EXPORT = {
    "id": "4d1f",
    "realm": "other",
    "sslRequired": "external",
    "attributes": {"cibaInterval": "5", "oauth2DeviceCodeLifespan": "600"},
    "oauth2DeviceCodeLifespan": 600,
    "defaultRole": {"id": "7c", "name": "default-roles-other", "containerId": "4d1f"},
    "clients": [
        {
            "id": "b",
            "clientId": "mcp-automation",
            "clientAuthenticatorType": "client-secret",
            "secret": "**********",
            "attributes": {"client.secret.creation.time": "1", "post.logout.redirect.uris": "+"},
            "redirectUris": [],
        },
        {
            "id": "a",
            "clientId": "account",
            "publicClient": True,
            "baseUrl": "/realms/other/account/",
            "rootUrl": "${authBaseUrl}",
            "redirectUris": [f"{URL}/b", f"{URL}/a", f"{URL}80/c"],
            "attributes": {"post.logout.redirect.uris": f"{URL}/b##{URL}/a"},
            "protocolMappers": [{"id": "m", "name": "sub", "config": {"id.token.claim": "true"}}],
        },
    ],
    "components": {
        "org.keycloak.keys.KeyProvider": [
            {"id": "k", "name": "rs256", "config": {"priority": ["200"], "keySize": ["2048"], "privateKey": ["MII"]}}
        ]
    },
    "authenticationFlows": [
        {"id": "f", "alias": "x", "authenticationExecutions": [{"authenticator": "z"}, {"authenticator": "a"}]}
    ],
}


@pytest.fixture
def lock():
    return normalise(EXPORT, URL)


@pytest.fixture
def lock_file(lock, tmp_path):
    path = tmp_path / "realm.lock.json"
    write_lock(lock, path)
    return path


def test_normalise_leaves_the_export_alone():
    before = copy.deepcopy(EXPORT)
    normalise(EXPORT, URL)
    assert before == EXPORT


def test_no_id_secret_or_key_is_left(lock):
    text = json.dumps(lock)
    for left in ('"id"', "containerId", "4d1f", "****", "MII", "privateKey", "creation.time"):
        assert left not in text


def test_key_provider_keeps_what_makes_a_new_key(lock):
    assert lock["components"]["org.keycloak.keys.KeyProvider"][0] == {
        "name": "rs256",
        "config": {"keySize": ["2048"], "priority": ["200"]},
    }


def test_confidential_client_has_a_placeholder_and_public_one_has_none(lock):
    account, automation = lock["clients"]
    assert automation["secret"] == "${SECURE_MCP_SECRET_MCP_AUTOMATION}"
    assert "secret" not in account


def test_name_of_the_realm_is_replaced_everywhere(lock):
    assert lock["realm"] == "mcp-realm"
    assert lock["defaultRole"]["name"] == "default-roles-mcp-realm"
    assert lock["clients"][0]["baseUrl"] == "/realms/mcp-realm/account/"


def test_public_url_becomes_a_placeholder_but_not_a_longer_one(lock):
    uris = lock["clients"][0]["redirectUris"]
    assert uris == ["${SECURE_MCP_PUBLIC_URL}/a", "${SECURE_MCP_PUBLIC_URL}/b", "http://localhost:800080/c"]


def test_lists_are_sorted_where_order_means_nothing(lock):
    logout = lock["clients"][0]["attributes"]["post.logout.redirect.uris"]
    assert logout == "${SECURE_MCP_PUBLIC_URL}/a##${SECURE_MCP_PUBLIC_URL}/b"
    executions = lock["authenticationFlows"][0]["authenticationExecutions"]
    assert [execution["authenticator"] for execution in executions] == ["z", "a"]


def test_what_an_import_writes_down_by_itself_is_the_same(lock):
    imported = copy.deepcopy(EXPORT)
    imported["clients"][1]["protocolMappers"][0]["config"]["userinfo.token.claim"] = "true"
    del imported["clients"][0]["attributes"]["post.logout.redirect.uris"]
    imported["clients"].reverse()
    del imported["attributes"]["oauth2DeviceCodeLifespan"]
    assert normalise(imported, URL) == lock


def test_unknown_masked_secret_is_refused():
    export = copy.deepcopy(EXPORT) | {"smtpServer": {"password": "**********"}}
    with pytest.raises(OperatorError, match="/smtpServer/password"):
        normalise(export, URL)


def test_rendered_lock_normalises_to_the_lock(lock, lock_file):
    values = import_values("http://localhost:8400", "external", "dev", {"mcp-automation": "s3cret"})
    rendered = render_lock(values, "twin-realm", lock_file)
    assert rendered["realm"] == "twin-realm"
    assert rendered["sslRequired"] == "external"
    assert rendered["clients"][1]["secret"] == "s3cret"
    assert rendered["clients"][0]["rootUrl"] == "${authBaseUrl}"
    assert normalise(rendered, "http://localhost:8400") == lock


def test_placeholder_without_value_is_refused(lock_file):
    with pytest.raises(OperatorError, match="SECURE_MCP_SECRET_MCP_AUTOMATION"):
        render_lock(import_values(URL, "external", "dev", {}), path=lock_file)


def test_placeholder_may_have_a_default(tmp_path):
    path = tmp_path / "lock.json"
    path.write_text('{"a": "${SECURE_MCP_X:some/thing}", "b": "${SECURE_MCP_Y:}"}')
    assert render_lock({}, path=path) == {"a": "some/thing", "b": ""}


def test_lock_is_written_only_when_it_changes(lock, tmp_path):
    path = tmp_path / "lock.json"
    assert write_lock(lock, path) is True
    assert write_lock(lock, path) is False
