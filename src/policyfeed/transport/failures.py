"""The seam where exceptions of httpcore, httpx's engine, become ours. Nothing above sees them, ssl or OSError."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore

from policyfeed.errors import Forbidden, Truncated, Unreachable, Unreadable, UpstreamError
from policyfeed.transport.wire import Meter


@contextmanager
def explained(meter: Meter, seconds: float) -> Iterator[None]:
    """Raises Unreachable, Truncated, Unreadable, TooLarge or Forbidden for what went wrong in an exchange."""
    try:
        yield
    except (TimeoutError, httpcore.TimeoutException):
        raise Unreachable(
            "{url} did not answer completely within {seconds} s.", url=meter.url, seconds=f"{seconds:g}"
        ) from None
    except httpcore.LocalProtocolError:
        # Its text quotes the header at fault, which may be a credential.
        raise Forbidden("The request to {url} holds a header that HTTP does not allow.", url=meter.url) from None
    except httpcore.RemoteProtocolError as error:
        raise _protocol(meter, error) from None
    except httpcore.ProxyError as error:
        raise Unreachable(
            "The proxy did not let us through to {url}: {reason}.", url=meter.url, reason=str(error)
        ) from None
    except (httpcore.NetworkError, OSError) as error:
        raise _network(meter, error) from None


def _protocol(meter: Meter, error: Exception) -> UpstreamError:
    if meter.ended and meter.answered:
        return Truncated("{url} ended before its announced end.", url=meter.url)
    if meter.ended:
        return Unreachable("{url} closed the connection without an answer.", url=meter.url)
    if meter.head_is_full:
        return meter.head_too_large()
    # After the colon h11 quotes what the server wrote, which may be our own request: its address and its credentials.
    reason = str(error).partition(":")[0]
    return Unreadable("{url} does not speak HTTP as it should: {reason}", url=meter.url, reason=reason)


def _network(meter: Meter, error: Exception) -> UpstreamError:
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unreachable(
            "{url} could not prove who it is: {reason}",
            remedy="If its certificate is right, give its authority as the source's ca_bundle.",
            url=meter.url,
            reason=cause.verify_message,
        )
    if isinstance(cause, ssl.SSLError):
        return Unreachable("{url} could not agree on encryption: {reason}", url=meter.url, reason=cause.reason or "TLS")
    if meter.answered:
        return Truncated("{url} broke off in the middle of its answer.", url=meter.url)
    return Unreachable("{url} cannot be reached: {reason}", url=meter.url, reason=_reason(cause))


def _reason(cause: Exception) -> str:
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, socket.gaierror):
        return os.strerror(cause.errno)  # asyncio says "Connect call failed" of whatever it was
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or "the connection broke"
