"""A customer that must be coarsened is published the same, wherever the batches are cut and whenever the driver starts anew."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.coarsen import LIMIT_BYTES
from streams.state_bytes import unpack
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, END_MS, HOUR_MS, Record, numbered, tick

COUNT = 200
START = END_MS - 5 * DAY_MS
TOPICS = ["cs.usage", "cs.surveys", "cs.tickets", "cs.accounts"]


def wide(number: int) -> str:
    return f"{number:05}".ljust(256, "\U0001f3ed")


def hostile(choice: random.Random) -> list[Record]:
    """Many of the longest names in every family, in an order of its own."""
    records: list[Record] = []
    for number in range(COUNT):
        at = START + number * HOUR_MS // 3
        topic = choice.choice(TOPICS)
        families: dict[str, dict[str, Any]] = {
            "cs.usage": {"kind": "feature_used", "feature": wide(number)},
            "cs.surveys": {"kind": "answered", "survey": "nps", "scale": "0_10", "score": 3, "respondent_id": wide(number)},
            "cs.tickets": {"kind": "opened", "ticket_id": wide(number), "priority": "high"},
            "cs.accounts": {"kind": "contact", "respondent_id": wide(number), "locale": wide(0)},
        }
        value = {"event_id": f"e{number}", "customer_id": "ann", "occurred_at": at, **families[topic]}
        records.append({"topic": topic, "partition": 0, "timestamp_ms": at, "value": value})
    return numbered([*records, tick(END_MS + 2 * DAY_MS)])


def told(records: list[Record], cuts: dict[int, str]) -> tuple[list[dict[str, Any]], bytes]:
    driven = Driven()
    for number, record in enumerate(records):
        driven.feed(record)
        match cuts.get(number):
            case "take":
                driven.take()
            case "restart":
                driven.restart()
    driven.take()
    outputs = [output for output in driven.plain_outputs() if output["topic"] != "cs.fleet-partials"]
    return outputs, driven.driver.customers.values[b"ann"]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32), st.dictionaries(st.integers(0, COUNT), st.sampled_from(["take", "restart"]), min_size=1))
def test_what_is_published_of_a_hostile_customer_does_not_depend_on_the_cuts(seed: int, cuts: dict[int, str]) -> None:
    records = hostile(random.Random(seed))
    outputs, whole = told(records, {})
    assert any("folded_feature" in output["value"].get("flags", ()) for output in outputs), "it was coarsened"
    assert len(whole) <= LIMIT_BYTES
    outputs_cut, broken = told(records, cuts)
    assert outputs_cut == outputs
    assert unpack(broken) == unpack(whole)
