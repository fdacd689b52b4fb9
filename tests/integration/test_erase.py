"""`cspulse erase`: what is kept of a customer goes, also out of what a worker restores, and the log's remainder is told."""

import pytest
from typer.testing import Result

from schemas.codec import Codec
from schemas.events import SurveyEvent
from schemas.times import format_time
from streams.state_bytes import unpack
from streams.topics import partition_of
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.command_line import run
from tests.support.publishing import wait_until_folded
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.worker import Workers, wait_until_it_reads

pytestmark = pytest.mark.timeout(180)

CUSTOMER = "rosa-ltd"
RESPONDENT = "rosa@example.org"
DAY_MS = 86_400_000
SHOWN_LIMIT_S = 30.0


class House:
    """A cluster, its worker, and the commands that somebody types there."""

    def __init__(self, cluster: Cluster, workers: Workers) -> None:
        self._cluster = cluster
        self._workers = workers

    def command(self, *words: str) -> Result:
        shared = ["--bootstrap-servers", self._cluster.bootstrap, "--app-id", self._workers.app_id]
        return run(*shared, "--partitions", str(PARTITIONS), *words)

    def answer(self, event_id: str, at_ms: int) -> None:
        """Somebody at the customer answers a survey."""
        event = SurveyEvent(
            event_id=event_id,
            customer_id=CUSTOMER,
            occurred_at=at_ms,
            kind="answered",
            survey="nps",
            score=2,
            scale="0_10",
            respondent_id=RESPONDENT,
            comment="I am not happy",
        )
        key = CUSTOMER.encode()
        record = (key, Codec().encode("cs.surveys", event), now_ms())
        produce(self._cluster, "cs.surveys", partition_of(key, PARTITIONS), [record])

    def newest(self, topic: str) -> bytes | None:
        """The newest value under the customer's key."""
        return [record.value for record in read_topic(self._cluster.bootstrap, topic) if record.key == CUSTOMER.encode()][-1]


def test_an_erased_customer_is_gone_from_state_and_snapshots_and_stays_so(cluster: Cluster, workers: Workers) -> None:
    house = House(cluster, workers)
    house.answer("a-1", now_ms() - DAY_MS)
    worker = workers.start()
    wait_until_folded(cluster, workers.app_id)
    wait_until(lambda: house.command("inspect", CUSTOMER).exit_code == 0, SHOWN_LIMIT_S, "the customer to be shown")

    began_ms = now_ms()
    erased = house.command("erase", CUSTOMER, "--yes", "--author", "Hanh")
    assert erased.exit_code == 0, erased.output
    assert f"customer '{CUSTOMER}' is erased" in erased.stderr
    gone_by = {line.split()[0]: line.split()[1] for line in erased.stdout.splitlines()}
    for topic, days in (("cs.surveys", 400), (f"{workers.app_id}-customers-changelog", 7)):
        earliest, latest = (format_time(at_ms + days * DAY_MS)[:10] for at_ms in (began_ms, now_ms()))
        assert earliest <= gone_by[topic] <= latest
    assert "cs.ticks" not in gone_by
    told = house.command("inspect", CUSTOMER)
    assert (told.exit_code, "was erased" in told.stderr) == (3, True)

    worker.kill()
    worker.start()
    wait_until_it_reads(worker)
    house.answer("a-2", now_ms() - DAY_MS)  # from before the erasure: it must not bring anybody back
    wait_until_folded(cluster, workers.app_id)
    assert worker.stop() == 0
    assert house.newest("cs.customer-snapshots") is None
    marker = house.newest(f"{workers.app_id}-customers-changelog")
    assert marker is not None
    assert RESPONDENT not in repr(unpack(marker))


def test_without_a_worker_the_erasure_waits_in_the_log_and_it_is_said(cluster: Cluster, workers: Workers) -> None:
    told = House(cluster, workers).command("erase", CUSTOMER, "--yes", "--wait-s", "0")
    assert told.exit_code == 4, told.output
    assert "no worker has said anything of a customer" in told.stderr
    assert "it is in the log" in told.stderr


def test_an_erasure_is_not_begun_before_somebody_has_agreed(cluster: Cluster, workers: Workers) -> None:
    told = House(cluster, workers).command("erase", CUSTOMER)
    assert told.exit_code == 2, told.output
    assert "say --yes" in told.stderr
    assert list(read_topic(cluster.bootstrap, "cs.accounts")) == []
