# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result of a domain controller means, told from the table of facts, not from the code's."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.results import Meaning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    ObjectError,
    Outcome,
)
from tests.unit.plugins.module_utils._directory.scripted import refused


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (68, "00002071: UpdErr: DSID-031A11FA, problem 6005 (ENTRY_EXISTS)", Meaning.COLLISION),
        (68, "00000526: SvcErr: DSID-1", Meaning.COLLISION),
        (68, "00000524: UpdErr: DSID-1", Meaning.COLLISION),
        (68, "00000562: UpdErr: DSID-031A11FA, problem 6005", Meaning.ALREADY_DONE),
        (20, "00002083: AtrErr: DSID-1", Meaning.ALREADY_DONE),
        (20, "", Meaning.ALREADY_DONE),
        (16, "00002085: AtrErr: DSID-1", Meaning.ALREADY_DONE),
        (53, "00000561: SvcErr: DSID-1", Meaning.ALREADY_DONE),
        (53, "00000529: SvcErr: DSID-1", Meaning.ALREADY_DONE),
        (53, "Attribute member already deleted for target GUID d0000000", Meaning.ALREADY_DONE),
        (53, "00002035: Attribute member already deleted for target", Meaning.REJECTED),
        (53, "00002035: SvcErr: DSID-1", Meaning.REJECTED),
        (53, "0000054F: SvcErr: DSID-1", Meaning.REJECTED),
        (53, "00002141: SvcErr: DSID-1", Meaning.REJECTED),
        (32, "0000208D: NameErr: DSID-1", Meaning.MISSING),
        (32, "00002030: NameErr", Meaning.MISSING),
        (19, "00002082: AtrErr: DSID-1", Meaning.INVALID),
        (19, "00002081: AtrErr: DSID-1", Meaning.INVALID),
        (19, "000021C7: AtrErr: DSID-1", Meaning.COLLISION),
        (19, "000021c8: AtrErr: DSID-1", Meaning.COLLISION),
        (21, "00002057: SvcErr: DSID-1", Meaning.INVALID),
        (21, "", Meaning.INVALID),
        (50, "00000005: SecErr: DSID-1", Meaning.PERMISSION),
        (50, "00002098: SecErr: DSID-1", Meaning.PERMISSION),
        (11, "00002024: SvcErr: DSID-1", Meaning.SPLIT),
        (51, "0000200E: SvcErr", Meaning.BUSY),
        (52, "", Meaning.BUSY),
        (3, "", Meaning.BUSY),
        (80, "", Meaning.BUSY),
        (10, "0000202B: RefErr: DSID-1", Meaning.MISCONFIGURED),
        (8, "00002028: LdapErr: DSID-1", Meaning.MISCONFIGURED),
        (12, "", Meaning.MISCONFIGURED),
        (99, "", Meaning.REJECTED),
        (66, "", Meaning.REJECTED),
        (4, "", Meaning.REJECTED),
        (68, "x 00000562: the prefix stands first or does not count", Meaning.COLLISION),
    ],
)
def test_the_classes_of_refusals(code: int, message: str, expected: Meaning) -> None:
    assert results.meaning(refused(code, message)) is expected


def test_a_result_without_a_message_is_classified_too() -> None:
    assert results.meaning({"result": 50, "message": None}) is Meaning.PERMISSION
    assert results.meaning({"result": 50}) is Meaning.PERMISSION


def test_the_server_s_own_words_are_kept() -> None:
    error = results.refusal("Creating CN=a", refused(53, "00002035: SvcErr:\n DSID-1\x00", "unwillingToPerform"))
    assert isinstance(error, ObjectError)
    assert error.code == "directory_rejected"
    assert error.message == "Creating CN=a: unwillingToPerform (53): 00002035: SvcErr: DSID-1"


def test_an_operation_may_have_remedies_of_its_own() -> None:
    own = {Meaning.PERMISSION: "Do this."}
    assert results.refusal("Restoring", refused(50), own).remedy == "Do this."
    assert results.refusal("Restoring", refused(51), own).remedy == "Run again later."


def test_a_failed_search_ends_the_run() -> None:
    error = results.failed_reading("Reading DC=x", refused(50))
    assert isinstance(error, DirectoryError)
    assert error.outcome is Outcome.FATAL
    assert (error.code, error.remedy != "") == ("permission_denied", True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("52e", "password"),
        ("525", "does not exist"),
        ("530", "at this time"),
        ("531", "from here"),
        ("532", "expired"),
        ("533", "disabled"),
        ("701", "account has expired"),
        ("773", "must be changed"),
        ("775", "locked"),
        ("52F", "restriction"),
        ("999", "user name or the password"),
    ],
)
def test_the_reasons_of_a_refused_log_on(data: str, words: str) -> None:
    message = f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}, v4563"
    error = results.bind_refusal("svc", refused(49, message))
    assert words in error.message
    assert error.code == "directory_log_on_refused"


def test_channel_binding_is_named() -> None:
    message = "80090346: LdapErr: DSID-0C090597, comment: AcceptSecurityContext error, data 80090346, v4563"
    assert "channel binding" in results.bind_refusal("svc", refused(49, message)).message


@pytest.mark.parametrize("code", [51, 52])
def test_a_server_that_is_busy_refuses_nobody(code: int) -> None:
    """Or a run would wait for new credentials, which are right."""
    assert results.bind_refusal("svc", refused(code, "busy")).code == "directory_busy"


def test_a_log_on_refused_for_another_reason() -> None:
    error = results.bind_refusal("svc", refused(8, "00002028: LdapErr", "strongerAuthRequired"))
    assert "strongerAuthRequired (8)" in error.message
    assert "domain_tls_mode" in error.remedy
