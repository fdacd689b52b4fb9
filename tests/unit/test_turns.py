"""Of each thing that happens exactly one application speaks, whichever of them reads the markers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from streams.turns import NEVER_MS, OneVoice, Span, TakesTurns, Turns

TIMES = st.integers(1, 1_000)
MARKERS = st.lists(st.tuples(TIMES, st.sampled_from(["old", "new", "third"])), max_size=6)


def after(markers: list[tuple[int, str]], *, in_shadow: bool = False) -> Turns:
    turns = Turns(in_shadow)
    for from_ms, app_id in markers:
        turns.take(from_ms, app_id)
    return turns


def test_without_a_marker_an_application_speaks_unless_it_is_in_shadow() -> None:
    assert Turns().speaks("old", 5)
    assert not Turns(in_shadow=True).speaks("new", 5)


def test_a_marker_gives_the_word_from_its_time_on() -> None:
    markers = [(100, "new")]
    assert [after(markers).speaks("old", at) for at in (99, 100)] == [True, False]
    assert [after(markers, in_shadow=True).speaks("new", at) for at in (99, 100)] == [False, True]


def test_back_is_the_same_step() -> None:
    markers = [(100, "new"), (200, "old")]
    assert [after(markers).speaks("old", at) for at in (99, 150, 200)] == [True, False, True]
    assert after(markers).span_of("old") == Span(200)
    assert after(markers, in_shadow=True).span_of("new") == Span(100, 200)


def test_a_later_marker_for_an_earlier_time_replaces_what_was_to_come() -> None:
    assert after([(100, "new"), (90, "third")]).speaks("third", 150)


def test_who_has_no_turn_has_a_span_that_never_comes() -> None:
    assert Turns(in_shadow=True).span_of("new") == Span(NEVER_MS)
    assert after([(100, "new")], in_shadow=True).span_of("third") == Span(NEVER_MS)


@given(MARKERS, TIMES)
def test_at_any_time_one_of_all_applications_speaks(markers: list[tuple[int, str]], at_ms: int) -> None:
    everybody = {
        "old": after(markers),
        "new": after(markers, in_shadow=True),
        "third": after(markers, in_shadow=True),
    }
    assert sum(turns.speaks(app_id, at_ms) for app_id, turns in everybody.items()) == 1


@given(MARKERS, TIMES)
def test_the_last_span_says_what_each_time_in_it_says(markers: list[tuple[int, str]], at_ms: int) -> None:
    for app_id, in_shadow in itertools.product(("old", "new"), (False, True)):
        turns = after(markers, in_shadow=in_shadow)
        span = turns.span_of(app_id)
        if at_ms >= span.from_ms:
            assert span.has(at_ms) == turns.speaks(app_id, at_ms)


def test_a_record_counts_by_the_newest_timestamp_of_its_topic_up_to_it() -> None:
    turns = Turns()
    assert [turns.reached("cs.usage", at) for at in (10, 30, 20)] == [10, 30, 30]
    assert turns.reached("cs.tickets", 5) == 5


def test_one_voice_always_speaks() -> None:
    assert OneVoice().speaks(after([(1, "new")]), 5)
    assert not TakesTurns("old", in_shadow=False).speaks(after([(1, "new")]), 5)
