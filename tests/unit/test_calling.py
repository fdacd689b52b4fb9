"""A call over HTTP and what its answer means, against a real server."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from sinks.calling import RETRY_AFTER_MOST_MS, Answer, HttpCaller, answer_of, retry_after_ms
from sinks.messages import Message
from tests.support.certificates import Authority
from tests.support.sinks.receiver import Receiver, Reply

MESSAGE = Message("application/json", b'{"a": 1}')
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

Call = Callable[..., Answer]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def call(receiver: Receiver) -> Iterator[Call]:
    callers: list[HttpCaller] = []

    def make(url: str = "", timeout_ms: int = 2_000, verify: ssl.SSLContext | None = None) -> Answer:
        callers.append(HttpCaller(url or receiver.url, timeout_ms, verify))
        return callers[-1].call(MESSAGE, {"webhook-id": "m-1"})

    yield make
    for caller in callers:
        caller.close()


def test_a_message_is_posted_with_its_headers(receiver: Receiver, call: Call) -> None:
    assert call() == Answer("taken", 200, "HTTP 200", "ok")
    (got,) = receiver.calls
    assert (got.path, got.body, got.id) == ("/hook/token-1", MESSAGE.body, "m-1")
    assert (got.headers["content-type"], got.headers["user-agent"]) == ("application/json", "cspulse")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, "taken") for status in (200, 201, 202, 204)),
        *((status, "try_again") for status in (408, 425, 429, 500, 502, 503, 504)),
        *((status, "refused") for status in (301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422)),
    ],
)
def test_what_a_status_means(status: int, verdict: str) -> None:
    assert answer_of(status, None, "").verdict == verdict


@pytest.mark.parametrize(
    ("header", "wait_ms"),
    [
        (None, 0),
        ("0", 0),
        ("30", 30_000),
        (" 7 ", 7_000),
        ("999999999999999", RETRY_AFTER_MOST_MS),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60_000),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 12:01:00 -0000", 60_000),
        ("soon", 0),
        ("-5", 0),
        ("²", 0),
    ],
)
def test_how_long_a_destination_asks_to_be_left_alone(header: str | None, wait_ms: int) -> None:
    assert retry_after_ms(header, NOW) == wait_ms


def test_a_destination_that_is_busy_says_for_how_long(receiver: Receiver, call: Call) -> None:
    receiver.script = lambda _call: Reply(429, {"retry-after": "12"}, b"slow  down\n")
    assert call() == Answer("try_again", 429, "HTTP 429", "slow down", 12_000)


def test_a_redirect_is_not_followed(receiver: Receiver, call: Call) -> None:
    receiver.script = lambda _call: Reply(307, {"location": receiver.url})
    assert call().verdict == "refused"
    assert len(receiver.calls) == 1


def test_nobody_there_and_a_connection_that_is_cut_are_tried_again(receiver: Receiver, call: Call) -> None:
    receiver.script = lambda _call: Reply(cut=True)
    assert call() == Answer("try_again", None, "the connection was cut before the answer")
    with receiver.down():
        assert call() == Answer("try_again", None, "no connection")


def test_a_destination_that_is_too_slow_is_not_waited_for(receiver: Receiver, call: Call) -> None:
    receiver.script = lambda _call: Reply(delay_s=0.5)
    assert call(timeout_ms=50) == Answer("try_again", None, "no answer within 0.05 s")


def test_an_answer_whose_headers_trickle_in_is_not_waited_for_longer_than_one_that_does_not_come(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as others:
        others.submit(_trickle, server)
        assert call(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_ms=200) == Answer(
            "try_again", None, "no answer within 0.2 s"
        )


def _trickle(server: socket.socket) -> None:
    """Answer 200 with a header every few moments, and an end that comes late."""
    caller, _ = server.accept()
    with caller, suppress(OSError):
        caller.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(40):
            Event().wait(0.05)
            caller.sendall(b"x-%d: 1\r\n" % number)
        caller.sendall(b"content-length: 0\r\n\r\n")


def test_of_a_long_answer_only_the_beginning_is_read(receiver: Receiver, call: Call) -> None:
    receiver.script = lambda _call: Reply(500, body=b"x" * 5_000_000)
    assert call() == Answer("try_again", 500, "HTTP 500", "x" * 200)


def test_a_certificate_that_is_not_trusted_ends_the_call_before_anything_is_sent(
    authority: Authority, tmp_path: Path, call: Call
) -> None:
    identity = authority.issue(tmp_path, "receiver")
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(identity.certificate, identity.key)
    secure = Receiver(tls=own)
    try:
        answer = call(secure.url)
        assert (answer.verdict, answer.status) == ("try_again", None)
        assert answer.told.startswith("its certificate is not trusted: ")
        assert secure.calls == []
        assert call(secure.url, verify=ssl.create_default_context(cafile=authority.certificate)).verdict == "taken"
    finally:
        secure.stop()


def test_the_receiver_of_these_tests_keeps_no_call_whose_caller_ended_within_it(receiver: Receiver) -> None:
    host, port = receiver.url.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(b"POST /hook HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf")
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1) == b""  # the receiver has seen the end, and has answered nothing
    assert receiver.calls == []
