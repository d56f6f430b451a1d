# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now


def test_it_is_now_and_aware() -> None:
    before = datetime.now(timezone.utc)
    now = utc_now()
    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(timezone.utc)
