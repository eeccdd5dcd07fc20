"""Makes the changes of tests/realm/tamperings.yaml by the Admin API, as somebody at the console would."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ops.admin import AdminClient

FILE = Path(__file__).parents[1] / "realm" / "tamperings.yaml"
_VERBS = ("post", "put", "delete")


def tamperings(batch: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of the file; of one batch, or all."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))["tamperings"]
    return [row for row in rows if batch in {None, row["batch"]}]


@dataclass
class Tamperer:
    """Somebody who may do everything.

    Args:
        admin: the administrator of the server.
        realm: name of the realm.
    """

    admin: AdminClient
    realm: str

    def tamper(self, row: Mapping[str, Any]) -> None:
        """Do what a row says."""
        if "copy-flow" in row:
            self._send("POST", "/authentication/flows/browser/copy", {"newName": row["copy-flow"]})
        if "person" in row:
            self._send("POST", "/users", {"username": row["person"], "enabled": True})
            user = self._get("/users", username=row["person"])[0]["id"]
            self._map(f"/users/{user}/role-mappings/clients/{{}}", row["add"])
        if "roles" in row:
            account = self._get(f"/clients/{self._id('client', row['roles'])}/service-account-user")["id"]
            self._map(f"/users/{account}/role-mappings/clients/{{}}", row["add"])
        if "composite" in row:
            role = self._get(f"/roles/{row['composite']}-{self.realm}")["id"]
            self._map(f"/roles-by-id/{role}/composites", row["add"])
        if "policies" in row:
            self._policies(row["policies"])
        for verb in _VERBS:
            if verb in row:
                self._send(verb.upper(), self._filled(row[verb]), self._filled(row.get("body")))
        if "merge" in row:
            self._merge(self._filled(row["merge"]), self._filled(row.get("with", {})), row.get("append", {}))

    def _policies(self, change: Mapping[str, Any]) -> None:
        policies = self._get("/client-policies/policies")["policies"]
        policies = [*policies, change["add"]] if "add" in change else [policies[0] | change, *policies[1:]]
        self._send("PUT", "/client-policies/policies", {"policies": policies})

    def _merge(self, path: str, fields: Mapping[str, Any], added: Mapping[str, Any]) -> None:
        now = self._get(path)
        for name, value in fields.items():
            now[name] = now[name] | value if isinstance(value, dict) and isinstance(now.get(name), dict) else value
        for name, value in added.items():
            now[name] = [*now[name], value]
        self._send("PUT", path, now)

    def _map(self, path: str, names: list[str]) -> None:
        client = self._id("client", names[0])
        self._send("POST", path.format(client), [self._get(f"/clients/{client}/roles/{names[1]}")])

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\{(\w+):([^}]+)\}", lambda found: self._id(found[1], found[2]), value)

    def _id(self, kind: str, name: str) -> str:
        owner, _, part = name.rpartition("/")
        match kind:
            case "client":
                return self._get("/clients", clientId=name)[0]["id"]
            case "scope":
                return self._named("/client-scopes", name)
            case "role":
                return self._get(f"/roles/{name}")["id"]
            case "flow":
                return self._named("/authentication/flows", name, "alias")
            case "component":
                return self._named("/components", name)
            case "mapper":
                return self._named(f"/client-scopes/{self._id('scope', owner)}/protocol-mappers/models", part)
            case "execution":
                return self._named(f"/authentication/flows/{owner}/executions", part, "providerId")
        raise ValueError(kind)

    def _named(self, path: str, name: str, field: str = "name") -> str:
        return next(entry["id"] for entry in self._get(path) if entry.get(field) == name)

    def _get(self, path: str, **params: str) -> Any:
        return self.admin.get(f"/{self.realm}{path}", **params)

    def _send(self, method: str, path: str, body: Any = None) -> None:
        self.admin.request(method, f"/{self.realm}{path}", json=body)
