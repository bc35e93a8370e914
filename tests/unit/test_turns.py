"""Whose turn it is at a host, on a clock that the test turns."""

from __future__ import annotations

import asyncio

from policyfeed.transport.turns import Turns


class Hands:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = Turns(lambda: self.now, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    async def wait(self, host: str = "www.korea.kr", seconds: float = 3) -> float:
        await self.turns.wait(host, seconds)
        return self.now


async def test_turns_at_one_host_keep_their_distance() -> None:
    hands = Hands()
    assert [await hands.wait() for _ in range(4)] == [0, 3, 6, 9]


async def test_the_distance_is_what_the_last_one_asked_for_and_time_that_passed_counts() -> None:
    hands = Hands()
    await hands.wait(seconds=10)
    hands.now = 4
    assert await hands.wait(seconds=3) == 10
    hands.now = 60
    assert await hands.wait() == 60


async def test_hosts_do_not_wait_for_each_other() -> None:
    hands = Hands()
    assert [await hands.wait("www.korea.kr"), await hands.wait("www.moel.go.kr")] == [0, 0]


async def test_several_who_wait_for_one_host_go_one_after_the_other() -> None:
    hands = Hands()
    assert sorted(await asyncio.gather(*(hands.wait() for _ in range(3)))) == [0, 3, 6]


async def test_polls_go_first() -> None:
    hands = Hands()
    with hands.turns.polling("www.korea.kr"), hands.turns.polling("www.korea.kr"):
        waiting = asyncio.create_task(hands.wait())
        other = asyncio.create_task(hands.wait("www.moel.go.kr"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (waiting.done(), other.done()) == (False, True)
    await waiting
    assert await hands.wait() == 3


async def test_the_end_of_one_of_two_polls_is_not_the_end() -> None:
    hands = Hands()
    with hands.turns.polling("www.korea.kr"):
        waiting = asyncio.create_task(hands.wait())
        await asyncio.sleep(0)
        with hands.turns.polling("www.korea.kr"):
            pass
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == 0
