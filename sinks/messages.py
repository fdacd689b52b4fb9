"""What is sent to a destination: the body of a call and its headers, for each kind of destination."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from sinks.notices import Notice


class Message(Struct, frozen=True):
    """The body of a call, the same at every attempt."""

    content_type: str
    body: bytes


class Format(Struct, frozen=True):
    """How a kind of destination is spoken to.

    `message` makes the body of a notice; `headers` those of a call, from the id, the time of the call in ms and the message.
    """

    message: Callable[[Notice], Message]
    headers: "HeadersOf"


HeadersOf: TypeAlias = Callable[[str, int, Message], Mapping[str, str]]


def no_headers(_id: str, _now_ms: int, _message: Message) -> Mapping[str, str]:
    """For a destination that knows of no signatures."""
    return {}
