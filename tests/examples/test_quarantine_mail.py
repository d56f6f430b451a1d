# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail of docs/examples/on_quarantine_mail.yml, sent with community.general to a real SMTP server."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from tests.lab.pki import CertificateAuthority
from tests.tools import collections
from tests.tools.checkout import BUILD, ROOT

EXAMPLE = ROOT / "docs" / "examples" / "on_quarantine_mail.yml"
QUARANTINE = {
    "reason": "limit_exceeded",
    "message": "member_removals: 900 planned, 20 allowed.",
    "since": "2026-11-21T17:40:00.000000Z",
    "next_at": "2026-11-21T18:40:00.000000Z",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return where the collections of the examples are."""
    assert collections.main() == 0
    return collections.FOLDER


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """Return the port of a server that takes mail after STARTTLS only, and puts it into a maildir."""
    certificate = CertificateAuthority(tmp_path / "pki").issue_server("smtp", "localhost", "127.0.0.1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    tls = ["--tlscert", str(certificate.certificate), "--tlskey", str(certificate.key)]
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", *tls]
    process = subprocess.Popen([*command, "-c", "aiosmtpd.handlers.Mailbox", str(tmp_path / "mail")])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _attempt in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    pytest.fail("the SMTP server did not start")


def send(tmp_path: Path, folder: Path, variables: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the tasks of the example as the role includes them."""
    playbook = tmp_path / "play.json"
    task = {"ansible.builtin.include_tasks": str(EXAMPLE), "vars": {"gpad_quarantine": QUARANTINE}}
    hosts = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}
    playbook.write_text(json.dumps([hosts]), encoding="utf-8")
    return subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(playbook)],
        env={
            **os.environ,
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_COLLECTIONS_PATH": f"{BUILD}{os.pathsep}{folder}",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def mails(tmp_path: Path) -> list[EmailMessage]:
    """Return what the server took."""
    parser = BytesParser(policy=policy.default)
    found = sorted((tmp_path / "mail" / "new").glob("*"))
    return [parser.parsebytes(path.read_bytes()) for path in found]


def test_the_mail_arrives_and_says_what_happened(tmp_path: Path, folder: Path, server: int) -> None:
    recipients = ["identity@contoso.com", "night.watch@contoso.com"]
    variables = {
        "gpad_mail_host": "127.0.0.1",
        "gpad_mail_port": server,
        "gpad_mail_sender": "gpad@contoso.com",
        "gpad_mail_recipients": recipients,
    }
    done = send(tmp_path, folder, variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (mail,) = mails(tmp_path)
    assert mail["Subject"] == "Group provisioning of localhost is in quarantine (limit_exceeded)"
    assert mail["From"] == "gpad@contoso.com"
    assert all(name in str(mail["To"]) for name in recipients)
    part = mail.get_body(("plain",))
    assert part is not None
    body = str(part.get_content())
    assert all(QUARANTINE[name] in body for name in ("message", "since", "next_at"))


def test_a_server_that_is_not_there_is_told(tmp_path: Path, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, and nobody listens
        variables = {
            "gpad_mail_host": "127.0.0.1",
            "gpad_mail_port": port,
            "gpad_mail_sender": "gpad@contoso.com",
            "gpad_mail_recipients": ["identity@contoso.com"],
        }
        done = send(tmp_path, folder, variables)
    assert done.returncode != 0
    assert mails(tmp_path) == []
