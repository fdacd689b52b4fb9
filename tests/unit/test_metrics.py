"""The metrics: one declared table, and series that go where their partition goes."""

import re
from collections import Counter

import pytest
from msgspec import structs

from processors.fleet_figures import MAKERS
from processors.fleet_publication import coverage_value
from processors.fleet_view import FleetValue
from processors.maturity import assess
from schemas.outcome import Reason
from schemas.records import PlanProgress, StationNow
from sinks.fleet_figures import SHOWN
from sinks.fleet_metrics import FLEET_METRICS, OpenAlert, Standing, fleet_series
from sinks.metric import LABELS, Metric, counter, gauge, histogram
from sinks.metrics import METRICS, WorkerMetrics
from sinks.samples import Committed, RunningSample, TaskSample
from sinks.series import SeriesStore
from sinks.sink_metrics import SINK_METRICS
from tests.support.everything_counted import NOW_MS, EverythingCounted
from tests.support.scraped import names, offered, one
from tests.support.summed import default_definitions

COMMIT = Committed(
    records=3,
    output_topics=["cs.health-changes", "cs.health-changes", "cs.dead-letters"],
    changelog_bytes={"customers": 700, "totals": 90},
    dead_letter_reasons=["late"],
    events={"usage": 2},
    oddities={"duplicate": 1},
    took_s=0.03,
    latencies_s=[0.04, 0.06, 7.0],
)
RUNNING = RunningSample(
    lag_records={"cs.usage": 5},
    lag_s=2.5,
    clock_ms=1_500,
    due=1,
    to_rejudge=4,
    state_records=9,
    state_bytes=8_000,
    config_version=2,
)
STATION = StationNow(
    touchpoint="support",
    order=6,
    side="after",
    department="Support",
    csat_pct=80.0,
    low_pct=70.0,
    high_pct=90.0,
    n=40,
    trend="down",
    trend_points=-12.5,
    trend_low=-20.0,
    trend_high=-5.0,
    strength="weak",
    open_tickets=3,
    interactions_30d=11,
)


def sample(label: str, phase: str = "running") -> TaskSample:
    return TaskSample(label=label, phase=phase, queued={"cs.usage": 3}, running=RUNNING if phase == "running" else None)


PLAN = PlanProgress(
    criterion="nps",
    baseline=10.0,
    target=30.0,
    now=15.0,
    progress_ratio=0.25,
    starts_at=0,
    due_at=NOW_MS,
    owner="Ana",
    steps=[],
    state="behind",
)


def made() -> list[FleetValue]:
    """Every figure there is, of a fleet in which everything was counted; one that cannot be known from that is 7."""
    values = [value for maker in MAKERS for value in maker(EverythingCounted())]
    values.append(coverage_value(3, 4))
    return [structs.replace(value, value=7.0 if value.value is None else value.value) for value in values]


def standing() -> Standing:
    """Everything there is about a fleet in which everything was counted."""
    values = made()
    return Standing(
        as_of_ms=NOW_MS,
        values=values,
        stations=[STATION],
        alerts=[OpenAlert(rule="source_quiet", feed="usage", severity="high")],
        criteria=[structs.replace(one, level=3) for one in assess(values, default_definitions().maturity)],
        plans=[PLAN],
    )


# ---- the table ----


def test_no_metric_is_declared_twice() -> None:
    assert [name for name, times in Counter(metric.name for metric in (*METRICS, *SINK_METRICS)).items() if times > 1] == []


@pytest.mark.parametrize("metric", [*METRICS, *SINK_METRICS], ids=lambda metric: metric.name)
def test_a_metric_is_named_after_its_kind_and_its_base_unit(metric: Metric) -> None:
    assert re.fullmatch(r"cspulse_[a-z0-9_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    stem = re.sub(r"_(low|high|total)$", "", metric.name)
    for unit, end in (
        ("seconds", "_seconds"),
        ("seconds since 1970", "_timestamp_seconds"),
        ("bytes", "_bytes"),
        ("ratio", "_ratio"),
    ):
        if metric.unit == unit:
            assert stem.endswith(end)
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days|kb|mb|pct|percent)(_|$)", metric.name)
    assert metric.meaning.endswith(".")
    assert set(metric.labels) <= set(LABELS)
    assert metric.buckets == tuple(sorted(metric.buckets))
    assert bool(metric.buckets) == (metric.kind == "histogram")


