"""`cspulse sink delivery` on Apache Kafka, killed and restarted, with destinations that fail."""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from typer.testing import Result

from schemas.codec import Codec
from schemas.records import ChurnAlert, FleetAlert
from streams.catalogue import default_text
from streams.definitions_log import apply
from streams.topics import partition_of
from tests.support import command_line
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms, produce
from tests.support.ports import free_port
from tests.support.sinks.delivering import DAY_MS, HOUR_MS, SECRET, alert, crm, fleet_alert
from tests.support.sinks.receiver import Received, Receiver, Reply
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.worker import Worker, Workers

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

DELIVERY = (sys.executable, "-P", "-m", "streams", "sink", "delivery")
LIMIT_S = 120.0
CUSTOMERS = [f"c-{number:02}" for number in range(30)]
STATES = ("opened", "updated", "resolved")

CRM = crm(timeout_seconds=2)
TEAM = """
[[delivery.destinations]]
name = "team"
kind = "slack"
url_variable = "TEAM_URL"
timeout_seconds = 2

[[delivery.routes]]
destinations = ["team"]
least_severity = "high"
"""


class Stage:
    """A broker with definitions, alerts in its log, and receivers whose addresses are in the environment."""

    def __init__(self, apache: ApacheCluster, workers: Workers, crm: Receiver, team: Receiver) -> None:
        self.crm, self.team = crm, team
        self._apache = apache
        self._workers = workers
        self._codec = Codec()

    def define(self, sections: str) -> None:
        """Put definitions with these destinations in force."""
        config = {"bootstrap.servers": self._apache.bootstrap}
        apply(config, self._codec, f"{default_text()}\n{sections}", "test", now_ms())

    def define_by_registry(self) -> None:
        """Put a version into the log whose schema only a registry knows."""
        produce(self._apache, "cs.definitions", 0, [(b"1", b"\0\0\0\0\7version", now_ms())])

    def litter(self) -> None:
        """Put what nobody can read among the alerts of each partition."""
        for partition in range(PARTITIONS):
            produce(self._apache, "cs.churn-alerts", partition, [(b"x", b"not ours", now_ms())])

    def publish(self, *alerts: ChurnAlert | FleetAlert, published_ms: int | None = None) -> None:
        """Write alerts as a worker does."""
        for one in alerts:
            of_customer = isinstance(one, ChurnAlert)
            topic = "cs.churn-alerts" if of_customer else "cs.fleet-alerts"
            key = (one.customer_id if isinstance(one, ChurnAlert) else one.rule).encode()
            partition = partition_of(key, PARTITIONS) if of_customer else 0
            at_ms = published_ms or now_ms()
            produce(self._apache, topic, partition, [(key, self._codec.encode(topic, one), at_ms)])

    def start(self) -> Worker:
        """Start delivery."""
        # A process that was killed is soon taken for dead, so that the next need not wait for its partitions.
        sink = self._workers.start(command=DELIVERY, session_timeout_ms="3000", heartbeat_interval_ms="500")
        sink.wait_for_line("definitions version", LIMIT_S)
        return sink

    def begin(self, *destinations: str) -> Worker:
        """Start delivery for the first time: what comes from now on is no history."""
        sink = self.start()
        for name in destinations:
            sink.wait_for_line(rf"delivery-{name}: delivery begins at cs\.owner-lists\[0\]", LIMIT_S)
        return sink

    @staticmethod
    def wait_for_calls(receiver: Receiver, count: int) -> None:
        """Wait until somebody was called so often."""
        wait_until(lambda: len(receiver.calls) >= count, LIMIT_S, f"call {count}")

    def noted(self) -> list[dict[str, object]]:
        """The receipts in the log of deliveries, in their order."""
        records = [record.fields()["receipt"] for record in read_topic(self._apache.bootstrap, "cs.deliveries") if record.value]
        return [receipt for receipt in records if receipt is not None]

    def failures(self) -> list[dict[str, object]]:
        """What was given up."""
        return [record.fields() for record in read_topic(self._apache.bootstrap, "cs.delivery-failures")]

    def run(self, *arguments: str) -> Result:
        """A command on this cluster."""
        return command_line.run("--bootstrap-servers", self._apache.bootstrap, "--partitions", str(PARTITIONS), *arguments)


