"""Images and networks."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.checks.containers import KINDS, both
from ops.review.plan import Change, Plan, blocks
from ops.review.rules import Hit, about, hit

_OPTIONS = {
    "com.docker.network.bridge.enable_icc": ("false", "containers in it may talk to each other"),
    "com.docker.network.bridge.enable_ip_masquerade": ("false", "containers in it may call out"),
}
_SHARED = ("bridge", "default")


@about("docker_image", "docker_registry_image", *KINDS)
def images(change: Change, _plan: Plan) -> Iterator[Hit]:
    """How an image is named."""
    attribute = "image" if change.type in KINDS else "name"
    before, after = both(change)
    image, old = str(after.get(attribute) or ""), str(before.get(attribute) or "")
    if change.remains and _credentials(change.after) - _credentials(change.before):
        yield hit("image-credentials", where=change.address)
    # A container that names its image by id has it from a resource that is judged itself.
    if not change.remains or image == old or not image or image.startswith("sha256:"):
        return
    # What the configuration builds itself has no digest before it is built.
    built = bool(blocks(change.after.get("build")))
    where = change.address
    if "@sha256:" not in image:
        tag = image.rsplit("/", 1)[-1].partition(":")[2]
        if "@sha256:" in old:
            yield hit("image-unpinned", image=image, where=where)
        elif tag in ("", "latest") and not built:
            yield hit("image-latest", image=image, where=where)
        elif not old and not built:
            yield hit("image-by-tag", image=image, where=where)
    if old and not old.startswith("sha256:") and _source(old) != _source(image):
        yield hit("image-moved", where=where, before=_source(old), now=_source(image))


def _credentials(values: Mapping[str, Any]) -> set[str]:
    """Return the registries that a password is given for: of a build, or of a push."""
    entries = [*blocks(values.get("auth_config"))]
    for build in blocks(values.get("build")):
        entries += blocks(build.get("auth_config"))
    return {str(entry.get("host_name") or entry.get("address")) for entry in entries if entry.get("password")}


def _source(image: str) -> str:
    """Return an image's name without tag and digest."""
    name = image.split("@", 1)[0]
    head, slash, tail = name.rpartition("/")
    return head + slash + tail.split(":", 1)[0]


@about("docker_network")
def networks(change: Change, plan: Plan) -> Iterator[Hit]:
    """Networks that keep less apart than before."""
    name = plan.names.own(change)
    if change.remains and change.before.get("internal") and not change.after.get("internal"):
        yield hit("network-opened", name=name)
    before, after = (values.get("options") or {} for values in (change.before, change.after))
    if not change.remains or (change.is_unknown("options") and "options" in change.expressions):
        return
    for option, (good, what) in _OPTIONS.items():
        if before.get(option) == good != after.get(option):
            yield hit("network-option-lost", name=name, what=what)


@about(*KINDS)
def joined(change: Change, plan: Plan) -> Iterator[Hit]:
    """Networks that a container is in."""
    name, (before, after) = plan.names.own(change), both(change)
    if not change.remains:
        return
    if change.existed:
        old = {_network(entry, plan) for entry in blocks(before.get("networks_advanced"))}
        for entry in blocks(after.get("networks_advanced")):
            network = _network(entry, plan)
            if network and network not in old:
                yield hit("network-joined", name=name, network=network)
    elif change.type == "docker_container" and after.get("network_mode") in (None, *_SHARED):
        named = blocks(after.get("networks_advanced")) or change.unknown.get("networks_advanced") is True
        if not named:
            yield hit("network-default", name=name)


def _network(entry: object, plan: Plan) -> str:
    values = entry if isinstance(entry, dict) else {}
    return plan.names.by_id(str(values.get("name") or values.get("id") or ""))
