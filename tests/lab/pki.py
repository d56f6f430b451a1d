# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority and what it signs.

The certificates satisfy RFC 5280 closely enough for ``VERIFY_X509_STRICT``, which Python 3.13 turns on by default.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=30)
CLOCK_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    certificate: Path
    key: Path


class CertificateAuthority:
    """A root that lives as long as one lab; its certificate is ``ca.pem`` in ``directory``, its key is never stored."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = _new_key()
        self._name = _name("Lab root")
        certificate = _sign(_builder(self._name, self._name, self._key, self._key, authority=True), self._key)
        self.certificate_file = directory / "ca.pem"
        self.certificate_file.write_bytes(_pem(certificate))

    def issue_server(self, file_name: str, host_name: str, address: str, *more_names: str) -> CertificateFiles:
        """Sign a server certificate for DNS names and an IP address."""
        key = _new_key()
        builder = _builder(_name(host_name), self._name, key, self._key, authority=False)
        builder = builder.add_extension(
            x509.SubjectAlternativeName(
                [*map(x509.DNSName, (host_name, *more_names)), x509.IPAddress(ipaddress.ip_address(address))],
            ),
            critical=False,
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        files = CertificateFiles(self._directory / f"{file_name}.pem", self._directory / f"{file_name}.key")
        files.certificate.write_bytes(_pem(_sign(builder, self._key)))
        write_private(files.key, _key_pem(key))
        return files

    def issue_client(self, name: str) -> tuple[Path, str]:
        """Sign a client certificate; return the file that holds it with its key, and the certificate alone as text."""
        key = _new_key()
        builder = _builder(_name(name), self._name, key, self._key, authority=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        certificate = _pem(_sign(builder, self._key))
        path = self._directory / f"client-{name}.pem"
        write_private(path, _key_pem(key) + certificate)
        return path, certificate.decode("ascii")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey, *, authority: bool
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    issuer_public = issuer_key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
