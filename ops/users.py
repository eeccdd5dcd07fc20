"""The demonstration user of a development environment. People are data, so Terraform does not know them."""

from typing import Any

from ops.admin import AdminClient

DEMO_USER = "demo"
_ROLE = "mcp-user"


def ensure_demo_user(admin: AdminClient, realm: str, password: str) -> bool:
    """Make the user `demo` with the role mcp-user unless it is there.

    Args:
        admin: service account that may manage users.
        realm: the realm.
        password: counts only when the user is made.

    Returns:
        Whether the user was made.
    """
    made = not _find(admin, realm)
    if made:
        user = {
            "username": DEMO_USER,
            "enabled": True,
            "email": "demo@example.com",
            "emailVerified": True,
            "firstName": "Demo",
            "lastName": "User",
            "credentials": [{"type": "password", "value": password, "temporary": False}],
        }
        admin.post(f"/{realm}/users", json=user)
    mappings = f"/{realm}/users/{_find(admin, realm)[0]['id']}/role-mappings/realm"
    if _ROLE not in {role["name"] for role in admin.get(mappings)}:
        admin.post(mappings, json=[admin.get(f"/{realm}/roles/{_ROLE}")])
    return made


def _find(admin: AdminClient, realm: str) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = admin.get(f"/{realm}/users", username=DEMO_USER, exact=True)
    return users
