"""One call of a destination over HTTP, and what its answer means: taken, to be tried again, or refused for good.

Certificates are verified and no redirect is followed: what is sent may say a customer's name, and goes where the operator said.
"""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal, Protocol, TypeAlias

import httpx2
from msgspec import Struct

from sinks.messages import Message

MOST_OF_AN_ANSWER_BYTES: Final = 1_024
MOST_OF_AN_ANSWER_SHOWN: Final = 200
RETRY_AFTER_MOST_MS: Final = 3_600_000
"""A destination that asks for more is asked again after an hour."""

_TRY_AGAIN: Final = frozenset({408, 425, 429})
_S_IN_MS: Final = 1_000

Verdict: TypeAlias = Literal["taken", "try_again", "refused"]


class Answer(Struct, frozen=True):
    """What came of a call. `status` is None when no answer came; `told` says to a person what happened and holds no address.

    `words` are the first of the answer: they may repeat what was sent, so they are for no log. `retry_after_ms` is how long the
    destination asked to be left alone.
    """

    verdict: Verdict
    status: int | None
    told: str
    words: str = ""
    retry_after_ms: int = 0


class Caller(Protocol):
    """Calls one destination."""

    def call(self, message: Message, headers: Mapping[str, str]) -> Answer:
        """Send a message and wait for the answer. Never raises for what the destination or the network does."""

    def close(self) -> None:
        """Let go of the connection."""


class HttpCaller:
    """Posts to one address. `timeout_ms` bounds a call as a whole, however the answer trickles in.

    It has an event loop of its own, because only what is cancelled can be bounded as a whole; calls are made from one thread.
    """

    def __init__(self, url: str, timeout_ms: int, verify: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._timeout_s = timeout_ms / _S_IN_MS
        self._loop = asyncio.new_event_loop()
        self._client = httpx2.AsyncClient(
            timeout=None,
            follow_redirects=False,
            verify=verify or ssl.create_default_context(),
            headers={"user-agent": "cspulse", "accept": "*/*"},
        )

    def call(self, message: Message, headers: Mapping[str, str]) -> Answer:
        """Send a message and wait for the answer."""
        return self._loop.run_until_complete(self._call(message, {"content-type": message.content_type, **headers}))

    def close(self) -> None:
        """Let go of the connection."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._client.aclose())
            self._loop.close()

    async def _call(self, message: Message, headers: Mapping[str, str]) -> Answer:
        """The status is the answer; of what follows it the beginning is read, as far as it comes in time."""
        response: httpx2.Response | None = None
        words = b""
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._url, content=message.body, headers=headers) as response,
            ):
                async for chunk in response.aiter_raw():
                    words += chunk
                    if len(words) > MOST_OF_AN_ANSWER_BYTES:
                        break
        except (TimeoutError, httpx2.HTTPError) as error:
            if response is None:
                return Answer("try_again", None, self._failure(error))
        assert response is not None
        told = words[:MOST_OF_AN_ANSWER_BYTES].decode(errors="replace")
        return answer_of(response.status_code, response.headers.get("retry-after"), told)

    def _failure(self, error: TimeoutError | httpx2.HTTPError) -> str:
        """Why there was no answer. The library's own words may hold the address, so only those of a certificate are repeated."""
        cause = _certificate_error(error)
        if cause is not None:
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(error, httpx2.ConnectError):
            return "no connection"
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout_s:g} s"
        if isinstance(error, httpx2.NetworkError | httpx2.ProtocolError):
            return "the connection was cut before the answer"
        return f"no answer ({type(error).__name__})"


def answer_of(status: int, retry_after: str | None, body: str) -> Answer:
    """What a status means: 2xx is taken; 408, 425, 429 and 5xx pass; a redirect and any other 4xx is for good."""
    words = " ".join(body.split())[:MOST_OF_AN_ANSWER_SHOWN]
    told = f"HTTP {status}"
    if 200 <= status < 300:
        return Answer("taken", status, told, words)
    if status in _TRY_AGAIN or status >= 500:
        return Answer("try_again", status, told, words, retry_after_ms(retry_after, datetime.now(UTC)))
    return Answer("refused", status, told, words)


def retry_after_ms(value: str | None, now: datetime) -> int:
    """A `Retry-After` in seconds or as a date; 0 when there is none or it cannot be read."""
    if value is None:
        return 0
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return min(int(text[:9]) * _S_IN_MS, RETRY_AFTER_MOST_MS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0, min(int((at - now).total_seconds() * _S_IN_MS), RETRY_AFTER_MOST_MS))


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refusal of a certificate among the causes of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None
