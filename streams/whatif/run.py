"""Both replays of a log and everything that is to be said of their difference."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from processors.definitions import parse
from schemas.jsonlines import Line
from streams.replay import OutputLine, replay
from streams.whatif.difference import BandsCompared, RuleDifference, compare_alerts, compare_bands
from streams.whatif.quality import AHEAD_DAYS, HORIZON_DAYS, Judge, Judged
from streams.whatif.stays import DAY_MS, stays_of
from streams.whatif.told import TOPICS, Told, listen

MATCH_DAYS: Final = 3
"""Two episodes of a customer and rule are the same alert when they are open at the same time, or open at most so far apart."""


class Options(Struct, frozen=True, kw_only=True):
    """How both replays are done, and how their alerts are judged. Times in epoch milliseconds, else as their names say.

    What is later than `until_ms` is not looked at: neither are its alerts opened, nor is anybody missed who left then.
    """

    partitions: int
    tick_interval_ms: int
    until_ms: int | None = None
    horizon_days: int = HORIZON_DAYS
    ahead_days: int = AHEAD_DAYS
    match_days: int = MATCH_DAYS


class WhatIf(Struct, frozen=True, kw_only=True):
    """Two definitions over the same log. `old` and `new` are None where the log holds no departure to judge by."""

    events: int
    start_ms: int
    end_ms: int
    departures: int
    bands: BandsCompared
    alerts: list[RuleDifference]
    horizon_days: int
    ahead_days: int
    old: Judged | None
    new: Judged | None


def what_if(
    lines: Iterable[Line],
    new_text: str | None,
    old_text: str | None,
    options: Options,
    write: Callable[[OutputLine], object] | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> WhatIf:
    """Replay the lines under both definitions (None: the built-in ones).

    `write` gets every output of the new ones; `tell` hears what is done, since it takes long.

    Raises DefinitionsError, ReplayFailed, TooManyFailures.
    """
    for text in (old_text, new_text):
        if text is not None:
            parse(text)  # a mistake in the new ones is told before the old ones are replayed
    until_ms = options.until_ms
    kept = [line for line in lines if until_ms is None or line.timestamp_ms <= until_ms]
    tell(f"replaying {len(kept):,} events under the old definitions ...")
    old = listen(_replayed(kept, old_text, options))
    tell("replaying them under the new definitions ...")
    outputs = _replayed(kept, new_text, options, whole=write is not None)
    new = listen(outputs if write is None else _passed(outputs, write))
    return report(kept, old, new, options)


def report(lines: Sequence[Line], old: Told, new: Told, options: Options) -> WhatIf:
    """What is to be said of two replays of the same lines."""
    stays = stays_of(lines)
    end_ms = stays.end_ms if options.until_ms is None else options.until_ms
    judge = Judge(stays, options.horizon_days, options.ahead_days)

    def judged(told: Told) -> Judged | None:
        if not judge.departures:
            return None
        return judge.judged(told)

    return WhatIf(
        events=len(lines),
        start_ms=stays.start_ms,
        end_ms=end_ms,
        departures=len(judge.departures),
        bands=compare_bands(old, new, stays.start_ms, end_ms),
        alerts=compare_alerts(old, new, options.match_days * DAY_MS),
        horizon_days=options.horizon_days,
        ahead_days=options.ahead_days,
        old=judged(old),
        new=judged(new),
    )


def _replayed(lines: Sequence[Line], text: str | None, options: Options, *, whole: bool = False) -> Iterator[OutputLine]:
    return replay(
        lines,
        partitions=options.partitions,
        until_ms=options.until_ms,
        tick_interval_ms=options.tick_interval_ms,
        definitions_text=text,
        topics=None if whole else TOPICS,
    )


def _passed(outputs: Iterable[OutputLine], write: Callable[[OutputLine], object]) -> Iterator[OutputLine]:
    for line in outputs:
        write(line)
        yield line
