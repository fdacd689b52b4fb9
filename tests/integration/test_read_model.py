"""What the read model holds after which records, in memory and in a real Redis: by the same rules, key by key."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from schemas.records import CustomerSnapshot
from sinks.memory import MemorySink
from sinks.read_model import ReadModel, ReadModelSink
from sinks.redis_connection import RedisTarget
from sinks.redis_reader import RedisShelves
from sinks.redis_sink import RedisSink
from sinks.sink import Batch, Moved, Place, SinkRecord
from sinks.stored_model import StoredReadModel
from tests.support.read_model_log import lines
from tests.support.read_model_records import (
    MINUTE_MS,
    START_MS,
    assessment,
    fleet_alert,
    fleet_figure,
    open_alert,
    owner_list,
    snapshot,
    touchpoint_map,
)
from tests.support.redis_server import RedisServer
from tests.support.sinks.batches import batches_of
from tests.support.typed_records import examples

SNAPSHOTS: Final = "cs.customer-snapshots"


class Model:
    """A model under test: what is written lies behind what was written before, all in partition 0 of its topic."""

    def __init__(self, sink: ReadModelSink, read: ReadModel) -> None:
        self.sink = sink
        self.read = read
        self.log: dict[str, list[SinkRecord]] = {}

    def write(self, *records: Any, topic: str = SNAPSHOTS) -> None:
        """Write records of a topic; (customer, time) is a tombstone."""
        before = self.end(topic)
        for record in records:
            self._append(topic, record)
        self.give(topic, before, self.log[topic][before:])

    def give(self, topic: str, start: int, records: Sequence[SinkRecord]) -> None:
        """Give records that begin at a position."""
        self.sink.write([Batch(Place(topic, 0), start, records[-1].offset + 1, records)])

    def read_again(self) -> None:
        """Give everything from where the destination says that it stands, as whoever runs a sink does."""
        places = [Place(topic, 0) for topic in self.log]
        for place, position in self.sink.assigned(places).items():
            if position < self.end(place.topic):
                self.give(place.topic, position, self.log[place.topic][position:])
        if any(position < self.end(place.topic) for place, position in self.sink.assigned(places).items()):
            self.read_again()

    def rebuild(self) -> None:
        """From the log as it is now."""
        self.sink.begin_rebuild({Place(topic, 0): self.end(topic) for topic in self.log})
        self.read_again()

    def end(self, topic: str) -> int:
        """The next offset of the log."""
        return len(self.log.get(topic, []))

    def _append(self, topic: str, record: Any) -> None:
        key, value, at = (record[0], None, record[1]) if isinstance(record, tuple) else (_key(record), record, record.as_of)
        log = self.log.setdefault(topic, [])
        log.append(SinkRecord(topic=topic, partition=0, offset=len(log), timestamp_ms=at, key=key.encode(), value=value))


def _key(record: Any) -> str:
    return next(
        str(getattr(record, name)) for name in ("customer_id", "rule", "owner", "figure", "record_id") if hasattr(record, name)
    )


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def model(request: pytest.FixtureRequest) -> Iterator[Model]:
    if request.param == "memory":
        kept = MemorySink()
        yield Model(kept, kept.read_model())
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    server.empty()
    target = RedisTarget(host="127.0.0.1", port=server.port)
    sink, shelves = RedisSink(target), RedisShelves(target)
    sink.assigned([])
    yield Model(sink, StoredReadModel(shelves))
    sink.close()
    shelves.close()


def at(minutes: int) -> int:
    return START_MS + minutes * MINUTE_MS


def names(standings: Sequence[Any]) -> list[str]:
    return [one.customer_id for one in standings]


@pytest.mark.parametrize("place", [0, 1])
def test_the_sections_of_a_customer_put_together_again_are_the_snapshot(model: Model, place: int) -> None:
    whole = examples(SNAPSHOTS)[place]
    assert isinstance(whole, CustomerSnapshot)

    model.write(whole)

    assert model.read.customer(whole.customer_id) == whole
    assert model.read.health(whole.customer_id) == whole.health
    assert model.read.open_alerts(whole.customer_id) == whole.open_alerts
    assert model.read.timeline(whole.customer_id) == whole.timeline


def test_nothing_is_known_of_who_was_never_heard_of(model: Model) -> None:
    read = model.read
    single: list[object] = [read.customer("nobody"), read.standing("nobody"), read.health("nobody"), read.timeline("nobody")]
    single += [read.touchpoint_map(), read.maturity(), read.owner_list("nobody"), read.fleet_figure("nothing")]
    several: list[object] = [read.at_risk(), read.fleet_figures(), read.fleet_alerts(), read.owners(), read.currencies_at_risk()]

    assert single == [None] * 8
    assert several == [[]] * 5


def test_a_customer_stands_in_one_line_as_its_risk_score_and_loud_alerts_say(model: Model) -> None:
    alerts = [open_alert("silent", severity="warning"), open_alert("backlog", severity="high"), open_alert("x", muted=True)]
    model.write(snapshot("acme", 1, 35.25, open_alerts=alerts, quadrant="churner"))

    found = model.read.standing("acme")

    assert found is not None
    assert (found.score, found.band, found.scorecard) == (35.25, "red", "standard")
    assert (found.open_alerts, found.severity) == (2, "high")
    assert (found.quadrant, found.mrr_cents, found.currency, found.owner) == ("churner", 10_001, "EUR", "Hanh")


def test_those_at_risk_are_ranked_by_score_and_by_revenue_of_one_currency(model: Model) -> None:
    model.write(
        snapshot("red", 1, 20.0, mrr_cents=5),
        snapshot("yellow", 2, 60.0, mrr_cents=500),
        snapshot("green", 3, 90.0, mrr_cents=9_000),
        snapshot("green with an alert", 4, 80.0, mrr_cents=50, open_alerts=[open_alert("silent")]),
        snapshot("green with a muted alert", 5, 80.0, open_alerts=[open_alert("silent", muted=True)]),
        snapshot("alert without a score", 6, None, open_alerts=[open_alert("silent")], mrr_cents=None),
        snapshot("gone", 7, 10.0, stage="cancelled"),
        snapshot("lead", 8, 10.0, stage="lead"),
        snapshot("in dollars", 9, 30.0, mrr_cents=10**9, currency="USD"),
    )

    assert names(model.read.at_risk()) == ["red", "in dollars", "yellow", "green with an alert", "alert without a score"]
    assert names(model.read.at_risk(limit=2, skip=1)) == ["in dollars", "yellow"]
    assert names(model.read.at_risk_by_revenue("EUR")) == ["yellow", "green with an alert", "red"]
    assert names(model.read.at_risk_by_revenue("USD")) == ["in dollars"]
    assert model.read.currencies_at_risk() == ["EUR", "USD"]
    assert model.read.customers() == 9


def test_who_is_at_risk_no_more_leaves_every_ranking(model: Model) -> None:
    model.write(snapshot("acme", 1, 20.0), snapshot("acme", 2, 95.0))
    assert not model.read.at_risk()
    assert not model.read.at_risk_by_revenue("EUR")
    assert not model.read.currencies_at_risk()


def test_who_pays_in_another_currency_now_leaves_the_ranking_of_the_old_one(model: Model) -> None:
    model.write(snapshot("acme", 1, 20.0), snapshot("acme", 2, 20.0, currency="USD"))
    assert model.read.at_risk_by_revenue("EUR") == []
    assert names(model.read.at_risk_by_revenue("USD")) == ["acme"]
    assert model.read.currencies_at_risk() == ["USD"]


def test_a_rebuild_under_a_new_application_id_changes_nothing_until_it_has_come_as_far(model: Model) -> None:
    model.write(snapshot("acme", 100, 50.0))
    for number in (1, 2, 3):  # the history again, under its own numbers
        model.write(snapshot("acme", number, 90.0, as_of=at(10 * number)))
        found = model.read.standing("acme")
        assert found is not None
        assert found.score == 50.0

    model.write(snapshot("acme", 4, 70.0, as_of=at(100)))

    found = model.read.standing("acme")
    assert found is not None
    assert found.score == 70.0


def test_an_erased_customer_vanishes_everywhere(model: Model) -> None:
    model.write(snapshot("acme", 1, 20.0), snapshot("other", 1, 30.0))
    model.write(owner_list("Hanh", ["acme", "other", "acme"], at(1)), topic="cs.owner-lists")
    model.write(owner_list("Hanh", ["acme"], at(1), "digest"), topic="cs.owner-lists")

    model.write(("acme", at(2)))

    assert model.read.customer("acme") is None
    assert model.read.standing("acme") is None
    assert names(model.read.at_risk()) == names(model.read.at_risk_by_revenue("EUR")) == ["other"]
    morning, digest = model.read.owner_list("Hanh"), model.read.owner_list("Hanh", "digest")
    assert morning is not None
    assert [entry.customer_id for entry in morning.entries] == ["other"]
    assert digest is not None
    assert digest.entries == []
    assert model.read.customers() == 1


def test_what_speaks_of_the_time_before_an_erasure_brings_nobody_back(model: Model) -> None:
    model.write(snapshot("acme", 1, 20.0), ("acme", at(50)))

    model.write(snapshot("acme", 1, 20.0, as_of=at(49)))
    model.write(owner_list("Hanh", ["acme", "other"], at(50)), topic="cs.owner-lists")

    assert model.read.customer("acme") is None
    listed = model.read.owner_list("Hanh")
    assert listed is not None
    assert [entry.customer_id for entry in listed.entries] == ["other"]


def test_an_erased_customer_who_comes_back_is_known_again(model: Model) -> None:
    model.write(snapshot("acme", 1, 20.0), ("acme", at(50)), snapshot("acme", 2, 80.0, as_of=at(50)))
    found = model.read.standing("acme")
    assert found is not None
    assert found.score == 80.0


def test_reports_of_the_fleet_are_the_newest_of_each(model: Model) -> None:
    model.write(
        fleet_figure("csat", 1.0, at(1), "sales", 30),
        fleet_figure("csat", 2.0, at(2), "sales", 30),
        fleet_figure("csat", 3.0, at(1), "sales", 90),
        fleet_figure("csat", 0.0, at(1), "sales", 30),
        topic="cs.fleet-snapshots",
    )
    model.write(touchpoint_map(at(2)), touchpoint_map(at(1)), topic="cs.touchpoint-maps")
    model.write(assessment(at(3)), topic="cs.maturity")
    model.write(
        fleet_alert("churners", "opened", at(1)),
        fleet_alert("wildcards", "opened", at(1)),
        fleet_alert("wildcards", "resolved", at(2)),
        topic="cs.fleet-alerts",
    )

    assert [(one.window_days, one.value) for one in model.read.fleet_figures()] == [(30, 2.0), (90, 3.0)]
    figure = model.read.fleet_figure("csat", "sales", 90)
    assert figure is not None
    assert figure.value == 3.0
    found_map, maturity = model.read.touchpoint_map(), model.read.maturity()
    assert found_map is not None
    assert maturity is not None
    assert (found_map.as_of, maturity.as_of) == (at(2), at(3))
    assert [one.rule for one in model.read.fleet_alerts()] == ["churners"]


def test_an_owners_list_replaces_the_one_before_with_all_its_entries(model: Model) -> None:
    model.write(owner_list("", ["a", "b", "c"], at(1)), owner_list("", ["d"], at(2)), topic="cs.owner-lists")
    listed = model.read.owner_list("")
    assert listed is not None
    assert [entry.customer_id for entry in listed.entries] == ["d"]
    assert model.read.owners() == [""]


def test_a_rebuild_removes_what_the_topics_do_not_hold(model: Model) -> None:
    model.write(snapshot("stays", 1, 20.0), snapshot("goes", 1, 10.0, currency="USD"))
    model.write(fleet_figure("stays", 1.0, at(1)), fleet_figure("goes", 1.0, at(1)), topic="cs.fleet-snapshots")
    model.write(touchpoint_map(at(1)), topic="cs.touchpoint-maps")
    model.write(owner_list("stays", ["stays", "goes"], at(1)), owner_list("goes", ["stays"], at(1)), topic="cs.owner-lists")
    _compact(model)

    model.rebuild()

    assert names(model.read.at_risk()) == ["stays"]
    assert model.read.currencies_at_risk() == ["EUR"]
    assert [one.figure for one in model.read.fleet_figures()] == ["stays"]
    assert model.read.touchpoint_map() is None
    assert model.read.owners() == ["stays"]
    listed = model.read.owner_list("stays")
    assert listed is not None
    assert [entry.customer_id for entry in listed.entries] == ["stays"]


def _compact(model: Model) -> None:
    """What the topics still hold: all of `goes` is gone, and so are its tombstones."""
    for topic, log in model.log.items():
        model.log[topic] = [record for record in log if record.key != b"goes" and topic != "cs.touchpoint-maps"]
        for place, record in enumerate(model.log[topic]):
            model.log[topic][place] = SinkRecord(
                topic=topic, partition=0, offset=place, timestamp_ms=record.timestamp_ms, key=record.key, value=record.value
            )
    model.log = {topic: log for topic, log in model.log.items() if log}


def test_during_a_rebuild_nothing_is_replaced_by_something_older(model: Model) -> None:
    model.write(*(snapshot("acme", number, float(number)) for number in range(1, 20)))
    model.sink.begin_rebuild({Place(SNAPSHOTS, 0): 19})

    for number in range(19):
        model.give(SNAPSHOTS, number, model.log[SNAPSHOTS][number : number + 1])
        found = model.read.standing("acme")
        assert found is not None
        assert found.score == 19.0


def test_a_rebuild_from_topics_that_hold_something_older_comes_to_what_they_hold(model: Model) -> None:
    model.write(snapshot("acme", 50, 10.0), snapshot("other", 1, 20.0))
    model.log[SNAPSHOTS].clear()
    model.log[SNAPSHOTS] += [
        SinkRecord(topic=SNAPSHOTS, partition=0, offset=0, timestamp_ms=at(3), key=b"acme", value=snapshot("acme", 3, 30.0))
    ]

    model.rebuild()

    found = model.read.standing("acme")
    assert found is not None
    assert found.score == 30.0
    assert model.read.customers() == 1


def test_whoever_wrote_when_a_rebuild_began_is_told_to_begin_anew(model: Model) -> None:
    model.write(snapshot("acme", 1))
    model.sink.begin_rebuild({Place(SNAPSHOTS, 0): 1})

    with pytest.raises(Moved) as raised:
        model.write(snapshot("acme", 2))

    assert raised.value.positions == {Place(SNAPSHOTS, 0): 0}


def test_an_order_of_batches_that_a_partition_never_has_is_refused(model: Model) -> None:
    model.write(snapshot("acme", 1))
    with pytest.raises(Moved):
        model.give(SNAPSHOTS, 7, model.log[SNAPSHOTS])


@pytest.mark.redis
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_twin_in_memory_holds_what_redis_holds(redis_server: RedisServer, seed: int) -> None:
    redis_server.empty()
    target = RedisTarget(host="127.0.0.1", port=redis_server.port)
    memory, sink, shelves = MemorySink(), RedisSink(target), RedisShelves(target)
    log = batches_of(list(lines(3_000, 120, seed)), seed)

    for one in (memory, sink):
        one.assigned([batch.place for batch in log])
        for batch in log:
            one.write([batch])

    assert _everything(memory.read_model(), memory.customers) == _everything(StoredReadModel(shelves), memory.customers)
    assert memory.assigned([batch.place for batch in log]) == sink.assigned([batch.place for batch in log])
    sink.close()
    shelves.close()


def _everything(model: ReadModel, customers: Any) -> dict[str, Any]:
    return {
        "customers": {name: model.customer(name) for name in customers},
        "standings": {name: model.standing(name) for name in customers},
        "count": model.customers(),
        "at risk": model.at_risk(1_000),
        "by revenue": {currency: model.at_risk_by_revenue(currency, 1_000) for currency in model.currencies_at_risk()},
        "figures": model.fleet_figures(),
        "alerts": model.fleet_alerts(),
        "map": model.touchpoint_map(),
        "maturity": model.maturity(),
        "lists": {
            (owner, kind): model.owner_list(owner, kind) for owner in model.owners() for kind in ("morning_list", "digest")
        },
    }
