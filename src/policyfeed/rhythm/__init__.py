"""When to poll or retry next. Pure: the time, the randomness and the state come in, a moment goes out.

A source's memory is a ``Profile``. Call ``profile.seen(published, now)`` once for every request made to the source,
with the publication times of what was new (often none), then ``with_plan``; store ``profile.to_json()`` in the
transaction of that poll; ask ``next_poll`` when to come again. Failures go to ``after_failure`` (429:
``after_refusal``); how long an answer is fresh, ``server_floor`` reads.
"""

from policyfeed.rhythm.bounds import DAY, Bounds
from policyfeed.rhythm.calendar import works
from policyfeed.rhythm.due import believable, settled
from policyfeed.rhythm.plan import next_poll, with_plan
from policyfeed.rhythm.prior import Prior, load_prior
from policyfeed.rhythm.profile import Profile
from policyfeed.rhythm.retry import after_failure, after_refusal, server_floor

__all__ = [
    "DAY",
    "Bounds",
    "Prior",
    "Profile",
    "after_failure",
    "after_refusal",
    "believable",
    "load_prior",
    "next_poll",
    "server_floor",
    "settled",
    "with_plan",
    "works",
]
