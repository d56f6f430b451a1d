# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_of,
    moment_text,
    second_text,
)

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(timezone.utc))


def test_both_forms_are_utc() -> None:
    moment = datetime(2026, 11, 21, 13, 5, 9, 120, tzinfo=timezone(timedelta(hours=1)))
    assert moment_text(moment) == "2026-11-21T12:05:09.000120Z"
    assert second_text(moment) == "2026-11-21T12:05:09Z"


@given(MOMENTS, MOMENTS)
def test_texts_order_as_times_do(one: datetime, other: datetime) -> None:
    assert (moment_text(one) < moment_text(other)) == (one < other)


@given(MOMENTS)
def test_a_text_names_its_time(moment: datetime) -> None:
    assert moment_of(moment_text(moment)) == moment
    assert moment_of(second_text(moment)) == moment.replace(microsecond=0)
