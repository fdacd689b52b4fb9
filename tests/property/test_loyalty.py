"""Quadrants, touchpoints and the timeline against a second opinion, under disorder, repetition, and batches cut anywhere."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import SurveyEvent
from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.examples import examples
from tests.support.histories import DAY_MS, DELAYS, END_MS, HOUR_MS, Record, arrivals, delayed, logs, numbered, tick
from tests.support.oracle.acceptance import accepted_by_customer, judged
from tests.support.oracle.loyalty import quadrant, stations
from tests.support.oracle.loyalty_checks import broken_loyalty_chain, wrong_loyalty

EMPTY_ANSWER = msgspec.to_builtins(SurveyEvent(event_id="", customer_id="", occurred_at=0, kind="answered", survey="csat"))
CUTS = st.lists(st.sampled_from(["go on", "take", "restart"]), min_size=1, max_size=4)


def outputs_of(log: list[Record], cuts: list[str]) -> list[Any]:
    driven = Driven(default_text())
    for place, record in enumerate(log):
        driven.feed(record)
        cut = cuts[place % len(cuts)]
        if cut == "take":
            driven.take()
        elif cut == "restart":
            driven.restart()
    driven.take()
    return [output["value"] for output in driven.plain_outputs() if "customer_id" in (output["value"] or ())]


ANSWERS = st.tuples(
    st.sampled_from([("csat", "good_bad", 0), ("csat", "good_bad", 1), *[("nps", "0_10", score) for score in (3, 7, 10)]]),
    st.sampled_from(["trial", "trial", "support", "product"]),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from([0, 1, 5, 20, 29, 30, 31, 45, 59, 60, 61, 89, 90, 91, 209, 210, 211]),
    st.integers(0, 3),
)


@st.composite
def answering(draw: st.DrawFn) -> list[Record]:
    """Logs of one customer of whom little is known but answers, at few touchpoints, and its account."""
    records: list[Record] = []
    for (survey, scale, score), touchpoint, respondent, days, hours in draw(st.lists(ANSWERS, min_size=5, max_size=40)):
        at = END_MS - days * DAY_MS - hours * HOUR_MS
        said = {"survey": survey, "scale": scale, "score": score, "touchpoint": touchpoint, "respondent_id": respondent}
        value = {**EMPTY_ANSWER, **said, "occurred_at": at}
        records.append({"topic": "cs.surveys", "partition": 0, "timestamp_ms": at, "value": value})
    records += [record for record in draw(arrivals(6)) if record["topic"] == "cs.accounts"]
    for number, record in enumerate(records):
        records[number] = {**record, "value": {**record["value"], "event_id": f"e{number}", "customer_id": "ann"}}
    records.sort(key=lambda record: record["timestamp_ms"])
    for place in sorted(draw(st.lists(st.integers(0, len(records) - 1), max_size=5)), reverse=True):
        records.insert(place, tick(records[place]["timestamp_ms"]))
    return numbered([*delayed(records, draw(DELAYS)), tick(END_MS + draw(st.sampled_from([1, 40, 100, 300])) * DAY_MS)])


@settings(max_examples=examples(50), deadline=None)
@given(answering() | logs(), CUTS)
def test_every_snapshot_shows_the_quadrant_touchpoints_and_timeline_that_the_oracle_says(
    log: list[Record], cuts: list[str]
) -> None:
    outputs = outputs_of(log, cuts)
    assert list(broken_loyalty_chain(outputs)) == []
    accepted = accepted_by_customer(judged(log))
    for snapshot in outputs:
        if "figures" in snapshot:
            events = [judgement.record["value"] for judgement in accepted[snapshot["customer_id"]]]
            assert list(wrong_loyalty(snapshot, events[: snapshot["events_accepted"]], default_text())) == []


@settings(max_examples=examples(30), deadline=None)
@given(answering())
def test_the_last_change_of_quadrant_is_true_however_long_nothing_happens(log: list[Record]) -> None:
    end_ms = log[-1]["timestamp_ms"] + 37 * DAY_MS
    outputs = outputs_of(numbered([*log, tick(end_ms)]), ["go on"])
    for customer_id, accepted in accepted_by_customer(judged(log)).items():
        events = [judgement.record["value"] for judgement in accepted]
        mine = [output for output in outputs if output["customer_id"] == customer_id and "new_quadrant" in output]
        last = mine[-1]["new_quadrant"] if mine else "unknown"
        befores = ("unknown", "advocate", "churner")
        assert last in {quadrant(events, end_ms, default_text(), before)[0] for before in befores}


@settings(max_examples=examples(40), deadline=None)
@given(arrivals(30), DELAYS)
def test_the_order_of_arrival_changes_no_station(in_time: list[Record], delays_ms: list[int]) -> None:
    from processors.definitions import parse
    from processors.touchpoints import stations as stations_of

    found = []
    for records in (in_time, delayed(in_time, delays_ms)):
        log = numbered([*records, tick(max(record["timestamp_ms"] for record in records))])
        driven = Driven(default_text())
        for record in log:
            driven.feed(record)
        driven.take()
        state = driven.driver.customers.get(b"ann")
        found.append(state and stations_of(state.state, driven.driver.clock_ms, parse(default_text())))
    assert found[0] == found[1]
    assert stations([], END_MS, default_text()) == []
