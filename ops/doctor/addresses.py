"""Names to addresses, and where a foreign server may send us: never from outside to the inside of a network."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# From the widest to the narrowest: who is asked in one of them may point to it and to what is wider.
_KINDS = ("public", "private", "loopback")


class Unresolved(Exception):
    """A name has no address; the text says what the resolver said."""


def kind_of(address: Address) -> str:
    """Return `public`, `private`, `loopback` or `special` (link-local, multicast, unspecified: never a server)."""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return "loopback"
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "special"
    return "public" if address.is_global else "private"


def may_follow(target: Iterable[Address], address: Address) -> bool:
    """Say whether what was found at the target may lead to this address.

    Args:
        target: addresses of the server that the operator named.
        address: where a document or a redirect of it leads.
    """
    addresses = list(target)
    if address in addresses:
        return True
    kind = kind_of(address)
    if kind == "special":
        return False
    narrowest = max((_KINDS.index(own) for own in map(kind_of, addresses) if own in _KINDS), default=0)
    return _KINDS.index(kind) <= narrowest


async def resolve(host: str, port: int, deadline_s: float) -> list[Address]:
    """Return the addresses of a host.

    The resolver cannot be interrupted, so it runs in a thread that the end of the command does not wait for.

    Raises:
        Unresolved: it has none, or the resolver had not answered in time.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def settle(found: list[Address] | None, error: str) -> None:
        if answer.done():
            return
        if found:
            answer.set_result(found)
        else:
            answer.set_exception(Unresolved(error or "the name has no address"))

    def look() -> None:
        found: list[Address] = []
        error = ""
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows))
        except (OSError, UnicodeError) as failure:
            error = getattr(failure, "strerror", None) or str(failure)
        try:
            loop.call_soon_threadsafe(settle, found, error)
        except RuntimeError:  # the command has ended meanwhile
            return

    threading.Thread(target=look, daemon=True).start()
    try:
        return await asyncio.wait_for(answer, deadline_s)
    except TimeoutError as error:
        raise Unresolved(f"the resolver had not answered after {deadline_s:g} s") from error
