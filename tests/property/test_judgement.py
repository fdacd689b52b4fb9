"""Whatever happens to a customer, in whatever order: explanations add up, changes chain, episodes alternate, settling ends."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import explanation, health
from processors.curves import Curve
from processors.health import HealthState, Reading
from processors.scorecard_file import BANDS, Bands, Measure, Scorecard
from processors.state import CustomerState
from schemas.events import CustomerEvent
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged

DAY = 86_400_000
HOUR = 3_600_000

MEASURES = st.builds(
    Measure,
    name=st.sampled_from([f"m{index}" for index in range(6)]),
    figure=st.just("csat_90d_pct"),
    curve=st.sampled_from([Curve((0.0, 100.0), (0.0, 100.0)), Curve((-7.0, 3.0, 90.0), (100.0, 33.3, 0.1))]),
    weight=st.floats(0.001, 1000),
    stale_after_ms=st.sampled_from([None, DAY]),
    missing=st.sampled_from(["redistribute", "neutral", "poor"]),
)
SCORECARDS = st.lists(MEASURES, min_size=1, max_size=6, unique_by=lambda measure: measure.name).map(
    lambda measures: Scorecard("standard", "risk", (), Bands((40, 70), 3, 0.5), tuple(measures), 0)
)
READINGS = st.builds(Reading, st.none() | st.floats(-1e6, 1e6), st.none() | st.integers(NOON - 3 * DAY, NOON))


@given(SCORECARDS, SCORECARDS, st.data())
def test_the_deltas_of_any_two_judgements_sum_to_the_change_of_the_score(
    old: Scorecard, new: Scorecard, data: st.DataObject
) -> None:
    judged = [
        health.assess(card, data.draw(st.lists(READINGS, min_size=len(card.measures), max_size=len(card.measures))), NOON)
        for card in (old, new)
    ]
    before, after = judged
    changes = explanation.explain(new, before.measures, after.measures)
    assert abs(sum(change.delta for change in changes) - ((after.score or 0) - (before.score or 0))) < 1e-9
    assert abs(sum(change.old_contribution for change in changes) - (before.score or 0)) < 1e-9
    assert abs(sum(change.new_contribution for change in changes) - (after.score or 0)) < 1e-9


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30))
def test_a_band_changes_only_beyond_the_boundary_and_margin(scores: list[float]) -> None:
    bands = Bands((40, 70), 3, 0)
    band = bands.plain(scores[0])
    for score in scores[1:]:
        after = bands.after(band, score)
        if BANDS.index(after) > BANDS.index(band):
            assert score >= bands.cuts[BANDS.index(after) - 1] + 3
        elif BANDS.index(after) < BANDS.index(band):
            assert score <= bands.cuts[BANDS.index(after)] - 3
        assert abs(BANDS.index(after) - BANDS.index(bands.plain(score))) <= 1
        band = after


@given(st.lists(st.tuples(st.integers(0, 3 * DAY), st.none() | st.integers(0, 1000)), max_size=40))
def test_the_fall_is_from_the_highest_value_in_force_in_the_last_seven_days(steps: list[tuple[int, int | None]]) -> None:
    card = Scorecard(
        "s", "risk", (), Bands((40, 70), 3, 0), (Measure("m", "f", Curve((0.0, 100.0), (0.0, 100.0)), 1, None, "poor"),), 0
    )
    state, at = HealthState(), NOON
    history: list[tuple[int, int | None]] = []
    for gap, tenths in steps:
        at += gap
        reading = Reading(None if tenths is None else tenths / 10)
        health.observe(state, card, health.assess(card, [reading], at), at)
        history.append((at, tenths))
        ends = [start for start, _ in history[1:]] + [at + 1]
        shown = [value for (_, value), end in zip(history, ends, strict=True) if value is not None and end > at - 7 * DAY]
        assert health.fall_points(state) == (None if tenths is None else (max(shown) - tenths) / 10)


def override(number: int, at: int) -> CustomerEvent:
    return account("override", at, author="eve", reason_text="x", override_score=10.0 * number, expires_at=at + 3 * DAY)


HAPPENINGS: dict[str, Callable[[int, int], CustomerEvent]] = {
    "feature": lambda number, at: usage("feature_used", at, feature=f"f{number}"),
    "goal": lambda number, at: usage("goal_completed", at, goal="report_created", quantity=number),
    "good": lambda _, at: answer("csat", "good_bad", 1, at, touchpoint="support"),
    "bad": lambda _, at: answer("csat", "good_bad", 0, at, touchpoint="support"),
    "promoter": lambda number, at: answer("nps", "0_10", 10, at, respondent=f"r{number % 3}"),
    "detractor": lambda number, at: answer("nps", "0_10", 2, at, respondent=f"r{number % 3}"),
    "opened": lambda number, at: ticket("opened", at, f"T{number}", priority="normal"),
    "urgent": lambda number, at: ticket("opened", at, f"T{number}", priority="urgent"),
    "solved": lambda number, at: ticket("solved", at, f"T{number}"),
    "cancelled": lambda _, at: account("cancelled", at),
    "reactivated": lambda _, at: account("reactivated", at),
    "override": override,
    "muted": lambda _, at: account("muted", at, author="eve", rule="backlog", muted_until=at + 2 * DAY),
    "owner": lambda number, at: account("owner_changed", at, owner=f"o{number}"),
    "renewal": lambda number, at: account("plan_changed", at, renewal_at=at + number * 20 * DAY, mrr_cents=number * 100_000),
}
Step = tuple[str | None, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.none() | st.sampled_from(sorted(HAPPENINGS)), st.integers(0, 9), st.integers(0, 6 * DAY), st.integers(0, 40 * HOUR)
    ),
    min_size=5,
    max_size=60,
)


def lived(steps: list[Step]) -> Judged:
    customer, now = Judged(), NOON
    customer.happens(account("known", NOON))
    for kind, number, gap, delay in steps:
        now += gap
        customer.passes(now)
        if kind is not None:
            customer.happens(HAPPENINGS[kind](number, now - delay), clock=now)
    return customer


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_happens_changes_chain_add_up_and_one_episode_a_rule_is_open(steps: list[Step]) -> None:
    customer = lived(steps)
    customer.passes(NOON + 1500 * DAY)
    records = len(customer.judgements)
    customer.reconfigured(customer.context.definitions, NOON + 3000 * DAY)
    assert len(customer.judgements) == records, "time alone changed something that was never due"
    for change in customer.all_changes:
        moved = (change.new_score or 0) - (change.old_score or 0)
        assert abs(sum(part.delta for part in change.measures) - moved) < 1e-9
    assert [change.sequence for change in customer.all_changes] == list(range(1, len(customer.all_changes) + 1))
    for before, after in pairwise(customer.changes):
        assert (after.old_score, after.old_band) == (before.new_score, before.new_band)
        assert after.old_measures_present == before.new_measures_present
    open_episodes: dict[str, str] = {}
    ended: set[str] = set()
    for alert in customer.alerts:
        assert alert.episode_id not in ended
        if alert.state == "opened":
            assert alert.rule not in open_episodes
            open_episodes[alert.rule] = alert.episode_id
        assert open_episodes[alert.rule] == alert.episode_id
        if alert.state in ("resolved", "retracted"):
            ended.add(open_episodes.pop(alert.rule))


@settings(max_examples=30, deadline=None)
@given(STEPS, st.integers(0, 60))
def test_a_state_that_was_stored_goes_on_as_if_it_had_not(steps: list[Step], cut: int) -> None:
    whole = Judged()
    stored = Judged()
    for customer in (whole, stored):
        now = NOON
        for place, (kind, number, gap, delay) in enumerate(steps):
            now += gap
            if kind is None:
                continue
            event = msgspec.structs.replace(HAPPENINGS[kind](number, now - delay), event_id=f"e{place}")
            customer.happens(event, clock=now)
            if customer is stored and place == cut % len(steps):
                data = msgspec.msgpack.encode(customer.state)
                customer.state = msgspec.msgpack.decode(data, type=CustomerState)
        customer.passes(now + 20 * DAY)
    assert stored.context.effects.outputs == whole.context.effects.outputs
