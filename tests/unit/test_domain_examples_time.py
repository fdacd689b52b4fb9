"""Every sentence of the domain's chapter on windows and time, each a test of its name."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from processors.windows import DAY_MS, HOUR_MS
from schemas.events import CustomerEvent, SurveyEvent, TicketEvent
from schemas.records import CustomerSnapshot, Figure
from tests.support.asked import answered
from tests.support.driven import Driven
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.histories import tick
from tests.support.judging import Judged

GRACE_MS, SKEW_MS = 48 * HOUR_MS, 10 * 60_000
MIDNIGHT = NOON - DAY_MS // 2


class Log:
    """The log of one partition, whose records come one after the other."""

    def __init__(self) -> None:
        self.driven = Driven()
        self._offsets: dict[str, int] = {}

    def comes(self, event: CustomerEvent, at_ms: int | None = None, *headers: tuple[str, bytes]) -> None:
        topic = {SurveyEvent: "cs.surveys", TicketEvent: "cs.tickets"}[type(event)]
        at = event.occurred_at if at_ms is None else at_ms
        self._feed({"topic": topic, "timestamp_ms": at, "value": msgspec.to_builtins(event), "headers": headers})

    def passes(self, until_ms: int) -> None:
        self._feed(tick(until_ms))

    def _feed(self, record: dict[str, Any]) -> None:
        offset = self._offsets[record["topic"]] = self._offsets.get(record["topic"], -1) + 1
        self.driven.feed({**record, "offset": offset})
        self.driven.take()

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [output["value"] for output in self.driven.plain_outputs() if output["topic"] == topic]

    def figure(self, name: str) -> dict[str, Any]:
        """The figure of the newest snapshot."""
        newest = self.values("cs.customer-snapshots")[-1]
        found: dict[str, Any] = next(one for one in newest["figures"] if (one["name"], one["dimension"]) == (name, ""))
        return found


def shown(customer: Judged, as_of_ms: int = NOON) -> dict[str, Figure]:
    from processors.figures import Sheet, all_figures

    figures = all_figures(Sheet(customer.state, as_of_ms, customer.context.definitions))
    return {figure.name: figure for figure in figures if not figure.dimension}


def csat_n(name: str, occurred_at: int, as_of_ms: int) -> int | None:
    """In how many of the answers that make a CSAT one that occurred at a time is."""
    customer = Judged()
    customer.happens(answer("csat", "good_bad", 1, occurred_at), clock=max(occurred_at, NOON - 200 * DAY_MS))
    return shown(customer, as_of_ms)[name].n


def test_a_rolling_figure_is_the_batch_answer_over_the_distinct_event_ids_in_whatever_order_they_arrived() -> None:
    events = [answered("csat", score, NOON + place) for place, score in enumerate((1, 0, 1))]
    for order in permutations(events):
        log = Log()
        for event in (*order, order[0]):
            log.comes(event, NOON + 3)
        log.passes(NOON + HOUR_MS + 4)
        figure = log.figure("csat_30d_pct")
        assert (figure["value"], figure["n"]) == (pytest.approx(200 / 3), 3)


def test_7_days_are_the_current_hour_and_the_167_before_it() -> None:
    first = NOON - 167 * HOUR_MS
    assert [csat_n("csat_7d_pct", at, NOON + HOUR_MS - 1) for at in (first - 1, first)] == [0, 1]


@pytest.mark.parametrize(("name", "days"), [("csat_30d_pct", 30), ("csat_90d_pct", 90)])
def test_30_and_90_days_are_the_current_utc_day_and_the_29_and_89_before_it(name: str, days: int) -> None:
    first = MIDNIGHT - (days - 1) * DAY_MS
    assert [csat_n(name, at, MIDNIGHT + DAY_MS - 1) for at in (first - 1, first)] == [0, 1]


def test_180_days_are_the_current_utc_day_and_the_179_before_it() -> None:
    first = MIDNIGHT - 179 * DAY_MS
    for at, n in ((first - 1, 0), (first, 1)):
        customer = Judged()
        customer.happens(answer("nps", "0_10", 9, at))
        assert shown(customer)["nps_0_10_180d"].n == n


def test_the_current_bucket_counts_whole_so_an_event_a_little_ahead_of_the_clock_is_in() -> None:
    ahead = NOON + SKEW_MS
    assert csat_n("csat_7d_pct", ahead, NOON) == 1
    log = Log()
    log.comes(answered("csat", 1, ahead), NOON)
    log.passes(NOON + HOUR_MS + 1)
    assert log.figure("csat_7d_pct")["n"] == 1


def test_a_late_event_simply_lands_in_its_bucket() -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON))
    log.comes(answered("csat", 0, NOON - 29 * HOUR_MS), NOON + 1)
    log.passes(NOON + HOUR_MS + 2)
    assert log.figure("csat_7d_pct")["n"] == 2
    log.passes(NOON + 7 * DAY_MS - HOUR_MS)
    log.comes(answered("csat", 1, NOON + 7 * DAY_MS - HOUR_MS))
    log.passes(NOON + 7 * DAY_MS)
    assert (log.figure("csat_7d_pct")["value"], log.figure("csat_7d_pct")["n"]) == (100, 2)  # the bad answer has left


def test_every_published_value_carries_as_of_its_window_and_n() -> None:
    customer = Judged()
    customer.happens(account("known", NOON, mrr_cents=100), usage("goal_completed", NOON, goal="report_created", user="ann"))
    customer.happens(answered("csat", 1), answered("nps", 9), ticket("opened", NOON), ticket("replied", NOON + HOUR_MS))
    snapshot = next(record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot))
    assert snapshot.as_of == NOON
    for figure in shown(customer, NOON + HOUR_MS).values():
        days = [part.removesuffix("d") for part in figure.name.split("_") if part.endswith("d") and part[:-1].isdigit()]
        assert days == ([] if figure.window_days is None else [str(figure.window_days)])
        is_of_some = figure.name.startswith(
            ("csat", "nps", "ces", "response_rate", "stickiness", "first_response", "answers_with")
        )
        assert figure.n is not None or not is_of_some


def test_a_revision_is_carried_when_late_data_changed_a_value_already_published() -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON))
    log.passes(NOON + 2 * HOUR_MS)
    log.comes(answered("csat", 0, NOON - 3 * HOUR_MS), NOON + 3 * HOUR_MS)
    log.passes(NOON + 5 * HOUR_MS)
    snapshots = log.values("cs.customer-snapshots")
    assert (snapshots[0]["revision"], snapshots[-1]["revision"]) == (0, 1)
    changes = [change for change in log.values("cs.health-changes") if change["purpose"] == "risk"]
    assert [change["revision"] for change in changes] == [0, 1]


@pytest.mark.parametrize(("behind_ms", "reasons"), [(GRACE_MS, []), (GRACE_MS + 1, ["late"])])
def test_late_is_more_than_the_grace_of_48_hours_before_the_record_s_own_timestamp(behind_ms: int, reasons: list[str]) -> None:
    log = Log()
    log.passes(NOON + 30 * DAY_MS)  # the partition's clock has nothing to do with it
    log.comes(answered("csat", 1, NOON - behind_ms), NOON)
    assert [letter["reason"] for letter in log.values("cs.dead-letters")] == reasons


def test_a_late_record_is_repairable_by_replay() -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON - 5 * DAY_MS), NOON, ("cspulse-replay", b"letter"))
    log.passes(NOON + HOUR_MS + 1)
    assert log.values("cs.dead-letters") == []
    assert log.figure("csat_7d_pct")["n"] == 1


def test_a_dead_letter_s_id_is_remembered_so_that_replaying_twice_changes_nothing() -> None:
    log = Log()
    mended, again = answered("csat", 1, NOON - 5 * DAY_MS), answered("csat", 1, NOON - 5 * DAY_MS)
    log.comes(mended, NOON, ("cspulse-replay", b"letter"))
    log.passes(NOON + 3 * DAY_MS)  # the ids of events are forgotten by now
    log.comes(again, NOON + 3 * DAY_MS, ("cspulse-replay", b"letter"))
    log.comes(answered("csat", 0, NOON - 5 * DAY_MS), NOON + 3 * DAY_MS, ("cspulse-replay", b"another letter"))
    log.passes(NOON + 3 * DAY_MS + HOUR_MS + 1)
    assert log.figure("csat_30d_pct")["n"] == 2


@pytest.mark.parametrize(("ahead_ms", "reasons"), [(SKEW_MS, []), (SKEW_MS + 1, ["future"])])
def test_future_is_more_than_the_skew_of_10_minutes_after_the_record_s_own_timestamp(ahead_ms: int, reasons: list[str]) -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON + ahead_ms), NOON, ("cspulse-replay", b"no header excuses it"))
    assert [letter["reason"] for letter in log.values("cs.dead-letters")] == reasons


def test_one_bad_clock_does_not_close_everybody_s_windows() -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON))
    log.comes(answered("csat", 1, NOON + 365 * DAY_MS), NOON + 1)
    log.passes(NOON + HOUR_MS + 2)
    assert log.figure("csat_7d_pct")["n"] == 1
    assert log.driven.driver.clock_ms == NOON + HOUR_MS + 2


def test_silence_produces_no_event_and_time_comes_in_as_data() -> None:
    log = Log()
    log.comes(answered("csat", 1, NOON))
    log.passes(NOON + 30 * DAY_MS + HOUR_MS)
    last = [change for change in log.values("cs.health-changes") if change["purpose"] == "risk"][-1]
    assert (last["cause"], last["caused_by"]) == ("time", [])
    assert log.figure("csat_7d_pct")["n"] == 0
