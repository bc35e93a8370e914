"""How many bytes of answers are in memory at once, from the first one until whoever asked is done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from policyfeed.errors import Busy

_HELD: ContextVar[list[Callable[[], None]] | None] = ContextVar("held", default=None)
"""What gives back the answers that are held. (A connection keeps the context that it was made in: this is small.)"""


class Load:
    """The bytes of all answers together. While they are more than ``most``, no answer may be larger than ``small``.

    So many servers that pack ten megabytes into ten kilobytes, and never come to an end, take no more memory than a
    few of them; an answer of the usual size comes in at any time.
    """

    def __init__(self, most: int = 0, small: int = 256 * 1024) -> None:
        self.bytes = 0
        self.most = most
        self._small = small

    @contextmanager
    def answer(self, url: str) -> Iterator[Callable[[int], None]]:
        """One answer: what this gives is to be told its size as it grows, and raises Busy."""
        counted = 0

        def grown(size: int) -> None:
            nonlocal counted
            self.bytes += size - counted
            counted = size
            if size > self._small and self.bytes > self.most:
                raise Busy(
                    "{url} is larger than {small} bytes, and the answers that are under way hold {most} already.",
                    remedy="It is tried again later, by itself.",
                    url=url,
                    small=self._small,
                    most=self.most,
                )

        def done() -> None:
            self.bytes -= counted

        held = _HELD.get()
        try:
            yield grown
        except BaseException:
            done()
            raise
        if held is None:
            done()
        else:
            held.append(done)


@contextmanager
def holding() -> Iterator[None]:
    """What is asked for in here counts as held until the end of it, and not only while it comes in."""
    held: list[Callable[[], None]] = []
    token = _HELD.set(held)
    try:
        yield
    finally:
        _HELD.reset(token)
        while held:
            held.pop()()
