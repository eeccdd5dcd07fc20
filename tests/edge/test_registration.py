"""Dynamic registration through the edge, which closes Keycloak's own formats altogether."""

from typing import Any

import pytest

from tests.realm.test_registration import *  # noqa: F403
from tests.realm.test_registration import own_format
from tests.support import client
from tests.support.realm import Stack
from tests.support.registration import Registrar

pytestmark = pytest.mark.requirement("REALM-REGISTRATION-OPEN")

del test_a_mapper_gets_in_neither_at_first_nor_by_an_update  # noqa: F821
del test_keycloaks_own_format_opens_no_other_door  # noqa: F821


@pytest.fixture(scope="module")
def realm(stack: Stack) -> Stack:
    return stack


@pytest.mark.parametrize("form", ["default", "saml2-entity-descriptor", "install/stranger"])
def test_keycloaks_own_formats_are_closed(realm: Stack, registrar: Registrar, form: str) -> None:
    refused = client.post(f"{realm.issuer}/clients-registrations/{form}", json=own_format())
    assert (refused.status_code, refused.json()["error"]) == (404, "not_found")
    kept: list[Any] = realm.admin.get(f"/{realm.name}/clients", clientId="stranger")
    assert kept == []
