"""The commands against the embedded broker: events in by `publish`, looked at by the others."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processors.definitions import DefinitionsError
from schemas.codec import Codec
from schemas.events import Tick
from schemas.records import CustomerSnapshot, HealthNow, MeasureChange, OpenAlert
from streams.catalogue import default_text
from streams.cluster import newest_record, reading_consumer
from streams.definitions_log import DefinitionsLogError, apply, read_versions
from streams.topics import partition_of
from tests.support.cluster import PARTITIONS, EmbeddedCluster, create_topics, now_ms, produce
from tests.support.command_line import LIMIT_S, run, start
from tests.support.maturities import assessment

pytestmark = pytest.mark.embedded

SNAPSHOTS = "cs.customer-snapshots"


@pytest.fixture
def broker(bare_embedded: EmbeddedCluster, app_id: str) -> EmbeddedCluster:
    create_topics(bare_embedded, app_id)
    return bare_embedded


@pytest.fixture
def given(broker: EmbeddedCluster, app_id: str) -> list[str]:
    """The options that point a command at the broker of the test."""
    return ["--bootstrap-servers", broker.bootstrap, "--app-id", app_id, "--partitions", str(PARTITIONS)]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    assert run("simulate", "--customers", "4", "--days", "20", "--out", str(path)).exit_code == 0
    return path


def config(broker: EmbeddedCluster) -> dict[str, str | int]:
    return {"bootstrap.servers": broker.bootstrap, "log_level": 0}


def test_what_is_published_is_shown_by_tail_as_it_stood_in_the_file(given: list[str], events: Path) -> None:
    wanted = sorted(line for line in events.read_text().splitlines() if '"topic":"cs.usage"' in line)

    published = run(*given, "publish", "--from", "jsonl", str(events))
    shown = run(*given, "tail", "usage", "--json", "--from-beginning", "--until-end")

    assert published.exit_code == 0, published.output
    assert shown.exit_code == 0, shown.output
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert all(line.pop("partition") == partition_of(line["key"].encode(), PARTITIONS) for line in lines)
    offsets = [line.pop("offset") for line in lines]
    assert sorted(lines, key=json.dumps) == sorted((json.loads(line) for line in wanted), key=json.dumps)
    assert len(offsets) > 10


def test_history_that_comes_after_a_workers_ticks_is_told_to_be_that(
    broker: EmbeddedCluster, given: list[str], events: Path
) -> None:
    before = run(*given, "publish", str(events))
    at_ms = now_ms()
    tick = Codec().encode("cs.ticks", Tick(occurred_at=at_ms, partition=0, config_version=0))
    produce(broker, "cs.ticks", 0, [(b"0", tick, at_ms)])
    after = run(*given, "publish", str(events))

    assert "judged as of now" not in before.stderr
    assert "judged as of now" in after.stderr
    assert after.exit_code == 0


def test_a_bad_line_is_named_by_its_number_and_the_rest_goes_on(given: list[str], events: Path) -> None:
    good = len(events.read_text().splitlines())
    events.write_text("no json\n" + events.read_text())

    told = run(*given, "publish", str(events))

    assert told.exit_code == 4
    assert "line 1: undecodable" in told.stderr
    assert f"{good} events published" in told.stderr


def test_events_of_long_ago_are_refused_and_can_be_shifted_to_now(given: list[str], tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    run("simulate", "--customers", "2", "--days", "5", "--end", "2020-01-01T00:00:00Z", "--out", str(old))

    refused = run(*given, "publish", str(old))
    shifted = run(*given, "publish", "--shift-to-now", str(old))

    assert refused.exit_code == 1
    assert "older_than_retention" in refused.stderr
    assert shifted.exit_code == 0, shifted.output


def test_tail_shows_one_customer_alone(given: list[str], events: Path) -> None:
    run(*given, "publish", str(events))
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    customer = next(line["key"] for line in lines if line["topic"] == "cs.usage")

    shown = run(*given, "tail", "cs.usage", "--from-beginning", "--until-end", "--customer", customer)

    wanted = sum(line["topic"] == "cs.usage" and line["key"] == customer for line in lines)
    assert len(shown.stdout.splitlines()) == wanted
    assert all(f"  {customer}  " in line for line in shown.stdout.splitlines())


def test_tail_says_of_an_unknown_topic_which_was_meant(given: list[str]) -> None:
    told = run(*given, "tail", "cs.tickts")

    assert told.exit_code == 3
    assert 'did you mean "cs.tickets"' in told.stderr


def test_tail_names_what_it_cannot_read_and_ends_with_4(broker: EmbeddedCluster, given: list[str]) -> None:
    produce(broker, "cs.tickets", 2, [(b"c-1", b"\xff\xff", now_ms())])

    told = run(*given, "tail", "cs.tickets", "--from-beginning", "--until-end")

    assert told.exit_code == 4
    assert "cs.tickets[2]@0: undecodable" in told.stderr


def test_tail_shows_new_records_as_they_come_until_it_is_interrupted(broker: EmbeddedCluster, given: list[str]) -> None:
    produce(broker, "cs.tickets", 0, [(b"c-1", b"{}", now_ms())])
    running = start(*given, "tail", "cs.tickets", "--from-beginning")
    assert running.stderr is not None

    first = running.stderr.readline()  # the record that cannot be read: so the command is following
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=LIMIT_S)

    assert b"missing_field" in first
    assert running.returncode == 130


def test_a_file_of_definitions_is_applied_once(broker: EmbeddedCluster, given: list[str], tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    path.write_text(default_text() + "# of this shop\n")

    first = run(*given, "definitions", "apply", str(path), "--author", "Hanh")
    second = run(*given, "definitions", "apply", str(path), "--author", "Minh")
    path.write_text(default_text())
    third = run(*given, "definitions", "apply", str(path), "--author", "Minh")

    assert [first.exit_code, second.exit_code, third.exit_code] == [0, 0, 0], first.output + second.output + third.output
    assert "version 1 is in the log" in first.stdout
    assert "nothing to do: version 1" in second.stdout
    assert "by Hanh" in second.stdout
    assert "version 2 is in the log" in third.stdout
    assert [(one.version, one.author) for one in read_versions(config(broker))] == [(1, "Hanh"), (2, "Minh")]
    shown = run(*given, "definitions", "show", "1")
    assert shown.stdout.endswith("# of this shop\n")
    assert run(*given, "definitions", "show", "3").exit_code == 3


def test_wrong_definitions_never_reach_the_log(broker: EmbeddedCluster) -> None:
    with pytest.raises(DefinitionsError):
        apply(config(broker), Codec(), "nonsense = 1\n", "Hanh", now_ms())

    assert read_versions(config(broker)) == []


def test_a_log_that_holds_something_else_than_versions_is_told(broker: EmbeddedCluster) -> None:
    produce(broker, "cs.definitions", 0, [(b"1", b"\xff", now_ms())])

    with pytest.raises(DefinitionsLogError, match="is no version"):
        read_versions(config(broker))


def test_topics_show_finds_all_of_them_and_names_what_is_missing(broker: EmbeddedCluster, given: list[str]) -> None:
    all_there = run(*given, "topics", "show")
    missing = run("--bootstrap-servers", broker.bootstrap, "--app-id", "other", "topics", "show")

    assert all_there.exit_code == 0, all_there.output
    assert missing.exit_code == 3
    assert "3 of 23 topics are missing" in missing.stderr


def test_topics_cannot_be_made_on_the_embedded_broker_and_it_says_how(broker: EmbeddedCluster) -> None:
    told = run("--bootstrap-servers", broker.bootstrap, "--app-id", "other", "topics", "apply")

    assert told.exit_code == 1
    assert "`cspulse broker`" in told.stdout


def test_doctor_finds_nothing_wrong_with_a_good_broker(given: list[str]) -> None:
    told = run(*given, "doctor", "--json")

    states = {one["check"]: one["state"] for one in json.loads(told.stdout)["checks"]}
    assert told.exit_code == 0, told.output
    assert {states[name] for name in ("topics", "partitions", "definitions in the log", "delivery")} == {"ok"}
    assert states["broker"] == states["ticks"] == "warning"  # embedded, and no worker has run


def test_doctor_finds_inputs_that_are_not_co_partitioned(bare_embedded: EmbeddedCluster, app_id: str) -> None:
    counts = [("cs.tickets", 2), ("cs.usage", 4), ("cs.surveys", 4), ("cs.accounts", 4), ("cs.ticks", 4)]
    for topic, partitions in counts:
        bare_embedded.broker.create_topic(topic, partitions)

    told = run("--bootstrap-servers", bare_embedded.bootstrap, "--app-id", app_id, "doctor", "--json")

    checks = {one["check"]: one for one in json.loads(told.stdout)["checks"]}
    assert told.exit_code == 1
    assert "not co-partitioned: cs.tickets has 2" in checks["partitions"]["found"]
    assert "18 missing" in checks["topics"]["found"]


def test_doctor_notices_that_this_clock_is_behind_a_workers(broker: EmbeddedCluster, given: list[str]) -> None:
    ahead_ms = now_ms() + 60_000
    produce(broker, "cs.ticks", 1, [(b"1", b"{}", ahead_ms)])

    told = run(*given, "doctor", "--json")

    clock = next(one for one in json.loads(told.stdout)["checks"] if one["check"] == "clock")
    assert (told.exit_code, clock["state"]) == (1, "wrong")


def snapshot(customer_id: str, sequence: int) -> CustomerSnapshot:
    measure = MeasureChange(
        measure="backlog",
        figure="open_tickets",
        old_figure=None,
        new_figure=4.0,
        old_value=None,
        new_value=35.0,
        old_weight=0.0,
        new_weight=10.0,
        old_contribution=0.0,
        new_contribution=35.0,
        delta=35.0,
    )
    return CustomerSnapshot(
        record_id=f"{customer_id}-{sequence}",
        customer_id=customer_id,
        sequence=sequence,
        as_of=now_ms(),
        emitted_at=None,
        caused_by=[],
        caused_by_count=0,
        config_version=0,
        stage="onboarded",
        stage_since=None,
        plan="business",
        mrr_cents=12_300,
        currency="EUR",
        seats=5,
        segment=None,
        renewal_at=None,
        owner="Hanh",
        last_seen_at=None,
        events_accepted=sequence,
        flags=[],
        health=[
            HealthNow(
                scorecard="standard",
                purpose="risk",
                score=35.0,
                displayed=35.0,
                band="red",
                measures_present=1,
                measures_total=1,
                measures=[measure],
            )
        ],
        figures=[],
        open_alerts=[
            OpenAlert(episode_id="e", rule="backlog", severity="high", opened_at=now_ms(), explanation="4 open", action="call")
        ],
    )


def write_snapshots(broker: EmbeddedCluster, customer_id: str, sequences: range) -> None:
    codec = Codec()
    partition = partition_of(customer_id.encode(), PARTITIONS)
    records = [(customer_id.encode(), codec.encode(SNAPSHOTS, snapshot(customer_id, one)), now_ms()) for one in sequences]
    produce(broker, SNAPSHOTS, partition, list(records))


def test_inspect_shows_the_newest_snapshot_and_what_the_score_is_made_of(broker: EmbeddedCluster, given: list[str]) -> None:
    write_snapshots(broker, "c-1", range(1, 4))

    shown = run(*given, "inspect", "c-1")
    as_json = json.loads(run(*given, "inspect", "c-1", "--json").stdout)

    assert shown.exit_code == 0, shown.output
    assert "123.00 EUR a month" in shown.stdout
    assert "35 of 100, red" in shown.stdout
    assert "alert backlog (high)" in shown.stdout
    assert as_json["value"]["sequence"] == 3


def test_inspect_of_a_customer_nobody_knows_ends_with_3_and_a_hint(given: list[str]) -> None:
    told = run(*given, "inspect", "nobody")

    assert told.exit_code == 3
    assert told.stdout == ""
    assert "nothing is known of customer 'nobody'" in told.stderr


def test_inspect_says_of_a_removed_customer_that_it_was_erased(broker: EmbeddedCluster, given: list[str]) -> None:
    write_snapshots(broker, "c-1", range(1, 2))
    produce(broker, SNAPSHOTS, partition_of(b"c-1", PARTITIONS), [(b"c-1", None, now_ms())])

    told = run(*given, "inspect", "c-1")

    assert told.exit_code == 3
    assert "was erased" in told.stderr


def test_maturity_shows_the_newest_assessment(broker: EmbeddedCluster, given: list[str]) -> None:
    codec = Codec()
    records = [(b"maturity", codec.encode("cs.maturity", assessment(sequence)), now_ms()) for sequence in (1, 2)]
    produce(broker, "cs.maturity", 0, list(records))

    shown = run(*given, "maturity")
    as_json = json.loads(run(*given, "maturity", "--json").stdout)

    assert shown.exit_code == 0, shown.output
    assert "satisfaction" in shown.stdout
    assert as_json["value"]["sequence"] == 2


def test_maturity_ends_with_3_when_nothing_was_assessed_yet(given: list[str]) -> None:
    told = run(*given, "maturity")

    assert told.exit_code == 3
    assert told.stdout == ""
    assert "nothing was assessed yet" in told.stderr


def test_the_newest_record_is_found_behind_thousands_of_others(broker: EmbeddedCluster) -> None:
    records: list[tuple[bytes | None, bytes | None, int]] = [(b"other", b"x", now_ms()) for _ in range(9_000)]
    records[17] = (b"wanted", b"old", now_ms())
    records[42] = (b"wanted", b"new", now_ms())
    produce(broker, "cs.dead-letters", 0, records)
    consumer = reading_consumer(config(broker))
    begun = time.monotonic()
    try:
        found = newest_record(consumer, "cs.dead-letters", 0, lambda message: message.key() == b"wanted")
        none = newest_record(consumer, "cs.dead-letters", 0, lambda message: message.key() == b"nobody")
    finally:
        consumer.close()

    assert found is not None
    assert found.value() == b"new"
    assert none is None
    assert time.monotonic() - begun < 20  # windows end at their last record, not at a time limit


@pytest.fixture
def broker_process() -> Iterator["subprocess.Popen[bytes]"]:
    running = start("--partitions", "2", "broker")
    yield running
    running.kill()
    running.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_broker_command_gives_its_address_first_and_ends_when_told(
    broker_process: "subprocess.Popen[bytes]", number: signal.Signals, code: int
) -> None:
    assert broker_process.stdout is not None
    address = broker_process.stdout.readline().decode().strip()

    shown = run("--bootstrap-servers", address, "--partitions", "2", "topics", "show")
    os.kill(broker_process.pid, number)

    assert shown.exit_code == 0, shown.output
    assert broker_process.wait(LIMIT_S) == code
