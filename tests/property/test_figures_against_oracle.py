"""Everything that is published against a second opinion, under disorder, repetition, and batches cut anywhere."""

import re
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.examples import examples
from tests.support.histories import DAY_MS, DELAYS, Record, arrivals, delayed, last_ticks, logs, numbered, tick
from tests.support.log_checker import check_judged, wrong_in_snapshot
from tests.support.oracle.acceptance import accepted_by_customer, judged
from tests.support.oracle.account import account
from tests.support.oracle.events import names_of
from tests.support.oracle.figures import figures
from tests.support.oracle.loyalty_checks import broken_loyalty_chain
from tests.support.oracle.rules import is_surely_a_customer
from tests.support.oracle.score import score

TWO_MORE_SCORECARDS = """
[[scorecards]]
name = "small"
purpose = "upgrade_readiness"
segments = ["small"]
[[scorecards.measures]]
name = "ratio"
figure = "goals_correct_ratio_30d"
curve = [[0, 100], [0.5, 20], [1, 60]]
weight = 3
stale_after_days = 5
[[scorecards.measures]]
name = "week"
figure = "csat_7d_pct"
curve = [[0, 0], [100, 100]]
weight = 0.7
missing = "neutral"
stale_after_days = 2
[[scorecards.measures]]
name = "seats"
figure = "seats_growth_log_90d"
curve = [[-1, 0], [1, 100]]
weight = 1
[[scorecards.measures]]
name = "others"
figure = "nps_1_10_90d"
curve = [[-100, 0], [100, 100]]
weight = 2
stale_after_days = 7

[[scorecards]]
name = "rest"
purpose = "upgrade_readiness"
[scorecards.bands]
yellow_from = 30
green_from = 60
margin = 5
least_coverage_pct = 100
[[scorecards.measures]]
name = "recency"
figure = "days_since_last_sign"
curve = [[0, 100], [30, 0]]
weight = 1
[[scorecards.measures]]
name = "loyalty"
figure = "nps_1_10_180d"
curve = [[-100, 0], [100, 100]]
weight = 2
stale_after_days = 2
[[scorecards.measures]]
name = "goals"
figure = "goals_completed_7d"
curve = [[0, 0], [5, 100]]
weight = 1
missing = "poor"
stale_after_days = 1
[[scorecards.measures]]
name = "answered"
figure = "first_response_median_business_hours_90d"
curve = [[0, 100], [16, 0]]
weight = 1
stale_after_days = 5
[[scorecards.measures]]
name = "inflow"
figure = "ticket_inflow_per_seat_change_30d"
curve = [[-1, 100], [2, 0]]
weight = 1
"""
NEW_YORK = """
[[calendars]]
name = "new-york"
time_zone = "America/New_York"
touchpoints = ["support"]
holidays = [2026-02-12, 2026-02-15]
[calendars.hours]
monday = ["08:00-12:00", "13:00-18:00"]
tuesday = ["00:00-24:00"]
thursday = ["09:00-21:30"]
friday = ["09:00-17:00"]
saturday = ["10:00-24:00"]
"""
UNDWELT, DWELT_RULES = re.subn(r"(?m)^dwell_hours = .*$", "dwell_hours = 0", default_text())
assert DWELT_RULES, "no rule dwells any more: this does nothing"
NEVER_QUIET = UNDWELT.replace("quiet_expected_events = 20", "quiet_expected_events = 1_000_000")
"""What the oracle says of one customer's rules it says without the others: no feed of theirs suspends any."""

DEFINITIONS = TWO_MORE_SCORECARDS + NEVER_QUIET + NEW_YORK  # of the scorecards the first that fits is taken
CUTS = st.lists(st.sampled_from(["go on", "go on", "take", "restart"]), min_size=1, max_size=5)


def driven(log: list[Record], cuts: list[str]) -> Driven:
    found = Driven(DEFINITIONS)
    for place, record in enumerate(log):
        found.feed(record)
        cut = cuts[place % len(cuts)]
        if cut == "take":
            found.take()
        elif cut == "restart":
            found.restart()
    found.take()
    return found


def snapshots(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output["value"] for output in outputs if output["topic"] == "cs.customer-snapshots"]


@settings(max_examples=examples(80), deadline=None)
@given(logs(), CUTS)
def test_every_snapshot_change_alert_and_partial_is_what_the_oracle_says(log: list[Record], cuts: list[str]) -> None:
    found = driven(log, cuts)
    outputs = found.plain_outputs()
    judgements = judged(log)
    assert check_judged({0: judgements}, outputs, DEFINITIONS) == []
    accepted = accepted_by_customer(judgements)
    for snapshot in snapshots(outputs):
        events = [judgement.record["value"] for judgement in accepted[snapshot["customer_id"]]]
        assert list(wrong_in_snapshot(snapshot, events[: snapshot["events_accepted"]], DEFINITIONS)) == []
    assert list(broken_loyalty_chain(output["value"] for output in outputs if "customer_id" in (output["value"] or ()))) == []
    assert found.gauges_of_totals() == found.gauges_of_customers()


