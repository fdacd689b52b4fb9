"""Quadrants, touchpoints and the timeline against a second opinion, under disorder, repetition, and batches cut anywhere."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, DELAYS, END_MS, Record, arrivals, delayed, logs, numbered, tick
from tests.support.loyalty_checker import broken_loyalty_chain, wrong_loyalty
from tests.support.oracle.acceptance import accepted_by_customer, judged
from tests.support.oracle.loyalty import quadrant, stations

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


@st.composite
def answering(draw: st.DrawFn) -> list[Record]:
    """Logs in which little else happens than answers, each twice, at few touchpoints."""
    records = [record for record in draw(arrivals(60)) if record["topic"] != "cs.usage"]
    records += [record for record in records if record["topic"] == "cs.surveys"]
    for number, record in enumerate(records):
        touchpoint = draw(st.sampled_from(["trial", "support"]))
        records[number] = {**record, "value": {**record["value"], "event_id": f"e{number}", "touchpoint": touchpoint}}
    records = delayed(sorted(records, key=lambda record: record["timestamp_ms"]), draw(DELAYS))
    return numbered([*records, tick(END_MS + draw(st.sampled_from([1, 40, 100, 300])) * DAY_MS)])


@settings(max_examples=150, deadline=None)
@given(logs() | answering(), CUTS)
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


@settings(max_examples=100, deadline=None)
@given(logs() | answering())
def test_the_last_change_of_quadrant_is_true_however_long_nothing_happens(log: list[Record]) -> None:
    end_ms = log[-1]["timestamp_ms"] + 37 * DAY_MS
    outputs = outputs_of(numbered([*log, tick(end_ms)]), ["go on"])
    for customer_id, accepted in accepted_by_customer(judged(log)).items():
        events = [judgement.record["value"] for judgement in accepted]
        mine = [output for output in outputs if output["customer_id"] == customer_id and "new_quadrant" in output]
        last = mine[-1]["new_quadrant"] if mine else "unknown"
        befores = ("unknown", "advocate", "churner")
        assert last in {quadrant(events, end_ms, default_text(), before)[0] for before in befores}


@settings(max_examples=100, deadline=None)
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