def test_every_label_is_used_and_none_names_a_customer_or_a_person() -> None:
    used = {label for metric in (*METRICS, *SINK_METRICS) for label in metric.labels}
    assert used == set(LABELS)
    assert not [label for label in used if re.search("customer|respondent|user|owner|agent|account|episode", label)]


# ---- the series ----


def test_a_histogram_has_each_observation_in_the_first_bucket_that_holds_it() -> None:
    store = SeriesStore([histogram("cspulse_h_seconds", "seconds", "A test.", (1.0, 2.0))])
    store.observe("cspulse_h_seconds", [0.5, 1.0, 1.5, 9.0])
    (family,) = store.collect()
    found = {(one.name, one.labels.get("le")): one.value for one in family.samples}
    assert [found["cspulse_h_seconds_bucket", bound] for bound in ("1.0", "2.0", "+Inf")] == [2, 3, 4]
    assert (found["cspulse_h_seconds_count", None], found["cspulse_h_seconds_sum", None]) == (4, 12.0)


def test_what_was_not_declared_is_refused() -> None:
    store = SeriesStore([gauge("cspulse_g", "1", "A test.", "partition"), counter("cspulse_c_total", "1", "A test.")])
    with pytest.raises(KeyError):
        store.stand("cspulse_other", 1)
    with pytest.raises(AssertionError, match="is a gauge"):
        store.add("cspulse_g", 1, "0")
    with pytest.raises(AssertionError, match="has the labels"):
        store.stand("cspulse_g", 1)
    with pytest.raises(AssertionError, match="only grows"):
        store.add("cspulse_c_total", -1)


# ---- the pipeline ----


def test_a_commit_is_counted_by_what_it_carries() -> None:
    metrics = WorkerMetrics()
    metrics.committed("0", COMMIT)
    metrics.committed("0", COMMIT)
    found = offered(metrics.registry)
    assert one(found, "cspulse_records_consumed_total", partition="0") == 6
    assert one(found, "cspulse_outputs_committed_total", partition="0", topic="cs.health-changes") == 4
    assert one(found, "cspulse_changelog_bytes_total", partition="0", table="customers") == 1_400
    assert one(found, "cspulse_dead_letters_total", partition="0", reason="late") == 2
    assert one(found, "cspulse_events_accepted_total", partition="0", family="usage") == 4
    assert one(found, "cspulse_oddities_total", partition="0", oddity="duplicate") == 2
    assert one(found, "cspulse_commit_duration_seconds_count", partition="0") == 2
    assert one(found, "cspulse_end_to_end_latency_seconds_bucket", partition="0", le="0.05") == 2
    assert one(found, "cspulse_end_to_end_latency_seconds_count", partition="0") == 6


def test_a_partition_that_runs_has_every_reason_at_0_so_that_the_first_dead_letter_is_an_increase() -> None:
    metrics = WorkerMetrics()
    metrics.running("0", 1.5)
    found = offered(metrics.registry)
    for reason in Reason:
        assert one(found, "cspulse_dead_letters_total", partition="0", reason=reason.value) == 0
    assert one(found, "cspulse_restore_duration_seconds", partition="0") == 1.5


def test_a_sample_shows_where_each_task_stands() -> None:
    metrics = WorkerMetrics()
    metrics.sampled([sample("0"), sample("1", "restoring")], hand_overs=2)
    found = offered(metrics.registry)
    assert one(found, "cspulse_task_phase", partition="0", phase="running") == 1
    assert one(found, "cspulse_task_phase", partition="1", phase="running") == 0
    assert one(found, "cspulse_task_phase", partition="1", phase="restoring") == 1
    assert one(found, "cspulse_lag_records", partition="0", topic="cs.usage") == 5
    assert one(found, "cspulse_clock_timestamp_seconds", partition="0") == 1.5
    assert one(found, "cspulse_hand_overs_queued") == 2
    assert ("cspulse_lag_seconds", (("partition", "1"),)) not in found


def test_every_series_of_a_partition_goes_when_it_moves_away_and_begins_anew_when_it_comes_back() -> None:
    metrics = WorkerMetrics()
    for label in ("0", "1", "fleet"):
        metrics.restoring(label, "changelog", 5, 10)
        metrics.running(label, 1.0)
        metrics.committed(label, COMMIT)
    metrics.sampled([sample("0"), sample("1"), sample("fleet")], 0)
    assert {dict(labels).get("partition") for _, labels in offered(metrics.registry)} >= {"0", "1", "fleet"}

    metrics.sampled([sample("1")], 0)

    assert {dict(labels).get("partition") for _, labels in offered(metrics.registry)} == {None, "1"}
    metrics.committed("0", COMMIT)
    assert one(offered(metrics.registry), "cspulse_records_consumed_total", partition="0") == 3


