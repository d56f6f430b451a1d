# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of a run's progress, and when its end is expected."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import (
    Pace,
    Progress,
    Stage,
    progress_of,
    time_left,
)

MEMBERS = Stage.MEMBERS_WRITTEN


def observed(*samples: tuple[float, int], total: int = 1000) -> Pace:
    """Return what was observed: at which second how many were done."""
    pace = Pace(0.0)
    for now, done in samples:
        pace.note(Progress(MEMBERS, done, total), now)
    return pace


@pytest.mark.parametrize("progress", [Progress(MEMBERS, 3, 10), Progress(Stage.GROUPS_READ)])
def test_what_was_told_is_understood(progress: Progress) -> None:
    assert progress_of(progress.line()) == progress


@pytest.mark.parametrize(
    "line", ["", "[", "7", "[]", '["writing members"]', '["\\u001b[2J", 1, 2]', '["writing members", "x", 2]', "[1, 2]"]
)
def test_what_is_not_understood_is_nothing(line: str) -> None:
    assert progress_of(line) is None


def test_the_time_left_is_from_the_rate() -> None:
    assert observed((0, 0), (10, 100)).seconds_left() == pytest.approx(90)


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    slow_then_fast = observed((0, 0), (100, 100), (110, 200), (130, 500))
    assert slow_then_fast.seconds_left() == pytest.approx((1000 - 500) * 30 / (500 - 100))


def test_what_stands_still_has_no_end() -> None:
    assert observed((0, 0), (1, 100), *((float(now), 100) for now in range(2, 40))).seconds_left() is None


def test_one_look_gives_no_rate() -> None:
    assert observed((5, 400)).seconds_left() is None


def test_what_is_done_has_no_time_left() -> None:
    assert observed((0, 0), (1, 1000)).seconds_left() == 0


def test_a_look_without_news_is_one_at_which_nothing_moved() -> None:
    pace = observed((0, 0), (10, 100))
    pace.note(None, 20)
    assert pace.seconds_left() == pytest.approx(180)


@pytest.mark.parametrize("later", [Progress(Stage.GROUPS_WRITTEN, 500, 1000), Progress(MEMBERS, 1, 1000)])
def test_another_stage_or_another_try_has_a_rate_of_its_own(later: Progress) -> None:
    pace = observed((0, 0), (10, 100))
    pace.note(later, 11)
    assert pace.seconds_left() is None


def test_a_sentence_says_what_how_many_and_how_long() -> None:
    assert observed((0, 0), (10, 340), total=1000).sentence(10) == (
        "writing members, 340 of 1,000 groups, about 20 s left"
    )


def test_a_sentence_says_what_the_numbers_are_of() -> None:
    pace = Pace(0.0)
    pace.note(Progress(Stage.GROUPS_WRITTEN, 0, 7), 3)
    assert pace.sentence(9) == "writing groups, 0 of 7 changes, time left unknown"


def test_without_numbers_a_sentence_says_for_how_long() -> None:
    pace = Pace(100.0)
    assert pace.sentence(105) == "running for 5 s"
    pace.note(Progress(Stage.DIRECTORY_READ), 103)
    pace.note(Progress(Stage.DIRECTORY_READ), 104)
    assert pace.sentence(111) == "reading the directory for 8 s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "time left unknown"),
        (0.0, "about 5 s left"),
        (31.0, "about 35 s left"),
        (54.9, "about 55 s left"),
        (55.0, "about 1 min left"),
        (119.0, "about 2 min left"),
        (3540.0, "about 59 min left"),
        (3600.0, "about 1 h 0 min left"),
        (8100.0, "about 2 h 15 min left"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float | None, text: str) -> None:
    assert time_left(seconds) == text
