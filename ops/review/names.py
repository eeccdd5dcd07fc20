"""What things are called: a plan points at clients and roles by id, or by a reference where there is no id yet."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ops.review.plan import Change

_OF_TYPE = {
    "keycloak_openid_client": ("client_id",),
    "keycloak_saml_client": ("client_id",),
    "keycloak_realm": ("realm",),
    "keycloak_user": ("username",),
}
_MARKERS = ("keycloak_", "docker_")


class Names:
    """Finds names.

    Args:
        changes: the resources of a plan.
        read: values of its data sources by address.
    """

    def __init__(self, changes: Iterable["Change"], read: Mapping[str, Mapping[str, Any]]) -> None:
        self._by_id: dict[str, str] = {}
        self._changes = tuple(changes)
        for address, values in read.items():
            self._remember(values, _known_as(address.rsplit(".", 2)[-2], values))
        for change in self._changes:
            for values in (change.before, change.after):
                self._remember(values, _known_as(change.type, values))

    def own(self, change: "Change") -> str:
        """Return what a resource is called."""
        name = _known_as(change.type, change.after) or _known_as(change.type, change.before)
        return name or (change.index if isinstance(change.index, str) else change.address)

    def was(self, change: "Change") -> str:
        """Return what a resource that ends was called."""
        return _known_as(change.type, change.before) or self.own(change)

    def of(self, change: "Change", *attributes: str) -> str:
        """Return the name of what one of some attributes points at, as well as it can be told.

        Args:
            change: the resource that points.
            attributes: the attribute that holds the id, such as `client_id`; the first that is there counts.
        """
        for attribute in attributes:
            value = change.after.get(attribute) or change.before.get(attribute)
            if isinstance(value, str):
                return self.by_id(value)
            if found := self._referenced(change, attribute):
                return found
        return change.index if isinstance(change.index, str) else change.address

    def by_id(self, identifier: str) -> str:
        """Return the name of the thing with this id, or the id itself."""
        return self._by_id.get(identifier, identifier)

    def _remember(self, values: Mapping[str, Any], name: str | None) -> None:
        for key in ("id", "service_account_user_id"):
            identifier = values.get(key)
            if name and isinstance(identifier, str) and identifier:
                self._by_id[identifier] = name

    def _referenced(self, change: "Change", attribute: str) -> str | None:
        """Follow a reference within the same module to the one resource that it can mean."""
        expression = change.expressions.get(attribute)
        references = expression.get("references", []) if isinstance(expression, Mapping) else []
        for reference in references:
            parts = reference.split("[")[0].split(".")
            if len(parts) < 2 or not parts[0].startswith(_MARKERS):
                continue
            found = [
                other
                for other in self._changes
                if (other.module, other.type, other.name) == (change.module, *parts[:2])
            ]
            same = [other for other in found if other.index == change.index]
            if len(same or found) == 1:
                return self.own((same or found)[0])
        return None


def _known_as(kind: str, values: Mapping[str, Any]) -> str | None:
    for attribute in _OF_TYPE.get(kind, ("name", "alias", "username")):
        value = values.get(attribute)
        if isinstance(value, str) and value:
            return value
    return None