@pytest.fixture
def receiver() -> Iterator[Callable[[], Receiver]]:
    made: list[Receiver] = []

    def make() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def stage(
    apache: ApacheCluster, apache_workers: Workers, receiver: Callable[[], Receiver], monkeypatch: pytest.MonkeyPatch
) -> Stage:
    crm, team = receiver(), receiver()
    monkeypatch.setenv("CRM_URL", crm.url)
    monkeypatch.setenv("CRM_SECRET", SECRET)
    monkeypatch.setenv("TEAM_URL", team.url)
    return Stage(apache, apache_workers, crm, team)


def courses() -> list[ChurnAlert]:
    """An episode of each customer, from its opening to its end, as of now."""
    now = now_ms()
    return [
        alert(customer, number, state, as_of=now, opened_at=now, emitted_at=now, owner=customer)
        for number, state in enumerate(STATES, 1)
        for customer in CUSTOMERS
    ]


def states_told(calls: list[Received]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for call in calls:
        found.setdefault(call.json["subject"], []).append(call.json["data"]["state"])
    return found


def test_each_state_is_told_once_and_in_order_however_often_the_process_is_killed(stage: Stage) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    stage.define(CRM)
    stage.begin("crm").stop()
    stage.publish(*courses())
    stage.crm.script = lambda _call: Reply(delay_s=0.02)
    repeated: list[str] = []
    kills = 4

    for _ in range(kills):
        sink = stage.start()
        wanted = len(stage.crm.calls) + chance.randint(5, 10)
        stage.wait_for_calls(stage.crm, wanted)
        sink.kill()
        noted = {str(receipt["record_id"]) for receipt in stage.noted()}
        before = len(stage.crm.calls)
        sink = stage.start()
        stage.wait_for_calls(stage.crm, before + 1)
        sink.kill()
        repeated += [call.id for call in stage.crm.calls[before:] if call.id in noted]
    sink = stage.start()
    wait_until(lambda: len(stage.crm.taken()) == len(CUSTOMERS) * len(STATES), LIMIT_S, "all messages")
    assert sink.stop() == 0

    assert repeated == []
    calls = Counter(call.id for call in stage.crm.calls)
    assert sum(count - 1 for count in calls.values()) <= 2 * kills  # the one call under way at each kill
    assert states_told(stage.crm.taken()) == {customer: list(STATES) for customer in CUSTOMERS}
    for call in stage.crm.calls:
        Webhook(SECRET).verify(call.body, call.headers)
    assert stage.failures() == []


def test_a_destination_that_is_down_holds_up_no_other_and_gets_everything_later(stage: Stage) -> None:
    stage.define(CRM + TEAM)
    sink = stage.begin("crm", "team")

    with stage.team.down():
        stage.publish(*courses())
        wait_until(lambda: len(stage.crm.taken()) == len(CUSTOMERS) * len(STATES), LIMIT_S, "everything at the one that is up")
        sink.wait_for_line("delivery-team: no connection", LIMIT_S)
        assert stage.team.calls == []
    wait_until(lambda: len(stage.team.taken()) == len(CUSTOMERS) * len(STATES), LIMIT_S, "everything at the other")
    sink.stop()

    for customer in CUSTOMERS:
        titles = [call.json["text"] for call in stage.team.taken() if call.json["text"].endswith(f", {customer}")]
        assert titles == [f"High: health_red {state}, {customer}" for state in STATES]


def test_when_delivery_begins_only_what_is_young_and_still_open_is_told(stage: Stage) -> None:
    stage.define(CRM)
    now = now_ms()
    young: dict[str, Any] = {"as_of": now, "opened_at": now, "emitted_at": now}
    old: dict[str, Any] = {"as_of": now - 10 * DAY_MS, "opened_at": now - 10 * DAY_MS}
    stage.publish(alert("old", **old, emitted_at=now - 10 * DAY_MS), published_ms=now - 10 * DAY_MS)
    stage.publish(alert("over", **young), alert("over", 2, "resolved", **young), alert("open", **young))
    stage.publish(alert("rebuilt", **old, emitted_at=now))
    stage.publish(fleet_alert(**young))

    sink = stage.begin("crm")
    stage.publish(alert("new", **young), alert("old", 2, "resolved", **young))
    wait_until(lambda: len(stage.crm.taken()) >= 3, LIMIT_S, "what is to be told")
    stage.publish(alert("new", 2, "resolved", **young))
    wait_until(lambda: len(stage.crm.taken()) >= 4, LIMIT_S, "the end of the newest")
    sink.stop()

    assert states_told(stage.crm.calls) == {"open": ["opened"], "fleet": ["opened"], "new": ["opened", "resolved"]}


def test_new_definitions_are_taken_up_without_a_restart(stage: Stage) -> None:
    stage.define(CRM)
    sink = stage.start()
    stage.define(CRM + TEAM)
    sink.wait_for_line(r"definitions version 2: crm at 127\.0\.0\.1, team at 127\.0\.0\.1")
    stage.define(CRM + TEAM.replace("TEAM_URL", "OTHER_URL"))
    sink.wait_for_line("new definitions cannot be used here, those before stay in force: OTHER_URL: is not set")
    now = now_ms()
    stage.publish(alert("acme", as_of=now, opened_at=now, emitted_at=now))

    wait_until(lambda: stage.crm.taken() and stage.team.taken(), LIMIT_S, "both to be told")
    assert sink.stop() == 0


def test_what_is_refused_lies_on_a_topic_of_its_own_and_the_next_goes_on(stage: Stage) -> None:
    stage.define(CRM)
    stage.crm.script = lambda call: Reply(400, body=b"no such customer") if call.json["subject"] == "bad" else Reply()
    sink = stage.start()
    now = now_ms()
    stage.publish(*(alert(customer, as_of=now, opened_at=now, emitted_at=now) for customer in ("bad", "good")))
    wait_until(lambda: len(stage.crm.calls) == 2, LIMIT_S, "both calls")
    sink.wait_for_line(r"r-bad-1 is given up \(refused, HTTP 400\): it lies on cs\.delivery-failures")
    sink.stop()

    (failure,) = stage.failures()
    assert (failure["destination"], failure["message_id"], failure["reason"]) == ("crm", "r-bad-1", "refused")
    assert (failure["status"], failure["attempts"], failure["message"]) == (400, 1, "HTTP 400: no such customer")
    assert failure["body"] == next(call.body for call in stage.crm.calls if call.json["subject"] == "bad")
    assert stage.crm.url not in sink.said()


def test_a_dry_run_shows_what_would_be_sent_and_notes_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.define(CRM)
    now = now_ms()
    stage.publish(alert("acme", as_of=now, opened_at=now, emitted_at=now), published_ms=now - HOUR_MS)
    file = tmp_path / "other.toml"
    file.write_text(f"{default_text()}\n{TEAM}", encoding="utf-8")

    first, second = stage.run("sink", "delivery", "--dry-run"), stage.run("sink", "delivery", "--dry-run")
    other = stage.run("--definitions", str(file), "sink", "delivery", "--dry-run")

    assert first.exit_code == 0, first.output
    assert first.stdout.startswith('crm\t{"specversion":"1.0","id":"r-acme-1"')
    assert second.stdout == first.stdout
    assert other.stdout.startswith('team\t{"text":"High: health_red opened, acme"')
    assert "1 messages would be sent now" in first.stderr
    assert stage.crm.calls == stage.team.calls == []
    assert stage.noted() == []


def test_what_is_no_record_of_ours_among_the_alerts_holds_up_nobody(stage: Stage) -> None:
    stage.define(CRM)
    stage.litter()
    now = now_ms()
    stage.publish(alert("acme", as_of=now, opened_at=now, emitted_at=now))
    told = stage.run("sink", "delivery", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "1 messages would be sent now" in told.stderr


def test_variables_that_are_missing_are_told_at_once_and_nothing_starts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.define(CRM + TEAM)
    monkeypatch.delenv("CRM_URL")
    monkeypatch.setenv("CRM_SECRET", "geheim")

    monkeypatch.setenv("TEAM_URL", "team.example/token")
    ended = stage.run("sink", "delivery")

    assert ended.exit_code == 2
    assert 'CRM_URL: is not set (expected: what the definitions name for the destination "crm")' in ended.output
    assert "TEAM_URL: is no address" in ended.output
    assert "geheim" not in ended.output
    assert "token" not in ended.output


def test_a_registry_that_is_away_at_the_start_asks_to_be_started_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.define_by_registry()
    monkeypatch.setenv("CSPULSE_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{free_port()}")
    ended = stage.run("sink", "delivery")
    assert ended.exit_code == 75, ended.output
    assert "Traceback" not in ended.output
