"""What is in memory at once: documents have places until they are stored, and servers that hang take none."""

from __future__ import annotations

import asyncio

import pytest

from policyfeed.harvest import Room


class Visits:
    """Visits that are answered and stored when they are told to be."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.inside: set[str] = set()
        self.answers: dict[str, asyncio.Event] = {}
        self.stores: dict[str, asyncio.Event] = {}

    def begin(self, name: str) -> asyncio.Task[None]:
        self.answers[name], self.stores[name] = asyncio.Event(), asyncio.Event()
        return asyncio.create_task(self._visit(name))

    async def _visit(self, name: str) -> None:
        async with self.room.place() as place:
            self.inside.add(name)
            place.asked()
            await self.answers[name].wait()
            place.answered()
            await self.stores[name].wait()
        self.inside.discard(name)

    async def settled(self) -> str:
        for _ in range(20):
            await asyncio.sleep(0)
        return "".join(sorted(self.inside))


async def test_documents_wait_for_places_in_their_order() -> None:
    visits = Visits(Room(2, patience=3600))
    tasks = [visits.begin(name) for name in "abcd"]
    assert await visits.settled() == "ab"
    visits.answers["a"].set()
    assert await visits.settled() == "ab"
    visits.stores["a"].set()
    assert await visits.settled() == "bc"
    for event in (*visits.answers.values(), *visits.stores.values()):
        event.set()
    await asyncio.gather(*tasks)


async def test_who_is_not_answered_gives_its_place_up_and_nobody_enters_while_too_many_are_answered() -> None:
    visits = Visits(Room(1, patience=0))
    tasks = [visits.begin(name) for name in "abc"]
    assert await visits.settled() == "abc"
    for name in "ab":
        visits.answers[name].set()
    await visits.settled()
    tasks.append(visits.begin("d"))
    assert await visits.settled() == "abc"
    visits.stores["a"].set()
    assert await visits.settled() == "bc"
    visits.stores["b"].set()
    assert await visits.settled() == "cd"
    for event in (*visits.answers.values(), *visits.stores.values()):
        event.set()
    await asyncio.gather(*tasks)


async def test_places_come_back_when_visits_are_broken_off() -> None:
    visits = Visits(Room(1, patience=3600))
    first, second, third = (visits.begin(name) for name in "abc")
    assert await visits.settled() == "a"
    second.cancel()
    first.cancel()
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task
    visits.inside.clear()
    visits.answers["c"].set()
    visits.stores["c"].set()
    await third
    async with visits.room.place():
        pass


async def test_a_place_that_was_just_given_to_who_is_broken_off_goes_to_the_next() -> None:
    room = Room(1, patience=3600)
    async with room.place():
        second, third = (asyncio.create_task(room.enter()) for _ in range(2))
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait_for(third, 5)
    assert second.cancelled()
