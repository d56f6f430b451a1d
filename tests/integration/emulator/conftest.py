# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator per test module, reset before each test."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.lab.entra.admin import EntraAdmin

from .tenant import HOST, Emulator, Pki, configuration

_ROOT = Path(__file__).parents[3]


def _certificate(name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    moment = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - datetime.timedelta(minutes=5))
        .not_valid_after(moment + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _pem(key: rsa.RSAPrivateKey) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A self-signed server certificate and a client certificate, made for this test run."""
    folder = tmp_path_factory.mktemp("pki")
    server_key, server = _certificate("emulator")
    client_key, client = _certificate("gpad")
    (folder / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_text(_pem(server_key), encoding="ascii")
    return Pki(
        certificate=folder / "server.pem",
        key=folder / "server.key",
        client_key=_pem(client_key),
        client_certificate=client.public_bytes(serialization.Encoding.PEM).decode(),
        client_thumbprint=client.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - what x5t is made of
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def started(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The process, started as the lab starts it."""
    folder = tmp_path_factory.mktemp("emulator")
    port = _free_port()
    config = folder / "config.json"
    config.write_text(json.dumps(configuration(pki, port, folder)), encoding="utf-8")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.entra", "--config", str(config)],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line == f"ready https://{HOST}:{port}\n", (folder / "log").read_text()
        yield Emulator(f"https://{HOST}:{port}", pki)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def emulator(started: Emulator) -> Emulator:
    started.admin.reset()
    return started


@pytest.fixture
def admin(emulator: Emulator) -> EntraAdmin:
    return emulator.admin
