"""Certificates for tests: the one that a machine shows, and bad ones."""

import datetime as dt
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.host.machine import MCP, Machine


def unchecked() -> ssl.SSLContext:
    """Return a context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def served(machine: Machine, name: str = MCP, context: ssl.SSLContext | None = None) -> x509.Certificate:
    """Return the certificate that the machine shows for a name."""
    with (
        socket.create_connection((machine.address, 443), 10) as plain,
        (context or unchecked()).wrap_socket(plain, server_hostname=name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


def make(names: tuple[str, ...], begin: dt.timedelta, end: dt.timedelta) -> tuple[str, str]:
    """Return a self-signed certificate and its key as PEM.

    Args:
        names: DNS names.
        begin: begin of its life, from now.
        end: end of its life, from now.
    """
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), pem.decode()
