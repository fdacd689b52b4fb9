"""When a feed is quiet, and that nobody's silence is told of while it is."""

import pytest

from processors import customer
from processors.effects import Context
from processors.feeds import feed_of, quiet
from processors.fleet_file import FleetPlan
from processors.state import CustomerState
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import CustomerEvent
from schemas.records import FleetAlert, FleetPartial
from streams.catalogue import default_text
from streams.partials import PARTIALS_TOPIC
from tests.support.driven import Driven
from tests.support.happenings import NOON, account, ticket, usage

PLAN = FleetPlan(interval_ms=300_000, quiet_after_ms=24 * HOUR_MS, quiet_least_events=10, morning_hour=6)
BUSY = """
[fleet]
quiet_after_hours = 24
quiet_least_events = 6
"""


FLEET_RULE = """
[[fleet_rules]]
name = "source_quiet"
kind = "source_quiet"
action = "Look at the source."
"""


def ten_a_day(_feed: str, _day_ms: int) -> int:
    return 10


@pytest.mark.parametrize(("hours", "found"), [(23.99, {}), (24, {"usage": NOON}), (500, {"usage": NOON})])
def test_a_feed_is_quiet_when_its_hours_without_an_event_have_passed(hours: float, found: dict[str, int]) -> None:
    assert quiet({"usage": NOON}, NOON + int(hours * HOUR_MS), PLAN, ten_a_day) == found


def test_a_feed_that_never_had_an_event_is_not_quiet() -> None:
    assert quiet({}, NOON, PLAN, ten_a_day) == {}


@pytest.mark.parametrize(("in_the_week", "before_the_week", "is_quiet"), [(9, 0, False), (10, 0, True), (9, 100, False)])
def test_a_feed_is_quiet_only_if_it_brought_enough_in_the_week_before(
    in_the_week: int, before_the_week: int, is_quiet: bool
) -> None:
    first_day = NOON - NOON % DAY_MS - 6 * DAY_MS
    days = {first_day: in_the_week, first_day - DAY_MS: before_the_week}
    found = quiet({"surveys": NOON}, NOON + 3 * DAY_MS, PLAN, lambda _, day_ms: days.get(day_ms, 0))
    assert bool(found) == is_quiet


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

    def alerts(self) -> list[tuple[str, str]]:
        self.driven.take()
        values = [output["value"] for output in self.driven.plain_outputs() if output["topic"] == "cs.churn-alerts"]
        return [(value["customer_id"], value["state"]) for value in values if value["rule"] == "silence"]

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
    """Three uses each, in the hours before the time that is returned."""
    for hour in range(3):
        for place, customer_id in enumerate(customers):
            log.use(customer_id, NOON + hour * HOUR_MS + place)
    return NOON + 2 * HOUR_MS


def test_while_the_feed_is_quiet_for_everybody_nobody_s_silence_opens_an_alert() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for day in range(1, 30):
        log.tick(end_ms + day * DAY_MS)
    assert log.alerts() == []


def test_one_who_is_silent_while_others_are_heard_opens_an_alert() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for half_day in range(1, 40):
        log.use("binh", end_ms + half_day * DAY_MS // 2)
    log.tick(end_ms + 20 * DAY_MS)
    assert log.alerts() == [("ann", "opened")]


def test_a_few_events_of_a_small_partition_are_no_feed_that_could_go_quiet() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann")
    log.tick(end_ms + 20 * DAY_MS)
    assert log.alerts() == [("ann", "opened")]


def test_the_partition_shows_a_quiet_feed_once_and_takes_it_back_when_it_flows_again() -> None:
    log = Log()
    end_ms = used_for_a_while(log, "ann", "binh")
    for hours in (23, 24, 48, 72):
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
    driver = log.driven.fleet()
    found = [
        (record.state, record.severity, record.evidence[0].value)
        for output in driver.take().outputs
        if isinstance(record := log.driven.codec.decode(output.topic, output.value), FleetAlert)
    ]
    assert found == [("opened", "warning", 1.0), ("resolved", "warning", 0.0)]


def test_figures_of_the_fleet_that_a_tick_brings_are_known_until_another_brings_newer_ones_also_after_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: list[dict[str, float | None]] = []
    fold = customer.fold

    def noting(state: CustomerState, event: CustomerEvent, clock_ms: int, context: Context) -> object:
        known.append(dict(context.fleet))
        return fold(state, event, clock_ms, context)

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
