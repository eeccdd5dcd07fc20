"""Hop TLS: chain, expiry and versions, by a handshake of its own (RFC 5280, RFC 8446)."""

import asyncio
import datetime as dt
import ssl
import warnings
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from cryptography import x509

from ops.doctor.addresses import Address, Unresolved, may_follow
from ops.doctor.chain import Chain, Hop
from ops.doctor.fetch import origin_of, port_of

SOON = dt.timedelta(days=14)
_OLD = (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1)


@dataclass(frozen=True, slots=True)
class _Handshake:
    version: str = ""
    cipher: str = ""
    certificate: x509.Certificate | None = None
    problem: str = ""
    untrusted: bool = False


async def check(chain: Chain) -> Hop:
    """Look at the TLS of the MCP server."""
    return await _look(chain, chain.url, Hop("TLS"))


async def check_server(chain: Chain) -> Hop:
    """Look at the TLS of the authorization server."""
    hop = Hop("TLS of the authorization server")
    if not chain.issuer:
        return hop.skip("no authorization server is known")
    if origin_of(urlsplit(chain.issuer)) == chain.origin:
        return hop.skip("the same origin as the MCP server")
    return await _look(chain, chain.issuer, hop)


async def _look(chain: Chain, url: str, hop: Hop) -> Hop:
    parts = urlsplit(url)
    try:
        addresses = await chain.fetcher.addresses(parts)
    except Unresolved:
        return hop.skip("the name has no address")
    if parts.scheme == "http":
        if all(address.is_loopback for address in addresses):
            hop.seen = "http, and only on this machine's loopback address"
        else:
            hop.fault("TLS-NONE", f"{origin_of(parts)} is plain http")
        return hop
    allowed = [address for address in addresses if may_follow(chain.fetcher.target, address)]
    if not allowed:
        return hop.skip(f"{addresses[0]} is in an inner network and was not asked")
    found = _Handshake(problem="nothing was tried")
    for address in allowed:
        found = await _shake(parts, address, chain.trust, chain.fetcher.timeout_s)
        if not found.problem or found.untrusted:
            break
    if found.untrusted:
        chain.fetcher.unverified.add(origin_of(parts))
        name = "TLS-EXPIRED" if "expired" in found.problem else "TLS-CHAIN"
        seen = await _shake(parts, address, _without_trust(), chain.fetcher.timeout_s)
        hop.fault(name, f"{found.problem}{_of(seen.certificate)}")
        found = seen
    elif found.problem:
        return hop.skip(f"no handshake: {found.problem}")
    hop.seen = f"{found.version}, {found.cipher}{_of(found.certificate)}"
    if found.certificate is not None:
        _judge_end(hop, found.certificate)
    for version in _OLD:
        if not (await _shake(parts, address, _without_trust(version), chain.fetcher.timeout_s)).problem:
            hop.fault("TLS-OLD", f"a handshake with {version.name.replace('_', '.')} succeeds")
            break
    return hop


def _judge_end(hop: Hop, certificate: x509.Certificate) -> None:
    end = certificate.not_valid_after_utc
    left = end - dt.datetime.now(dt.UTC)
    # Certificates of six days are never fourteen days from their end.
    if dt.timedelta(0) < left < min(SOON, (end - certificate.not_valid_before_utc) / 4):
        hop.fault("TLS-EXPIRES-SOON", f"{left.days} days and {left.seconds // 3600} hours are left")


def _of(certificate: x509.Certificate | None) -> str:
    if certificate is None:
        return ""
    issuer = certificate.issuer.rfc4514_string()
    return f", certificate by {issuer} until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"


async def _shake(parts: SplitResult, address: Address, context: ssl.SSLContext, timeout_s: float) -> _Handshake:
    """Make one handshake and hang up."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(
                str(address), port_of(parts), ssl=context, server_hostname=parts.hostname
            )
            connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
            leaf = connection.getpeercert(binary_form=True)
            cipher = connection.cipher()
            return _Handshake(
                connection.version() or "", cipher[0] if cipher else "", x509.load_der_x509_certificate(leaf or b"")
            )
    except ssl.SSLCertVerificationError as error:
        return _Handshake(problem=error.verify_message or str(error), untrusted=True)
    except TimeoutError:
        return _Handshake(problem=f"no answer within {timeout_s:g} s")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; an unreadable certificate a ValueError
        return _Handshake(problem=getattr(error, "reason", None) or str(error) or type(error).__name__)
    finally:
        if writer is not None:
            writer.transport.abort()


def _without_trust(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return a context that looks and believes nothing; of one old version where one is given."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():  # Python deprecates what is tried here, and that is the point
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context
