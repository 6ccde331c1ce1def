from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops.views.age import age, duration

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (-0.5, "0s"),
        (0.9, "0s"),
        (119.9, "119s"),
        (2 * MINUTE, "2m"),
        (143, "2m23s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 5 * MINUTE, "3h5m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR + 300 * DAY, "8y"),
    ],
)
def test_ages_are_said_as_kubectl_says_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_the_age_of_a_timestamp_and_of_what_is_none() -> None:
    now = datetime(2025, 6, 23, 14, 5, 43, tzinfo=UTC)
    assert age("2025-06-23T14:03:20Z", now) == "2m23s"
    assert [age(text, now) for text in (None, "", "yesterday", "2025-06-23", 5)] == ["<unknown>"] * 5
