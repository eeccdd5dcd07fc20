"""Ports that containers publish."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ops.review.checks.containers import KINDS, both
from ops.review.plan import Change, Plan, blocks
from ops.review.rules import Hit, about, hit
from ops.review.values import is_loopback

_ALL = ("", "0.0.0.0", "::")  # noqa: S104 - what is looked for
_WEB = (80, 443)
# What listens there inside is a store or administration, wherever it is published.
_INSIDE = {
    2375: "the Docker engine", 2376: "the Docker engine", 2379: "etcd", 3306: "MySQL", 5432: "PostgreSQL",
    6379: "Redis", 9000: "Keycloak's management", 9200: "OpenSearch", 11211: "memcached", 27017: "MongoDB",
}  # fmt: skip


@about(*KINDS)
def ports(change: Change, plan: Plan) -> Iterator[Hit]:
    """Each port that is published anew or elsewhere than before."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    old = {_key(port) for port in blocks(before.get("ports"))}
    for port in blocks(after.get("ports")):
        if _key(port) in old:
            continue
        address, internal = str(port.get("ip") or ""), port.get("internal")
        external = port.get("external") or "a free number"
        outside = address in _ALL or not is_loopback(address)
        if internal in _INSIDE and outside:
            yield hit("port-administration", name=name, internal=internal, external=external, what=_INSIDE[internal])
        elif address in _ALL:
            rule = "port-web" if external in _WEB else "port-all-interfaces"
            yield hit(rule, name=name, internal=internal, external=external)
        elif not is_loopback(address) and _is_address(address):
            yield hit("port-address", name=name, internal=internal, external=external, address=address)
    if after.get("publish_all_ports") and not before.get("publish_all_ports"):
        yield hit("port-all-interfaces", name=name, internal="each", external="of every kind")


def _key(port: Mapping[str, Any]) -> tuple[str, Any, Any, str]:
    return str(port.get("ip") or ""), port.get("internal"), port.get("external"), str(port.get("protocol") or "tcp")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
