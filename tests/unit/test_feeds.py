"""When a feed is quiet, and that nobody's silence is told of while it is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from processors import customer
from processors.feeds import CountOfDay, feed_of, quiet
from processors.fleet_file import FleetPlan
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import FleetAlert, FleetPartial, FleetSnapshot
from streams.catalogue import default_text
from streams.partials import PARTIALS_TOPIC
from tests.support.driven import Driven
from tests.support.happenings import NOON, account, ticket, usage

PLAN = FleetPlan(interval_ms=300_000, quiet_after_ms=24 * HOUR_MS, quiet_expected_events=20, morning_hour=6)
BUSY = """
[fleet]
quiet_after_hours = 24
quiet_expected_events = 6
"""


FLEET_RULE = """
[[fleet_rules]]
name = "source_quiet"
kind = "source_quiet"
action = "Look at the source."
"""


MIDNIGHT = NOON - NOON % DAY_MS
"""The beginning of a Monday."""

A_DAY: Mapping[str, Sequence[int]] = {
    "large": [700, 700, 700, 700, 700, 700, 700],
    "small": [40, 40, 40, 40, 40, 40, 40],
    "tiny": [1, 0, 1, 0, 1, 0, 0],
    "working days": [900, 900, 900, 900, 900, 3, 1],
    "small working days": [30, 30, 30, 30, 30, 0, 0],
}
"""Events of a feed by weekday, Monday first."""


def rate(name: str) -> CountOfDay:
    return lambda _feed, day_ms: A_DAY[name][(day_ms // DAY_MS + 3) % 7]  # the 1st of January 1970 was a Thursday


def is_quiet(name: str, ended_day: float, at_day: float) -> bool:
    """Whether the feed is quiet at a time, after it ended; both in days from the beginning of a Monday."""
    monday = MIDNIGHT
    ended_ms = monday + int(ended_day * DAY_MS)
    return bool(quiet({"usage": ended_ms}, monday + int(at_day * DAY_MS), PLAN, rate(name)))


def test_the_time_of_these_tests_is_a_monday() -> None:
    assert datetime.fromtimestamp(MIDNIGHT / 1000, UTC).strftime("%A %H:%M") == "Monday 00:00"


@pytest.mark.parametrize(
    ("name", "from_day"), [("large", 2), ("small", 2), ("working days", 2), ("small working days", 2), ("tiny", 47)]
)
def test_a_feed_is_quiet_when_twenty_events_should_have_come_on_whole_days_by_its_own_rate(name: str, from_day: int) -> None:
    assert not is_quiet(name, 0.4, from_day - 0.001)
    assert is_quiet(name, 0.4, from_day)
    assert is_quiet(name, 0.4, from_day + 100.3)


@pytest.mark.parametrize("name", ["working days", "small working days"])
def test_the_week_end_of_a_business_that_rests_then_is_not_quiet(name: str) -> None:
    friday_evening, monday_morning = 4.75, 7.35
    assert not is_quiet(name, friday_evening, monday_morning)
    assert not is_quiet(name, friday_evening, 7.999)
    assert is_quiet(name, friday_evening, 8)


def test_a_feed_that_brings_as_much_at_the_week_end_is_quiet_then_as_well() -> None:
    assert is_quiet("small", 4.75, 6)


def test_the_day_on_which_it_ended_stands_for_no_weekday_because_it_is_not_whole() -> None:
    monday = MIDNIGHT
    days = {monday - 7 * DAY_MS: 100, monday: 3}
    count: CountOfDay = lambda _, day_ms: days.get(day_ms, 0)  # noqa: E731 - short as it is
    assert quiet({"usage": NOON}, monday + 8 * DAY_MS - 1, PLAN, count) == {}
    assert quiet({"usage": NOON}, monday + 8 * DAY_MS, PLAN, count) == {"usage": NOON}


@pytest.mark.parametrize(("hours", "found"), [(35.99, {}), (36, {"usage": NOON}), (500, {"usage": NOON})])
def test_a_feed_is_quiet_when_its_first_whole_day_without_an_event_has_passed(hours: float, found: dict[str, int]) -> None:
    assert quiet({"usage": NOON}, NOON + int(hours * HOUR_MS), PLAN, rate("large")) == found


def test_no_feed_is_quiet_before_its_hours_have_passed() -> None:
    plan = FleetPlan(interval_ms=300_000, quiet_after_ms=72 * HOUR_MS, quiet_expected_events=20, morning_hour=6)
    assert quiet({"usage": NOON}, NOON + 72 * HOUR_MS - 1, plan, rate("large")) == {}
    assert quiet({"usage": NOON}, NOON + 72 * HOUR_MS, plan, rate("large")) == {"usage": NOON}


def test_a_feed_that_never_had_an_event_is_not_quiet() -> None:
    assert quiet({}, NOON, PLAN, rate("large")) == {}


def test_only_signs_of_life_are_feeds() -> None:
    assert feed_of(usage("feature_used", NOON)) == "usage"
    assert feed_of(ticket("opened", NOON)) == "tickets"
    assert feed_of(account("known", NOON)) is None


class Log:
    """Feeds a driver records in their order."""

    def __init__(self, more: str = "") -> None:
        text = default_text()
        start, rest = text.index("[fleet]"), text.index("# Features need no list")
        self.driven = Driven(text[:start] + BUSY + more + text[rest:])
        self._offsets: dict[str, int] = {}

    def put(self, topic: str, at_ms: int, **value: object) -> None:
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        self.driven.feed({"topic": topic, "offset": offset, "timestamp_ms": at_ms, "value": value})

    def use(self, customer_id: str, at_ms: int) -> None:
        event_id = f"{customer_id}{at_ms}"
        self.put("cs.usage", at_ms, event_id=event_id, customer_id=customer_id, occurred_at=at_ms, kind="session")

    def tick(self, at_ms: int, *fleet: dict[str, object]) -> None:
        self.put("cs.ticks", at_ms, occurred_at=at_ms, partition=0, config_version=1, fleet=list(fleet))

    def answer(self, customer_id: str, at_ms: int) -> None:
        event_id, said = f"{customer_id}a{at_ms}", {"survey": "csat", "scale": "good_bad", "score": 1}
        self.put("cs.surveys", at_ms, event_id=event_id, customer_id=customer_id, occurred_at=at_ms, kind="answered", **said)

    def records(self) -> list[dict[str, Any]]:
        """The alerts in their order."""
        self.driven.take()
        return [output["value"] for output in self.driven.plain_outputs() if output["topic"] == "cs.churn-alerts"]

    def judged(self, rule: str) -> list[dict[str, Any]]:
        return [value for value in self.records() if value["rule"] == rule]

    def alerts(self) -> list[tuple[str, str]]:
        return [(value["customer_id"], value["state"]) for value in self.judged("silence")]

    def quiet_partials(self) -> list[list[int] | None]:
        self.driven.take()
        found: list[list[int] | None] = []
        for output in self.driven.outputs:
            if output.topic == PARTIALS_TOPIC and output.key is not None and output.key.startswith(b"quiet_feeds|usage|"):
                value = None if output.value is None else self.driven.codec.decode(PARTIALS_TOPIC, output.value)
                assert value is None or isinstance(value, FleetPartial)
                found.append(None if value is None else value.counts)
        return found


def used_for_a_while(log: Log, *customers: str) -> int:
    """Three uses each on every day of a week, in the hours before the time that is returned."""
    for day in range(7):
        for hour in range(3):
            for place, customer_id in enumerate(customers):
                log.use(customer_id, NOON + day * DAY_MS + hour * HOUR_MS + place)
    return NOON + 6 * DAY_MS + 2 * HOUR_MS


def test_while_the_feed_is_quiet_for_everybody_nobody_s_silence_opens_an_alert() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for day in range(1, 30):
        log.tick(end_ms + day * DAY_MS)
    assert log.alerts() == []


def test_when_the_feed_comes_back_silence_is_counted_from_there() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh", "cleo")
    for day in range(1, 30):
        log.tick(end_ms + day * DAY_MS)
    back_ms = end_ms + 30 * DAY_MS
    log.driven.restart()
    for day in range(14):
        log.use("binh", back_ms + day * DAY_MS)
        log.driven.restart()
    log.tick(back_ms + 14 * DAY_MS - 1)
    assert log.alerts() == []
    log.use("binh", back_ms + 14 * DAY_MS)
    log.tick(back_ms + 15 * DAY_MS)
    assert sorted(log.alerts()) == [("ann", "opened"), ("cleo", "opened")]
    assert {alert["as_of"] for alert in log.judged("silence")} == {back_ms + 14 * DAY_MS}


@pytest.mark.parametrize("customers", [2, 40])
def test_when_a_feed_ends_time_alone_opens_nothing_for_anybody_however_small_the_partition(customers: int) -> None:
    log = Log()
    end_ms = used_for_a_while(log, *(f"c{number}" for number in range(customers)))
    before = len(log.records())
    for day in range(1, 60):
        log.tick(end_ms + day * DAY_MS)
    assert [record["rule"] for record in log.records()[before:] if record["state"] == "opened"] == []


def test_a_feed_of_answers_that_ends_suspends_no_silence() -> None:
    log = Log()
    for day in range(14):
        for number in range(10):
            log.answer(f"c{number}", NOON + day * DAY_MS + number)
        log.use("ann", NOON + day * DAY_MS)
    for half_day in range(1, 60):
        log.use("binh", NOON + 13 * DAY_MS + half_day * DAY_MS // 2)
    assert ("ann", "opened") in log.alerts()


def test_one_who_is_silent_while_others_are_heard_opens_an_alert() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for half_day in range(1, 40):
        log.use("binh", end_ms + half_day * DAY_MS // 2)
    log.tick(end_ms + 20 * DAY_MS)
    assert log.alerts() == [("ann", "opened")]


def test_a_few_events_of_a_small_partition_are_no_feed_that_could_go_quiet() -> None:
    log = Log()
    for hour in range(3):
        log.use("ann", NOON + hour * HOUR_MS)
    end_ms = NOON + 2 * HOUR_MS
    log.tick(end_ms + 20 * DAY_MS)
    assert log.alerts() == [("ann", "opened")]


def test_the_partition_shows_a_quiet_feed_once_and_takes_it_back_when_it_flows_again() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for hours in (23, 24, 33, 48, 72):
        log.tick(end_ms + hours * HOUR_MS + 10)
    log.driven.restart()
    log.tick(end_ms + 80 * HOUR_MS)
    log.use("ann", end_ms + 81 * HOUR_MS)
    log.tick(end_ms + 82 * HOUR_MS)
    assert log.quiet_partials() == [[end_ms + 1], None]


def test_the_fleet_tells_of_a_quiet_feed_by_one_alert_and_of_its_end() -> None:
    log = Log(FLEET_RULE)
    end_ms = used_for_a_while(log, "ann", "binh")
    for day in range(1, 20):
        log.tick(end_ms + day * DAY_MS)
    log.use("ann", end_ms + 20 * DAY_MS)
    log.tick(end_ms + 20 * DAY_MS + 1)
    log.tick(end_ms + 21 * DAY_MS - 1)
    log.driven.take()
    published = [log.driven.codec.decode(output.topic, output.value) for output in log.driven.fleet().take().outputs]
    found = [(record.state, record.severity, record.evidence[0].value) for record in published if isinstance(record, FleetAlert)]
    assert found == [("opened", "warning", 1.0), ("resolved", "warning", 0.0)]
    values = [record for record in published if isinstance(record, FleetSnapshot) and record.figure == "quiet_partitions"]
    assert [record.value for record in values if record.dimension == "usage"] == [0, 1, 0]
    assert {record.value for record in values if record.dimension != "usage"} == {0}


def test_figures_of_the_fleet_that_a_tick_brings_are_known_until_another_brings_newer_ones_also_after_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: list[dict[str, float | None]] = []
    fold = customer.fold

    def noting(*given: Any) -> object:
        known.append(dict(given[3].fleet))
        return fold(*given)

    monkeypatch.setattr(customer, "fold", noting)
    log = Log()
    log.tick(NOON, {"name": "churner_share", "value": 0.02, "as_of": NOON})
    log.driven.restart()
    log.use("ann", NOON + 1)
    log.tick(NOON + 2)
    log.use("ann", NOON + 3)
    log.tick(NOON + 4, {"name": "churner_share", "value": None, "as_of": NOON})
    log.use("ann", NOON + 5)
    assert known == [{"churner_share": 0.02}, {"churner_share": 0.02}, {"churner_share": None}]
