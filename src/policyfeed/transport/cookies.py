"""Cookies of one source, kept apart from every other source's, in memory."""

from __future__ import annotations

import urllib.request as stdlib  # noqa: TID251 - http.cookiejar is written against its Request; nothing is opened
from collections.abc import Iterable
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import cast

_LIMIT = 8_192


class _Answer:
    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers


class Cookies:
    """A jar: domains, paths, Secure and expiry as the standard library judges them."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def __bool__(self) -> bool:
        return len(self._jar) > 0

    def header(self, url: str) -> str:
        """The Cookie header for a URL, "" for none. A server that heaps up cookies loses them all."""
        request = stdlib.Request(url)  # noqa: S310 - a carrier of the URL, which the guard has checked
        self._jar.add_cookie_header(request)
        value = request.get_header("Cookie") or ""
        if len(value) > _LIMIT:
            self._jar.clear()
            return ""
        return value

    def keep(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Takes the Set-Cookie headers of an answer."""
        message = Message()
        for name, value in headers:
            if name == "set-cookie":
                message["Set-Cookie"] = value
        if message:
            answer = cast("HTTPResponse", _Answer(message))
            self._jar.extract_cookies(answer, stdlib.Request(url))  # noqa: S310 - as above
