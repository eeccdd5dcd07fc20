"""Secrets in state, plan and code. No value of one is ever part of a sentence."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.plan import Change, Plan
from ops.review.rules import Hit, about, hit

SECRET_NAME = re.compile(
    r"(^|_)(pass(word|wd|phrase)?|passwords|secrets?|token|api_?key|private_?key|credentials?|access_?key)$",
    re.IGNORECASE,
)
_OWN_RULE = {("keycloak_openid_client", "client_secret"), ("keycloak_realm_keystore_rsa", "private_key")}


@about("keycloak_openid_client")
def client_secrets(change: Change, plan: Plan) -> Iterator[Hit]:
    """A confidential client whose secret is not write-only: Keycloak makes one, and the provider reads it."""
    if not change.remains or change.after.get("access_type") != "CONFIDENTIAL":
        return
    hidden = bool(change.after.get("client_secret_wo_version")) or change.is_unknown("client_secret_wo_version")
    was_open = change.before.get("access_type") == "CONFIDENTIAL" and not change.before.get("client_secret_wo_version")
    given = change.changed("client_secret") and bool(change.after.get("client_secret"))
    if not hidden and (not was_open or given):
        yield hit("secret-client-in-state", client=plan.names.own(change))


def sensitive(change: Change, plan: Plan) -> Iterator[Hit]:
    """Any attribute of any provider that is marked as sensitive and gets a value."""
    for path in _marked(change.after, change.sensitive):
        if (change.type, path[0]) in _OWN_RULE or _at(change.before, path) == _at(change.after, path):
            continue
        attribute = ".".join(str(part) for part in path if not isinstance(part, int))
        yield hit("secret-in-state", attribute=attribute, what=f"{change.address} ({plan.names.own(change)})")


def _marked(value: Any, marks: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of texts that are marked."""
    if marks is True:
        if value not in (None, "", [], {}) and path:
            yield path
    elif isinstance(value, Mapping) and isinstance(marks, Mapping):
        for name, item in value.items():
            yield from _marked(item, marks.get(name), (*path, name))
    elif isinstance(value, list) and isinstance(marks, list):
        for number, (item, mark) in enumerate(zip(value, marks, strict=False)):
            yield from _marked(item, mark, (*path, number))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def data_sources(plan: Plan) -> Iterator[tuple[str, Hit]]:
    """Data sources that read the secret of a client."""
    for address, values in plan.read.items():
        if values.get("client_secret") and ".keycloak_openid_client." in f".{address}":
            yield address, hit("secret-read", address=address, client=values.get("client_id"))


def variables(plan: Plan) -> Iterator[tuple[str, Hit]]:
    """Variables that are named for a secret and have a value in the plan: an ephemeral one has none there."""
    for name, entry in (plan.content.get("variables") or {}).items():
        value = entry.get("value") if isinstance(entry, Mapping) else None
        if SECRET_NAME.search(name) and _says_something(value):
            yield f"var.{name}", hit("secret-in-plan", variable=name)


def outputs(plan: Plan) -> Iterator[tuple[str, Hit]]:
    """Outputs that are sensitive, or named for a secret."""
    for name, change in (plan.content.get("output_changes") or {}).items():
        if not {"create", "update"} & set(change.get("actions") or ()):
            continue
        if change.get("after_sensitive") is True or (SECRET_NAME.search(name) and _says_something(change.get("after"))):
            yield f"output.{name}", hit("secret-output", output=name)


def code(plan: Plan) -> Iterator[tuple[str, Hit]]:
    """Secrets of providers and resources that are constants of the configuration."""
    configuration = plan.content.get("configuration") or {}
    for name, provider in (configuration.get("provider_config") or {}).items():
        for argument, expression in (provider.get("expressions") or {}).items():
            if SECRET_NAME.search(argument) and _says_something(_constant(expression)):
                yield (
                    f"provider.{name}",
                    hit("secret-in-code", what=f"the secret of provider {name}", argument=argument),
                )
    for change in plan.changes:
        for argument, expression in change.expressions.items():
            bare = argument.removesuffix("_wo")
            if change.remains and SECRET_NAME.search(bare) and _says_something(_constant(expression)):
                yield change.address, hit("secret-in-code", what=f"the secret of {change.address}", argument=argument)


def _constant(expression: object) -> object:
    return expression.get("constant_value") if isinstance(expression, Mapping) else None


def _says_something(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_says_something(item) for item in value.values())
    return isinstance(value, str) and bool(value)
