"""When a task writes a tick."""

from schemas.events import FleetFigure, Tick
from streams.ticks import Ticker


def test_a_partition_without_ticks_is_due_at_once() -> None:
    assert Ticker(3, 60_000).due_at() == 60_000


def test_a_tick_that_was_read_or_written_puts_the_next_one_off() -> None:
    ticker = Ticker(3, 60_000)
    ticker.seen(1_000_000)
    assert ticker.due_at() == 1_060_000
    fleet = [FleetFigure(name="churner_share", value=0.02, as_of=1_000_000)]
    assert ticker.write(1_060_005, 7, fleet) == Tick(occurred_at=1_060_005, partition=3, config_version=7, fleet=fleet)
    assert ticker.due_at() == 1_120_005


def test_an_older_tick_changes_nothing() -> None:
    ticker = Ticker(0, 60_000)
    ticker.seen(1_000_000)
    ticker.seen(900_000)
    assert ticker.due_at() == 1_060_000


def test_a_worker_that_shall_write_none_is_never_due() -> None:
    ticker = Ticker(0, 0)
    ticker.seen(1_000_000)
    assert ticker.due_at() is None
