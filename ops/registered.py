"""Clients that nobody declared: which there are, when each was last used, and which may go."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ops.admin import AdminClient
from service.contract import Contract

DAY_S = 86400
DYNAMIC, DOCUMENT, BY_HAND = "dynamic registration", "metadata document", "by hand"

# Made by Keycloak with each realm, and Terraform's own accounts.
_KNOWN = frozenset(
    {
        "account",
        "account-console",
        "admin-cli",
        "auditor",
        "broker",
        "realm-management",
        "security-admin-console",
        "terraform",
    }
)
_MADE_BY_KEYCLOAK = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Registered:
    """A client of the realm that is not in the contract.

    `last_used` is seconds since the epoch of its latest event, None where the realm keeps none; `sessions` counts those
    that are open, offline ones too.
    """

    id: str
    client_id: str
    name: str
    kind: str
    last_used: float | None
    sessions: int

    def unused(self, days: int, now: float) -> bool:
        """Whether nobody used it for so many days; one with an open session is in use."""
        return not self.sessions and (self.last_used is None or now - self.last_used > days * DAY_S)

    def may_expire(self, days: int, now: float) -> bool:
        """Whether it registered by itself and is unused: what somebody made by hand is theirs to take away."""
        return self.kind != BY_HAND and self.unused(days, now)


def kind_of(client_id: str) -> str:
    """Return how a client that is not declared came to be, by the form of its id: Keycloak makes a UUID, a document
    has a URL."""
    if client_id.startswith(("https://", "http://")):
        return DOCUMENT
    return DYNAMIC if _MADE_BY_KEYCLOAK.fullmatch(client_id) else BY_HAND


def registered_clients(admin: AdminClient, realm: str, contract: Contract) -> list[Registered]:
    """Return the clients that nobody declared, by name.

    Args:
        admin: an account that may read clients and events, such as `terraform`.
        realm: name of the realm.
        contract: says who is declared.
    """
    declared = _KNOWN | contract.clients.keys() | contract.downstream_apis
    found = [client for client in admin.get(f"/{realm}/clients") if client["clientId"] not in declared]
    return sorted((_look(admin, realm, client) for client in found), key=lambda item: (item.kind, item.name, item.id))


def delete(admin: AdminClient, realm: str, clients: Iterable[Registered]) -> None:
    """Delete clients, with the consents and sessions that they have."""
    for client in clients:
        admin.delete(f"/{realm}/clients/{client.id}")


def age(client: Registered, now: float | None = None) -> str:
    """Return in words when a client was last used."""
    if client.sessions:
        return "in use"
    if client.last_used is None:
        return "no event kept"
    days = int(((time.time() if now is None else now) - client.last_used) // DAY_S)
    return "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} ago"


def _look(admin: AdminClient, realm: str, client: dict[str, Any]) -> Registered:
    path = f"/{realm}/clients/{client['id']}"
    events = admin.get(f"/{realm}/events", client=client["clientId"], max=1)
    counts = [admin.get(f"{path}/{kind}")["count"] for kind in ("session-count", "offline-session-count")]
    return Registered(
        id=client["id"],
        client_id=client["clientId"],
        name=client.get("name") or quote(client["clientId"], safe=":/"),
        kind=kind_of(client["clientId"]),
        last_used=events[0]["time"] / 1000 if events else None,
        sessions=sum(counts),
    )
