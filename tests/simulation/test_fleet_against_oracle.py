"""What is published of the whole fleet, against the batch answer over all customers at the same time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from math import isclose
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.events import AccountEvent
from schemas.jsonlines import Line
from schemas.records import ChurnAlert
from streams.catalogue import default_text
from streams.replay import OutputLine, replay
from streams.sources.simulator import Simulation, simulate
from tests.simulation.test_replay import END_MS, TICK_INTERVAL_MS, UNTIDY, inputs
from tests.support.histories import DAY_MS, HOUR_MS
from tests.support.oracle.acceptance import Event, Judged, accepted_by_customer, judged, merged
from tests.support.oracle.commercial import commercial
from tests.support.oracle.episodes import about_episodes, episodes
from tests.support.oracle.events import in_window, is_in_window, names_of, read_definitions
from tests.support.oracle.figures import figures
from tests.support.oracle.fleet import Due, fleet, step_conversions, touchpoint_map
from tests.support.oracle.fleet_ways import heard, kept_promises, revenues, ways
from tests.support.oracle.helped import did_it_help
from tests.support.oracle.loyalty import quadrant
from tests.support.oracle.surveys import is_answer, names_touchpoint
from tests.support.oracle.terms import terms_of
from tests.support.oracle.totals import gauges

pytestmark = pytest.mark.timeout(300)  # the first test that runs makes the log for all

SEED = 42
PARTITIONS = 2
CLOSING_MS = END_MS + 12 * HOUR_MS
SIMULATION = Simulation(customers=25, days=100, seed=SEED, end_ms=END_MS, disorder=UNTIDY)
SAID = ("csat_", "nps_0_10_90d", "nps_1_10_90d")
NAMES = names_of(default_text())
TIMES = [CLOSING_MS, *(END_MS - END_MS % DAY_MS - days * DAY_MS + 18 * HOUR_MS for days in (1, 23, 60))]
"""The end of the log, and some ticks on the way."""

OF_THE_PIPELINE = {"coverage_share", "oddities", "quiet_partitions"}
"""What is told of the pipeline and not of the customers: tests of its own hold these."""

IN_TESTS_OF_THEIR_OWN = {
    *("promises_kept_ratio", "mrr_top_tenth_cents", "events", "survey_requests_90d"),
    *("feedback_with_touchpoint_or_reason_90d_pct", "gone_90d_difference"),
}

Value = dict[str, Any]
Published = dict[tuple[str, str], Value]


@cache
def simulated() -> tuple[Line, ...]:
    print("seed", SEED)
    found = tuple(simulate(SIMULATION))
    assert not any(getattr(line.value, "kind", None) == "erased" for line in found), "of the erased the oracle knows nothing"
    return found


@cache
def lines() -> tuple[Line, ...]:
    """What was simulated, and people who act upon two thirds of the alerts, some of them twice, some told of a day later."""
    random = Random(SEED)
    found = list(simulated())
    for output in replay(simulated(), partitions=PARTITIONS, until_ms=CLOSING_MS, tick_interval_ms=20 * DAY_MS):
        alert = output.value
        if isinstance(alert, ChurnAlert) and alert.state == "opened" and random.random() < 2 / 3:
            for number in range(random.choice((1, 1, 2))):
                at_ms = alert.opened_at + int(random.expovariate(1 / 30) * HOUR_MS)
                event = AccountEvent(
                    event_id=f"acted on {alert.episode_id} {number}",
                    customer_id=alert.customer_id,
                    occurred_at=at_ms,
                    kind="acted",
                    episode_id=alert.episode_id,
                    author="eve",
                )
                arrives_ms = at_ms + random.choice((0, 0, HOUR_MS, DAY_MS))
                key = alert.customer_id.encode()
                found.append(Line(topic="cs.accounts", value=event, timestamp_ms=arrives_ms, key=key))
    return tuple(sorted(found, key=lambda line: line.timestamp_ms))


@cache
def outputs() -> tuple[OutputLine, ...]:
    return tuple(replay(lines(), partitions=PARTITIONS, until_ms=CLOSING_MS, tick_interval_ms=TICK_INTERVAL_MS))


def records(topic: str, until_ms: int) -> Iterator[Value]:
    """What was published up to a time, in its order."""
    for output in outputs():
        if output.topic == topic and output.value is not None:
            value = msgspec.structs.asdict(output.value)
            if value["as_of"] <= until_ms:
                yield value


def published(until_ms: int) -> Published:
    return {(value["figure"], value["dimension"]): value for value in records("cs.fleet-snapshots", until_ms)}


@cache
def accepted(until_ms: int) -> dict[str, list[Judged]]:
    """The accepted records of each customer up to a time, in the order in which they were taken."""
    log = inputs(lines(), PARTITIONS, until_ms)
    found: dict[str, list[Judged]] = {}
    for partition in range(PARTITIONS):
        found |= accepted_by_customer(judged(merged([record for record in log if record["partition"] == partition])))
    return found


def customers(until_ms: int) -> dict[str, list[Event]]:
    """The accepted events of each customer up to a time."""
    return {name: [judgement.record["value"] for judgement in mine] for name, mine in accepted(until_ms).items()}


def same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def test_at_the_end_of_a_log_the_fleet_s_csat_nps_backlog_and_commercial_figures_are_the_batch_answers() -> None:
    shown = published(CLOSING_MS)
    everything = [event for events in customers(CLOSING_MS).values() for event in events]
    said = {key[:2]: found for key, found in figures(everything, CLOSING_MS, NAMES).items() if key[0].startswith(SAID)}
    compared = {key: found for key, found in said.items() if key in shown}
    assert len(compared) > 5
    assert not {
        key: (shown[key]["value"], found.value) for key, found in compared.items() if not same(shown[key]["value"], found.value)
    }
    counts = gauges(customers(CLOSING_MS).values(), NAMES)
    backlog = {key: n for key, n in counts.items() if key[0] != "open_tickets_by_opening_day"}
    assert sum(n for (figure, _), n in backlog.items() if figure == "customers") == len(customers(CLOSING_MS))
    assert not {key: n for key, n in backlog.items() if shown[key]["value"] != n}
    right = commercial(customers(CLOSING_MS), CLOSING_MS, terms_of(read_definitions(default_text())))
    assert len(right) > 50
    values = {key: shown[key]["value"] if key in shown else None for key in right}
    assert not {key: (values[key], value) for key, value in right.items() if not same(values[key] or 0, value or 0)}


def test_every_publication_is_complete_and_of_a_tick_that_all_partitions_have_shown() -> None:
    assert max(value["as_of"] for value in records("cs.fleet-snapshots", CLOSING_MS)) == CLOSING_MS
    by_key: dict[tuple[str, str, int | None], list[Value]] = {}
    for value in records("cs.fleet-snapshots", CLOSING_MS):
        if value["figure"] != "coverage_share":
            by_key.setdefault((value["figure"], value["dimension"], value["window_days"]), []).append(value)
    assert len(by_key) > 1000
    ticks = {*range(0, CLOSING_MS, TICK_INTERVAL_MS), CLOSING_MS}
    for key, values in by_key.items():
        assert [value["as_of"] for value in values] == sorted({value["as_of"] for value in values}), key
        assert [value["sequence"] for value in values] == list(range(1, len(values) + 1)), key
        assert {value["coverage_share"] for value in values} == {1.0}, key
        assert {value["as_of"] for value in values} <= ticks, key


def standing(topic: str, field: str, until_ms: int) -> dict[str, str]:
    """The newest quadrant or band of each customer, as its own records tell it."""
    newest = {}
    for value in records(topic, until_ms):
        if value.get("purpose", "risk") == "risk":
            newest[value["customer_id"]] = value[field]
    return newest


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_goals_shares_responses_backlog_load_and_percentiles_are_the_batch_answers(as_of_ms: int) -> None:
    quadrants, bands = (
        standing("cs.loyalty-changes", "new_quadrant", as_of_ms),
        standing("cs.health-changes", "new_band", as_of_ms),
    )
    right, shown = fleet(customers(as_of_ms), as_of_ms, NAMES, quadrants, bands), published(as_of_ms)
    assert len(right) > 600
    assert {figure for figure, _ in right} <= {figure for figure, _ in shown}
    assert not dict(wrong(shown, right))


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_effort_product_promises_steps_talks_and_owners_are_the_batch_answers(as_of_ms: int) -> None:
    right, shown = ways(customers(as_of_ms), as_of_ms, NAMES), published(as_of_ms)
    assert len(right) > 60
    assert not dict(wrong(shown, right))
    named = {figure for figure, _ in right}
    assert not {key for key, value in shown.items() if key[0] in named and key not in right and value["value"]}


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_the_promises_kept_are_those_that_the_last_look_at_each_customer_found_attained(as_of_ms: int) -> None:
    surely, perhaps, n = kept_promises(customers(as_of_ms), as_of_ms, NAMES)
    value = published(as_of_ms)["promises_kept_ratio", ""]
    assert value["n"] == n > 30
    assert surely <= value["numerator"] <= perhaps <= surely + 5


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_at_most_a_tenth_of_the_paying_customers_is_above_the_revenue_that_is_told(as_of_ms: int) -> None:
    shown = {key[1]: value for key, value in published(as_of_ms).items() if key[0] == "mrr_top_tenth_cents"}
    right = revenues(customers(as_of_ms))
    assert set(shown) == set(right)
    for currency, cents in right.items():
        exact = sorted(cents, reverse=True)[len(cents) // 10]
        assert shown[currency]["n"] == len(cents)
        assert exact <= shown[currency]["value"] <= exact * 1.021
        assert sum(one > shown[currency]["value"] for one in cents) <= len(cents) / 10


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_events_by_family_and_survey_requests_are_those_that_were_accepted_and_published(as_of_ms: int) -> None:
    shown = published(as_of_ms)
    assert {key[1]: value["value"] for key, value in shown.items() if key[0] == "events"} == heard(accepted(as_of_ms), as_of_ms)
    requests = [one for one in records("cs.survey-requests", as_of_ms) if is_in_window(one["as_of"], 90, as_of_ms)]
    asked = Counter(f"{one['survey']}/{one['state']}" for one in requests)
    told = {key[1]: value["value"] for key, value in shown.items() if key[0] == "survey_requests_90d"}
    unpublished = {part for part in told if part.endswith("/not_asked")}
    assert {part: n for part, n in told.items() if part not in unpublished} == asked


def test_no_figure_of_the_customers_is_published_that_the_batch_answers_do_not_know() -> None:
    at_ms, everybody = CLOSING_MS, customers(CLOSING_MS)
    everything = [event for events in everybody.values() for event in events]
    alerts = episodes(records("cs.churn-alerts", at_ms), accepted(at_ms))
    known = [
        *(key for key in figures(everything, at_ms, NAMES) if key[0].startswith(SAID)),
        *gauges(everybody.values(), NAMES),
        *commercial(everybody, at_ms, terms_of(read_definitions(default_text()))),
        *fleet(everybody, at_ms, NAMES, {}, {}),
        *ways(everybody, at_ms, NAMES),
        *about_episodes(alerts, at_ms),
        *did_it_help(records("cs.churn-alerts", at_ms), accepted(at_ms), at_ms),
    ]
    told = {figure for figure, _ in published(at_ms)}
    assert told - {key[0] for key in known} == OF_THE_PIPELINE | IN_TESTS_OF_THEIR_OWN


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_what_is_told_of_alerts_and_who_acts_upon_them_is_the_batch_answer(as_of_ms: int) -> None:
    found = episodes(records("cs.churn-alerts", as_of_ms), accepted(as_of_ms))
    assert sum(episode.proactive for episode in found) > 3
    assert sum(episode.complained_first for episode in found) > 1
    assert not dict(wrong(published(as_of_ms), about_episodes(found, as_of_ms)))


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_whether_acting_helped_is_the_batch_answer(as_of_ms: int) -> None:
    right = did_it_help(records("cs.churn-alerts", as_of_ms), accepted(as_of_ms), as_of_ms)
    shown = published(as_of_ms)
    asked = ("recovered_30d", "gone_90d")
    told = {key for key, value in shown.items() if key[0].startswith(asked) and value["value"] is not None}
    assert told == set(right)
    assert not dict(wrong(shown, right))


def test_the_log_has_episodes_that_were_acted_upon_and_helped_and_others() -> None:
    right = did_it_help(records("cs.churn-alerts", CLOSING_MS), accepted(CLOSING_MS), CLOSING_MS)
    sides = {dimension.rpartition("/")[2] for figure, dimension in right if figure == "recovered_30d_share"}
    assert sides == {"acted", "unacted"}
    assert any(due.value for (figure, _), due in right.items() if figure == "recovered_30d_share")
    assert any(figure == "gone_90d_share" for figure, _ in right)
    assert any(figure == "recovered_30d_difference" for figure, _ in right)


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_the_touchpoint_map_is_the_batch_answer(as_of_ms: int) -> None:
    shown = list(records("cs.touchpoint-maps", as_of_ms))[-1]
    everybody = customers(as_of_ms)
    stations = touchpoint_map(everybody, as_of_ms, NAMES)
    assert [station.touchpoint for station in shown["stations"]] == [station["touchpoint"] for station in stations]
    assert sum(station["n"] > 0 for station in stations) > 1
    for found, right in zip(shown["stations"], stations, strict=True):
        for name, value in right.items():
            told = getattr(found, name)
            is_same = same(told, value) if isinstance(value, float) else told == value
            assert is_same, (right["touchpoint"], name, told, value)
    steps = {(one.step, one.window_days): (one.reached, one.converted) for one in shown["steps"]}
    assert steps == step_conversions(everybody, as_of_ms)
    assert any(converted for _, converted in steps.values())


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_at_any_tick_the_share_of_feedback_that_names_a_touchpoint_or_a_reason_is_the_batch_answer(as_of_ms: int) -> None:
    everybody = customers(as_of_ms)
    left = commercial(everybody, as_of_ms, terms_of(read_definitions(default_text())))
    departures = left["departures_90d", ""] or 0
    with_reason = (left["share_of_departures_with_a_reason_90d_pct", ""] or 0) * departures / 100
    said = [event for events in everybody.values() for event in in_window(events, 90, as_of_ms) if is_answer(event)]
    value = published(as_of_ms)["feedback_with_touchpoint_or_reason_90d_pct", ""]
    assert value["n"] == len(said) + departures
    assert same(value["value"], 100 * (sum(map(names_touchpoint, said)) + with_reason) / value["n"])


@pytest.mark.parametrize("as_of_ms", TIMES)
def test_the_quadrants_that_are_counted_are_those_of_the_batch_answers_at_the_last_look_of_the_day(as_of_ms: int) -> None:
    newest = standing("cs.loyalty-changes", "new_quadrant", as_of_ms)
    for customer_id, events in customers(as_of_ms).items():
        may_be = {
            quadrant(events, at_ms, default_text(), before)[0]
            for before in ("unknown", "advocate", "churner")
            for at_ms in (as_of_ms, as_of_ms - DAY_MS)
        }
        assert newest.get(customer_id, "unknown") in may_be, customer_id


def test_the_log_has_customers_in_all_bands_and_in_several_quadrants() -> None:
    assert set(standing("cs.loyalty-changes", "new_quadrant", CLOSING_MS).values()) >= {"advocate", "wildcard", "churner"}
    assert set(standing("cs.health-changes", "new_band", CLOSING_MS).values()) >= {"green", "yellow", "red"}


def wrong(shown: Published, right: Mapping[tuple[str, str], Due]) -> Iterator[tuple[tuple[str, str], tuple[Value | None, Due]]]:
    """Where figures are not what they must be; one of a part that is nothing may be left out."""
    for key, due in right.items():
        value = shown.get(key)
        if value is None:
            if due.value:
                yield key, (None, due)
        elif not is_right(value, due):
            yield key, ({name: value[name] for name in ("value", "n", "low", "high", "as_of")}, due)


def is_right(value: Value, due: Due) -> bool:
    told = [due.n is None or value["n"] == due.n, due.low is None or same(value["low"], due.low)]
    told += [due.high is None or same(value["high"], due.high)]
    if due.error and due.value is not None and value["value"] is not None:
        return all(told) and abs(value["value"] - due.value) <= due.error * due.value + 1e-9
    return all(told) and same(value["value"], due.value)
