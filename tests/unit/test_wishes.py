"""What a feed asks of those who poll it."""

from __future__ import annotations

import pytest

from policyfeed.normalize.wishes import LONGEST, wishes
from policyfeed.types import NO_WISHES


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ({}, 0),
        ({"ttl": " 30 "}, 1800),
        ({"ttl": "half an hour"}, 0),
        ({"ttl": "100000"}, LONGEST),
        ({"sy_updateperiod": "Hourly", "sy_updatefrequency": "4"}, 900),
        ({"sy_updateperiod": "daily"}, 86400),
        ({"sy_updateperiod": "weekly", "sy_updatefrequency": "14"}, 43200),
        ({"sy_updateperiod": "monthly", "sy_updatefrequency": "0"}, LONGEST),
        ({"sy_updateperiod": "now and then"}, 0),
        ({"ttl": "60", "sy_updateperiod": "hourly", "sy_updatefrequency": "2"}, 3600),
    ],
)
def test_the_longer_of_two_wishes_counts_and_a_day_at_most(head: dict[str, str], seconds: float) -> None:
    assert wishes(head, "").seconds == seconds


def test_hours_and_days_are_read_where_they_are_some() -> None:
    said = "<skipHours><hour>24</hour><hour> 7 </hour><hour>25</hour><hour>noon</hour></skipHours>"
    said += "<skipDays><day>SUNDAY</day><day>Monday</day><day>someday</day></skipDays>"
    found = wishes({}, f"<rss><channel>{said}<item><title>&lt;hour&gt;3&lt;/hour&gt;</title></item></channel></rss>")
    assert (found.hours, found.days) == ((0, 7), (0, 6))
    assert wishes({}, "<rss><channel><hour>3</hour><day>Monday</day></channel></rss>") == NO_WISHES
