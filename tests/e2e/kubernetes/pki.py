"""Keys and certificates of a cluster that lives for one test session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def write(folder: Path, address: str) -> None:
    """Write `ca.crt`, a server's `api.crt` for `address`, an administrator's `admin.crt`, their `.key`s, and `sa.key`.

    `sa.key` and `sa.pub` sign and check the tokens of service accounts.
    """
    folder.mkdir(mode=0o700)
    authority = _key(folder / "ca.key")
    issuer = _name("ca")
    ca = x509.BasicConstraints(ca=True, path_length=None)
    (folder / "ca.crt").write_bytes(_certificate(issuer, authority, issuer, authority, (ca,)))
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(address)), x509.DNSName("localhost"), x509.DNSName("kubernetes.default.svc")]
    )
    for file, subject, extensions in (
        ("api", _name("kube-apiserver"), (names, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))),
        ("admin", _name("admin", "system:masters"), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),)),
    ):
        own = _key(folder / f"{file}.key")
        (folder / f"{file}.crt").write_bytes(_certificate(subject, own, issuer, authority, extensions))
    public = _key(folder / "sa.key").public_key()
    (folder / "sa.pub").write_bytes(
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    return x509.Name([*parts, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else parts)


def _key(file: Path) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return key


def _certificate(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    authority: rsa.RSAPrivateKey,
    extensions: tuple[x509.ExtensionType, ...],
) -> bytes:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
