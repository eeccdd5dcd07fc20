"""Which certificates this command trusts: the system's, and the authority of the environment that it speaks to."""

import ssl
from pathlib import Path

_AUTHORITIES: set[Path] = set()


def trust_authority(certificate: Path) -> None:
    """Trust an authority from now on in this process.

    Args:
        certificate: PEM file.
    """
    _AUTHORITIES.add(certificate)


def tls_context() -> ssl.SSLContext:
    """Return the context for every https request of this command."""
    context = ssl.create_default_context()
    for certificate in sorted(_AUTHORITIES):
        if certificate.is_file():
            context.load_verify_locations(certificate)
    return context
