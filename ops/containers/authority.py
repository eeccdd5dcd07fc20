"""The environment's own certificate authority, and the certificates it gives to the edge.

In dev it signs the public names too (mkcert's root is used where it is installed, so that browsers trust them).
Elsewhere it signs the operator's door only, and the public certificate comes from outside (TLS_CERTIFICATE, TLS_KEY).
"""

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ops.errors import OperatorError

TLS_CERTIFICATE = "tls_certificate.pem"
TLS_KEY = "tls_key.pem"
AUTHORITY_DAYS = 3650
# The CA/Browser Forum allows 100 days from 2027-03-15 on; browsers refuse more than 825 even of a private authority.
LEAF_DAYS = 90
RENEW_DAYS = 30


def ensure_authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the authority; take mkcert's root or make one where there is none.

    Args:
        folder: where authority.crt and authority.key are kept, mode 0700.

    Raises:
        OperatorError: the files are damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate_file, key_file = folder / "authority.crt", folder / "authority.key"
    if not certificate_file.exists() and not _take_mkcert(certificate_file, key_file):
        _make_authority(certificate_file, key_file)
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise OperatorError(f"The authority in {folder} cannot be read: {error}.", "Delete the folder.") from error
    return certificate, key  # type: ignore[return-value] # mkcert's root has an RSA key; both sign


def ensure_certificate(folder: Path, name: str, hosts: list[str]) -> tuple[Path, Path]:
    """Return certificate (with its issuer) and key of a server; made where missing, for other hosts, or near its end.

    Args:
        folder: folder of the authority.
        name: base name of the files.
        hosts: DNS names.
    """
    certificate_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    if not (certificate_file.exists() and key_file.exists() and _serves(certificate_file, hosts)):
        issuer, issuer_key = ensure_authority(folder)
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        builder = (
            _builder(hosts[0], issuer.subject, key, now, LEAF_DAYS)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
        )
        certificate = builder.sign(issuer_key, hashes.SHA256())
        _write(key_file, _pem(key))
        _write(
            certificate_file,
            certificate.public_bytes(serialization.Encoding.PEM) + issuer.public_bytes(serialization.Encoding.PEM),
        )
    return certificate_file, key_file


def public_certificate(secrets: Path, folder: Path, hosts: list[str], *, own: bool) -> tuple[Path, Path]:
    """Return certificate and key for the public names: given ones where they are, else of the own authority.

    Args:
        secrets: folder of the secret files, where an operator or an ACME client puts TLS_CERTIFICATE and TLS_KEY.
        folder: folder of the authority.
        hosts: the public names.
        own: whether the own authority may sign public names.

    Raises:
        OperatorError: there is none and the own authority must not make it.
    """
    given = secrets / TLS_CERTIFICATE, secrets / TLS_KEY
    if all(file.exists() for file in given):
        return given
    if not own:
        raise OperatorError(
            f"There is no certificate for {', '.join(hosts)}.",
            f"Put the chain into {given[0]} and the key into {given[1]} (mode 0400), then run the command again.",
        )
    return ensure_certificate(folder, "tls", hosts)


def _make_authority(certificate_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Secure MCP development authority")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        _builder("Secure MCP development authority", name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    _write(key_file, _pem(key))
    _write(certificate_file, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o444)


def _builder(
    common_name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _serves(file: Path, hosts: list[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return sorted(names) == sorted(hosts) and left > dt.timedelta(days=RENEW_DAYS)


def _take_mkcert(certificate_file: Path, key_file: Path) -> bool:
    program = shutil.which("mkcert")
    if program is None:
        return False
    answer = subprocess.run([program, "-CAROOT"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    root = Path(answer.stdout.strip() or "/nonexistent")
    if not ((root / "rootCA.pem").is_file() and (root / "rootCA-key.pem").is_file()):
        return False
    _write(key_file, (root / "rootCA-key.pem").read_bytes())
    _write(certificate_file, (root / "rootCA.pem").read_bytes(), 0o444)
    return True


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(target: Path, content: bytes, mode: int = 0o400) -> None:
    fresh = target.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(target)
