"""Merging a partition's topics by time."""

from streams.merge import Merge
from streams.records import InputRecord

TOPICS = ("tickets", "usage", "ticks")


def record(topic: str, offset: int, at_ms: int) -> InputRecord:
    return InputRecord(topic, 0, offset, at_ms, b"c", b"")


def everything_at_end(merge: Merge) -> None:
    for topic in TOPICS:
        merge.deliver(topic, [], at_end=True)


def test_nothing_is_taken_while_a_topic_may_still_hold_something_older() -> None:
    merge = Merge(TOPICS)
    merge.deliver("tickets", [record("tickets", 0, 5)], at_end=True)
    merge.deliver("usage", [], at_end=True)
    assert merge.next() is None


def test_the_lowest_timestamp_goes_first_whatever_topic_it_is_in() -> None:
    merge = Merge(TOPICS)
    everything_at_end(merge)
    merge.deliver("tickets", [record("tickets", 0, 5), record("tickets", 1, 9)], at_end=True)
    merge.deliver("usage", [record("usage", 0, 7)], at_end=True)
    merge.deliver("ticks", [record("ticks", 0, 6)], at_end=True)
    taken = []
    while (head := merge.next()) is not None:
        taken.append(head.timestamp_ms)
    assert taken == [5, 6, 7, 9]
    assert merge.caught_up()


def test_equal_timestamps_go_by_the_order_of_the_topics() -> None:
    merge = Merge(TOPICS)
    everything_at_end(merge)
    merge.deliver("usage", [record("usage", 0, 5)], at_end=True)
    merge.deliver("tickets", [record("tickets", 0, 5)], at_end=True)
    first, second = merge.next(), merge.next()
    assert first is not None
    assert second is not None
    assert [first.topic, second.topic] == ["tickets", "usage"]


def test_the_order_within_a_topic_is_that_of_its_log_even_where_its_timestamps_go_back() -> None:
    merge = Merge(TOPICS)
    everything_at_end(merge)
    merge.deliver("tickets", [record("tickets", 0, 9), record("tickets", 1, 3)], at_end=True)
    merge.deliver("usage", [record("usage", 0, 5)], at_end=True)
    taken = [(head.topic, head.offset) for _ in range(3) if (head := merge.next()) is not None]
    assert taken == [("usage", 0), ("tickets", 0), ("tickets", 1)]


def test_a_delivery_takes_back_what_was_known_about_the_end() -> None:
    merge = Merge(TOPICS)
    everything_at_end(merge)
    merge.deliver("usage", [record("usage", 0, 5)], at_end=False)
    assert merge.next() is not None
    merge.deliver("tickets", [record("tickets", 0, 9)], at_end=True)
    assert merge.next() is None, "usage was read on, and its end not seen since"
    merge.deliver("usage", [], at_end=True)
    assert merge.next() is not None


def test_an_end_that_is_seen_again_changes_nothing() -> None:
    merge = Merge(TOPICS)
    everything_at_end(merge)
    everything_at_end(merge)
    assert merge.next() is None
    assert merge.caught_up()
    assert merge.total() == 0


def test_a_topic_with_a_head_needs_no_end() -> None:
    merge = Merge(TOPICS)
    for topic in TOPICS:
        merge.deliver(topic, [record(topic, 0, 1)], at_end=False)
    taken = merge.next()
    assert taken is not None
    assert taken.topic == "tickets"
    assert merge.next() is None, "tickets may hold something as old as the others"
    assert merge.total() == 2
