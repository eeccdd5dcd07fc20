"""The realm taken away again. The last file of the folder by its name: the others look at what it destroys."""

import pytest

from tests.terraform.keycloak.conftest import Applied


@pytest.mark.requirement("IAC-DESTROY")
def test_a_realm_of_development_is_destroyed(applied: Applied) -> None:
    applied.destroy()
    assert applied.realm.admin.find(f"/{applied.realm.name}") is None
    assert "resources" not in applied.root.state().get("values", {}).get("root_module", {})
