"""`cspulse dlq`: dead letters are listed, shown and replayed, and a second replay changes nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from streams.topics import partition_of
from tests.support.bad_input import CUSTOMER as CUSTOMER_ID
from tests.support.bad_input import HOUR_MS, Offered, corpus, ticket
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.command_line import run
from tests.support.publishing import wait_until_folded
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(180)

CUSTOMER = CUSTOMER_ID.encode()
HOME = partition_of(CUSTOMER, PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS
CHOSEN = (
    *("noise", "a schema that nobody knows", "more than may be read", "no value", "a kind of another type", "no kind"),
    *("a kind that is none", "a score off its scale", "another customer's key", "no key", "another partition"),
    *("49 hours late", "an hour ahead"),
)


def chosen(at_ms: int) -> list[Offered]:
    """Some of the corpus, one for each reason."""
    return [one for one in corpus(at_ms, PARTITIONS) if one.name in CHOSEN]


class Desk:
    """A cluster with its worker, and the commands that somebody types there."""

    def __init__(self, cluster: Cluster, workers: Workers) -> None:
        self._cluster = cluster
        self._workers = workers

    def fold(self) -> None:
        """Let a worker fold all that is there, and end."""
        worker = self._workers.start(tick_interval_ms="0")
        wait_until_folded(self._cluster, self._workers.app_id)
        assert worker.stop() == 0

    def dlq(self, *words: str) -> Result:
        return self._run("dlq", *words)

    def _run(self, *words: str) -> Result:
        shared = ["--bootstrap-servers", self._cluster.bootstrap, "--app-id", self._workers.app_id]
        return run(*shared, "--partitions", str(PARTITIONS), *words)

    def letters(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in self.dlq("list", "--json").stdout.splitlines()]

    def counted(self) -> int:
        """How many events of the customer count, by its changelog."""
        topic = f"{self._workers.app_id}-customers-changelog"
        told = self._run("tail", topic, "--json", "--from-beginning", "--until-end")
        states = [json.loads(line)["value"] for line in told.stdout.splitlines()]
        return max((state["events_accepted"] for state in states if state["customer_id"] == "customer-1"), default=0)


def test_what_is_wrong_only_around_the_event_is_replayed_and_counts_once_however_often(
    cluster: Cluster, workers: Workers, tmp_path: Path
) -> None:
    at_ms, desk = now_ms(), Desk(cluster, workers)
    produce(cluster, "cs.tickets", HOME, [(b"customer-2", ticket(at_ms, "keyed-wrong"), at_ms)])
    produce(cluster, "cs.tickets", ELSEWHERE, [(CUSTOMER, ticket(at_ms, "misrouted"), at_ms)])
    produce(cluster, "cs.tickets", HOME, [(CUSTOMER, ticket(at_ms - 72 * HOUR_MS, "late"), at_ms)])
    produce(cluster, "cs.tickets", HOME, [(CUSTOMER, b'{"customer_id": "customer-1"', at_ms)])
    desk.fold()
    letters = {letter["reason"]: letter for letter in desk.letters()}
    assert sorted(letters) == ["key_mismatch", "late", "misrouted", "undecodable"]
    assert desk.counted() == 0

    tried = desk.dlq("replay", "--all", "--dry-run")
    first = desk.dlq("replay", "--all")
    assert tried.exit_code == first.exit_code == 4, first.output
    assert "3 would be replayed" in tried.stderr
    assert "3 replayed" in first.stderr
    assert "1 not replayed: undecodable" in first.stderr
    desk.fold()
    assert desk.counted() == 3

    again = desk.dlq("replay", "--topic", "tickets", letters["late"]["record_id"])
    assert again.exit_code == 0, again.output
    assert f"goes to cs.tickets[{partition_of(CUSTOMER, PARTITIONS)}]" in again.stdout
    desk.fold()
    assert desk.counted() == 3

    mended = tmp_path / "mended.jsonl"
    value = {"event_id": "mended", "customer_id": "customer-1", "occurred_at": at_ms, "kind": "opened", "ticket_id": "9"}
    mended.write_text(json.dumps({"topic": "cs.tickets", "value": value}))
    for _ in range(2):
        given = desk.dlq("replay", letters["undecodable"]["record_id"], "--mended", str(mended))
        assert given.exit_code == 0, given.output
    desk.fold()
    assert desk.counted() == 4
    assert len(desk.letters()) == 4  # nothing that was replayed is a dead letter again


def test_dead_letters_are_listed_by_reason_topic_customer_and_time_and_shown_whole(cluster: Cluster, workers: Workers) -> None:
    at_ms, desk = now_ms(), Desk(cluster, workers)
    for bad in chosen(at_ms):
        produce(cluster, bad.topic, bad.partition, [(bad.key, bad.value, at_ms)])
    desk.fold()

    everything = desk.dlq("list")
    assert everything.exit_code == 0, everything.output
    assert len(everything.stdout.splitlines()) == 13
    assert "cs.tickets: 2 key_mismatch" in everything.stderr
    assert "13 dead letters" in everything.stderr
    assert len(desk.dlq("list", "--limit", "5").stdout.splitlines()) == 5

    assert "2 dead letters" in desk.dlq("list", "--reason", "late", "--reason", "future").stderr
    assert "1 dead letter" in desk.dlq("list", "--topic", "surveys").stderr
    assert "1 dead letter" in desk.dlq("list", "--customer", "customer-2").stderr
    assert "0 dead letters" in desk.dlq("list", "--until", str(at_ms)).stderr
    assert "13 dead letters" in desk.dlq("list", "--since", str(at_ms)).stderr

    off_its_scale = next(letter for letter in desk.letters() if letter["reason"] == "bad_score")
    shown = desk.dlq("show", off_its_scale["record_id"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["message"] == off_its_scale["message"]
    too_large = next(letter for letter in desk.letters() if letter["reason"] == "too_large")
    assert len(desk.dlq("show", too_large["record_id"], "--original").stdout) == 64 * 1024
    refused = desk.dlq("replay", too_large["record_id"])
    assert refused.exit_code == 1, refused.output
    assert "only the beginning of its 70002 bytes was kept" in refused.stderr


def test_what_is_asked_for_wrongly_is_told_with_what_would_be_right(cluster: Cluster, workers: Workers) -> None:
    desk = Desk(cluster, workers)
    for words, code, told in (
        (["replay"], 2, "give ids, a filter"),
        (["replay", "--reason", "lat"], 2, "late"),
        (["list", "--topic", "tikets"], 2, "cs.tickets"),
        (["list", "--since", "yesterday"], 2, "expected: a time like"),
        (["show", "nobody"], 3, "there is no dead letter nobody"),
        (["replay", "nobody"], 3, "there is no such dead letter"),
        (["replay", "one", "two", "--mended", "-"], 2, "--mended goes with one ID"),
    ):
        ran = desk.dlq(*words)
        assert ran.exit_code == code, ran.output
        assert told in ran.stderr
