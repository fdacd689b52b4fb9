"""Whose turn it is to speak: which of several application ids publishes what it finds, and from when on.

A new application id that reads the log from its beginning keeps silent, or everything would be told twice. `cspulse cutover`
puts a marker into the ticks of every partition: from its time on the application that it names speaks, and every other is silent.
All of them read the same markers, so that of each record and of each due evaluation exactly one speaks, whoever comes to it
first: a record counts by the newest timestamp that its topic had shown up to it, an evaluation by the time it was due.
"""

from typing import Final, Protocol

from msgspec import Struct

TURNS_MAX: Final = 8
"""How many turns are remembered: older ones concern no record that is still to come."""

NEVER_MS: Final = 1 << 52


class Span(Struct, frozen=True, array_like=True):
    """The times from `from_ms` on and before `until_ms` (0: no end), in epoch milliseconds."""

    from_ms: int = 0
    until_ms: int = 0

    def has(self, at_ms: int) -> bool:
        """Whether a time lies in it."""
        return self.from_ms <= at_ms and (not self.until_ms or at_ms < self.until_ms)


ALWAYS: Final = Span()


class Turns(Struct, array_like=True):
    """What a partition knows of it, in its changelog: `turns` are (from when on in ms, application id), oldest first.

    `newest_ms` is the highest timestamp of each input topic; `shown` is the span that the fleet's task was told of; `was_silent`
    is whether what happened last was not told.
    """

    in_shadow: bool = False
    turns: list[tuple[int, str]] = []
    newest_ms: dict[str, int] = {}
    shown: Span = ALWAYS
    was_silent: bool = False

    @property
    def begun_ms(self) -> int:
        """When the newest turn begins; 0 as long as there was no marker."""
        return self.turns[-1][0] if self.turns else 0

    def take(self, from_ms: int, app_id: str) -> None:
        """A marker was read. The one that was written last holds for all times from its own on."""
        before = [turn for turn in self.turns if turn[0] < from_ms]
        self.turns = [*before, (from_ms, app_id)][-TURNS_MAX:]

    def reached(self, topic: str, timestamp_ms: int) -> int:
        """The time by which a record of a topic counts: the highest timestamp of its topic so far, its own among them."""
        newest_ms = self.newest_ms.get(topic, 0)
        if timestamp_ms > newest_ms:
            newest_ms = self.newest_ms[topic] = timestamp_ms
        return newest_ms

    def span_of(self, app_id: str) -> Span:
        """When an application speaks: the last of its spans, one that is all in the future if it has none."""
        span = Span(NEVER_MS) if self.in_shadow else ALWAYS
        for from_ms, whose in self.turns:
            if whose != app_id and not span.until_ms:
                span = Span(span.from_ms, from_ms) if span.from_ms < from_ms else Span(NEVER_MS)
            elif whose == app_id and not span.has(from_ms):
                span = Span(from_ms)
        return span

    def speaks(self, app_id: str, at_ms: int) -> bool:
        """Whether it is an application's turn at a time."""
        speaker = None
        for from_ms, whose in self.turns:
            if from_ms <= at_ms:
                speaker = whose
        return not self.in_shadow if speaker is None else speaker == app_id


class Voice(Protocol):
    """Decides for a driver whether what it finds is published."""

    def first(self) -> Turns:
        """What a partition knows before it has read anything."""

    def speaks(self, turns: Turns, at_ms: int) -> bool:
        """Whether what happens at a time is told."""

    def span(self, turns: Turns) -> Span:
        """When this application speaks."""


class OneVoice:
    """There is no other application: everything is told."""

    def first(self) -> Turns:
        """Nothing to know."""
        return Turns()

    def speaks(self, _turns: Turns, _at_ms: int) -> bool:
        """Always."""
        return True

    def span(self, _turns: Turns) -> Span:
        """Always."""
        return ALWAYS


class TakesTurns:
    """One application of several; `in_shadow`: it keeps silent until a marker names it."""

    def __init__(self, app_id: str, *, in_shadow: bool) -> None:
        self._app_id = app_id
        self._in_shadow = in_shadow

    def first(self) -> Turns:
        """Whether it begins in shadow; no marker was read yet."""
        return Turns(self._in_shadow)

    def speaks(self, turns: Turns, at_ms: int) -> bool:
        """Whether the markers so far give it the word at this time."""
        return turns.speaks(self._app_id, at_ms)

    def span(self, turns: Turns) -> Span:
        """When the markers so far let it speak."""
        return turns.span_of(self._app_id)