@settings(max_examples=examples(40), deadline=None)
@given(logs(), CUTS)
def test_where_the_batches_were_cut_changes_no_output(log: list[Record], cuts: list[str]) -> None:
    assert driven(log, cuts).outputs == driven(log, ["go on"]).outputs


@settings(max_examples=examples(60), deadline=None)
@given(arrivals(20), DELAYS)
def test_the_order_of_arrival_changes_no_final_figure(in_time: list[Record], delays_ms: list[int]) -> None:
    finals = []
    for records in (in_time, delayed(in_time, delays_ms)):
        found = driven(numbered([*records, *last_ticks(records, 0)]), ["go on"])
        newest = {snapshot["customer_id"]: snapshot for snapshot in snapshots(found.plain_outputs())}
        shown = ("figures", "stage", "stage_since", "plan", "mrr_cents", "seats", "segment", "owner", "last_seen_at")
        figures_then = {
            customer_id: [_figures_at_end(found, customer_id), *(snapshot[name] for name in shown[1:])]
            for customer_id, snapshot in newest.items()
        }
        finals.append((figures_then, _counted(found)))
    assert finals[0] == finals[1]


@settings(max_examples=examples(50), deadline=None)
@given(logs())
def test_after_a_long_silence_what_was_last_published_is_still_true(log: list[Record]) -> None:
    """Time alone must have brought everything up to date: windows that ended, silences, alerts that are over."""
    end_ms = log[-1]["timestamp_ms"] + 500 * DAY_MS
    found = driven(numbered([*log, tick(end_ms)]), ["go on"])
    outputs = [output["value"] for output in found.plain_outputs() if output["topic"] != "cs.fleet-partials"]
    for customer_id, accepted in accepted_by_customer(judged(log)).items():
        events = [judgement.record["value"] for judgement in accepted]
        mine = [output for output in outputs if output["customer_id"] == customer_id]
        for purpose in ("risk", "upgrade_readiness"):
            last = [output for output in mine if output.get("purpose") == purpose][-1]
            now = score(events, end_ms, DEFINITIONS, purpose)
            assert last["new_measures_present"] == now.present
            assert (last["new_score"] is None) == (now.value is None)
            assert abs((last["new_score"] or 0) - (now.value or 0)) < 1.05  # 1 as displayed, and the rounding of both
            assert last["new_band"] in now.bands
            shown = [output for output in mine if "figures" in output][-1]["health"]
            displayed = next(health["displayed"] for health in shown if health["purpose"] == purpose)
            assert abs((displayed or 0) - (last["new_displayed"] or 0)) < 1
        alerts = {output["rule"]: output["state"] for output in mine if "episode_id" in output}
        still_open = {rule for rule, state in alerts.items() if state not in {"resolved", "retracted"}}
        _has_the_right_episodes(still_open, events, end_ms)


def _has_the_right_episodes(open_rules: set[str], events: list[Any], end_ms: int) -> None:
    """The rules of the default definitions, for a customer who has been silent for more than a year."""
    if account(events)["stage"] in {"cancelled", "lapsed"}:
        assert not open_rules
        return
    found = figures(events, end_ms, names_of(DEFINITIONS))
    open_tickets, urgent = found["open_tickets", "", None].value or 0, found["open_urgent_tickets", "", None].value or 0
    assert "health_fell" not in open_rules
    assert "new_detractor" not in open_rules
    if not is_surely_a_customer(events, found):
        return
    assert "backlog" in open_rules or not (open_tickets >= 5 or urgent >= 3)
    assert "backlog" not in open_rules or open_tickets > 3 or urgent > 1
    assert ("health_red" in open_rules) in {band == "red" for band in score(events, end_ms, DEFINITIONS).bands}


def _figures_at_end(found: Driven, customer_id: str) -> Any:
    from processors.definitions import parse
    from processors.figures import Sheet, all_figures

    customer = found.driver.customers.get(customer_id.encode())
    assert customer is not None
    found_then = all_figures(Sheet(customer.state, found.driver.clock_ms, parse(DEFINITIONS)))
    # A part without anything in its window may still be listed, until the customer's next daily slot has cleared it away.
    return [msgspec.to_builtins(figure) for figure in found_then if figure.value or figure.n or not figure.dimension]


_OF_OUTPUTS = {
    *("oddities_by_day", "health_band", "alerts_open", "alerts_open_by_severity"),
    *("episodes_by_day", "episodes_ended_by_day", "outcomes_by_day", "actions_by_day", "episodes_open"),
    "survey_requests_by_day",
}
"""What counts judgements, alerts and requests: these depend on when an event was heard of, as they must."""


def _counted(found: Driven) -> dict[Any, Any]:
    flows = found.driver.totals.values()
    return {key: counts for key, counts in flows.items() if any(counts) and key[0] not in _OF_OUTPUTS}
