"""A partition's sums and snapshots, cut and restarted anywhere, against the batch answer of the commercial figures."""

from hypothesis import given, settings
from hypothesis import strategies as st

from processors import fleet_commercial
from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.examples import examples
from tests.support.histories import Record, logs
from tests.support.oracle.acceptance import accepted_by_customer, judged
from tests.support.oracle.commercial import commercial
from tests.support.oracle.commercial_customer import of_customer
from tests.support.oracle.events import read_definitions
from tests.support.oracle.terms import terms_of
from tests.support.summed import Summed, by_name

TERMS = terms_of(read_definitions(default_text()))
CUTS = st.lists(st.sampled_from(["go on", "take", "restart"]), min_size=1, max_size=4)


def same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < 1e-6


def fed(log: list[Record], cuts: list[str]) -> Driven:
    found = Driven()
    for place, record in enumerate(log):
        found.feed(record)
        if cuts[place % len(cuts)] == "take":
            found.take()
        elif cuts[place % len(cuts)] == "restart":
            found.restart()
    found.take()
    return found


@settings(max_examples=examples(30), deadline=None)
@given(logs(), CUTS)
def test_snapshots_and_sums_are_the_batch_answer(log: list[Record], cuts: list[str]) -> None:
    found = fed(log, cuts)
    accepted = accepted_by_customer(judged(log))
    for output in found.plain_outputs():
        if output["topic"] != "cs.customer-snapshots":
            continue
        snapshot = output["value"]
        events = [judgement.record["value"] for judgement in accepted[snapshot["customer_id"]]][: snapshot["events_accepted"]]
        shown = {(figure["name"], figure["window_days"]): figure["value"] for figure in snapshot["figures"]}
        expected = of_customer(events, snapshot["as_of"], TERMS)
        assert not {key: (shown[key], right) for key, right in expected.items() if not same(shown[key], right)}
    view = Summed(found.driver.clock_ms)
    view.put_all(found.driver.totals.values())
    made = {key: value.value for key, value in by_name(fleet_commercial.figures(view)).items()}
    customers = {customer_id: [judgement.record["value"] for judgement in mine] for customer_id, mine in accepted.items()}
    right = commercial(customers, found.driver.clock_ms, TERMS)
    # A month before anything happened has no row.
    assert not {key: (made.get(key), value) for key, value in right.items() if not same(made.get(key) or 0, value or 0)}