# ---- the fleet ----


def test_every_figure_that_is_shown_is_one_that_is_made() -> None:
    values = standing().values
    assert [shown.value.name for shown in SHOWN if not any(list(shown.series(value)) for value in values)] == []


def test_every_metric_of_the_fleet_has_a_series_with_its_labels() -> None:
    declared = {metric.name: metric for metric in FLEET_METRICS}
    seen = set()
    for name, labels, _ in fleet_series(standing()):
        assert len(labels) == len(declared[name].labels)
        seen.add(name)
    assert seen == set(declared)


def test_no_series_of_the_fleet_is_told_twice_with_two_values() -> None:
    found: dict[tuple[str, tuple[str, ...]], float] = {}
    for name, labels, value in fleet_series(standing()):
        assert found.setdefault((name, labels), value) == value, (name, labels)


def test_a_figure_is_shown_in_base_units_with_its_interval_and_its_parts() -> None:
    values = {(value.figure, value.dimension): value for value in made()}
    csat = values["csat_30d_pct", "support"]
    assert csat.value is not None
    assert csat.low is not None
    found = {(name, labels): value for name, labels, value in fleet_series(standing())}
    assert found["cspulse_fleet_touchpoint_csat_ratio", ("support", "30d")] == pytest.approx(csat.value / 100)
    assert found["cspulse_fleet_touchpoint_csat_ratio_low", ("support", "30d")] == pytest.approx(csat.low / 100)
    assert found["cspulse_fleet_touchpoint_csat_good_answers", ("support", "30d")] == csat.numerator
    assert found["cspulse_fleet_touchpoint_csat_answers", ("support", "30d")] == csat.denominator
    hours = values["first_response_p50_hours_30d", ""].value
    assert hours is not None
    assert found["cspulse_fleet_first_response_seconds", ("p50", "hours", "30d")] == pytest.approx(hours * 3600)
    assert found["cspulse_fleet_touchpoint_csat_trend_ratio", ("support",)] == pytest.approx(-0.125)
    assert found["cspulse_fleet_touchpoint_strength", ("support",)] == -1
    assert found["cspulse_fleet_logo_churn_ratio", ("month",)] == pytest.approx(0.07)
    assert found["cspulse_fleet_mrr_cents", ("",)] == 1
    assert found["cspulse_fleet_plan_progress_ratio", ("nps",)] == 0.25


NO_SHARES = {
    "cspulse_fleet_touchpoint_csat_trend_ratio": "the difference of two shares",
    "cspulse_fleet_plan_progress_ratio": "how far between two values of a plan",
}


def test_every_share_is_offered_with_what_it_is_a_share_of() -> None:
    """Wherever a share has a series, both of its numbers have one, and the share is their quotient."""
    seen = set()
    for value in made():
        for shown in SHOWN:
            series = {name: number for name, _, number in shown.series(value)}
            if shown.value.unit != "ratio" or shown.value.name not in series:
                continue
            assert shown.numerator is not None
            assert shown.denominator is not None
            above, below = series[shown.numerator.name], series[shown.denominator.name]
            is_known = value.value != 7.0
            assert not is_known or series[shown.value.name] == pytest.approx(above / below), (value.figure, value.dimension)
            seen.add(shown.value.name)
    assert seen == {metric.name for metric in (*METRICS, *SINK_METRICS) if metric.name.endswith("_ratio")} - set(NO_SHARES)


def test_the_fleet_s_series_go_with_its_task() -> None:
    metrics = WorkerMetrics()
    metrics.fleet_stands(standing())
    metrics.sampled([sample("0"), sample("fleet")], 0)
    assert any(name.startswith("cspulse_fleet_") for name in names(offered(metrics.registry)))
    metrics.sampled([sample("0")], 0)
    assert not any(name.startswith("cspulse_fleet_") for name in names(offered(metrics.registry)))


def test_a_figure_that_is_not_known_any_more_has_no_series() -> None:
    metrics = WorkerMetrics()
    metrics.fleet_stands(standing())
    empty = Standing(as_of_ms=NOW_MS, values=[], stations=[], alerts=[], criteria=[], plans=[])
    metrics.fleet_stands(empty)
    assert {name for name in names(offered(metrics.registry)) if name.startswith("cspulse_fleet_")} == {
        "cspulse_fleet_as_of_timestamp_seconds"
    }
