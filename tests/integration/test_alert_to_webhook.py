"""The whole way out: an answer on Kafka, a worker, an alert, alert delivery, a signed call, and the alert's end after it."""

import sys
from typing import Any

import pytest
from standardwebhooks import Webhook

from schemas.codec import Codec
from schemas.events import SurveyEvent
from streams.catalogue import default_text
from streams.definitions_log import apply
from streams.topics import partition_of
from tests.integration.test_delivery_kafka import CRM
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms, produce
from tests.support.sinks.delivering import SECRET
from tests.support.sinks.receiver import Receiver
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

DELIVERY = (sys.executable, "-P", "-m", "streams", "sink", "delivery")
LIMIT_S = 60.0
CUSTOMER = "acme"


def answer(cluster: ApacheCluster, score: int, event_id: str) -> None:
    """Somebody at the customer answers the NPS question."""
    at_ms = now_ms()
    event = SurveyEvent(
        event_id=event_id,
        customer_id=CUSTOMER,
        occurred_at=at_ms,
        kind="answered",
        survey="nps",
        scale="0_10",
        score=score,
        respondent_id="bo",
    )
    key = CUSTOMER.encode()
    produce(cluster, "cs.surveys", partition_of(key, PARTITIONS), [(key, Codec().encode("cs.surveys", event), at_ms)])


def test_a_bad_answer_calls_the_webhook_and_a_better_one_calls_it_again(
    apache: ApacheCluster, apache_workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    monkeypatch.setenv("CRM_URL", receiver.url)
    monkeypatch.setenv("CRM_SECRET", SECRET)
    try:
        apply({"bootstrap.servers": apache.bootstrap}, Codec(), f"{default_text()}\n{CRM}", "test", now_ms())
        worker = apache_workers.start(tick_interval_ms="500")
        delivery = apache_workers.start(command=DELIVERY)
        worker.wait_until_running(range(PARTITIONS))
        delivery.wait_for_line(r"delivery-crm: delivery begins at cs\.owner-lists\[0\]", LIMIT_S)

        def told(state: str) -> list[Any]:
            alerts = [call.json["data"] for call in list(receiver.calls)]
            return [one for one in alerts if (one.get("rule"), one.get("state")) == ("new_detractor", state)]

        answer(apache, 2, "bad")
        wait_until(lambda: told("opened"), LIMIT_S, "the alert to be told")
        answer(apache, 10, "better")
        wait_until(lambda: told("resolved"), LIMIT_S, "its end to be told")
        assert delivery.stop() == 0
        assert worker.stop() == 0
    finally:
        receiver.stop()

    (opened,), (resolved,) = told("opened"), told("resolved")
    assert opened["customer_id"] == CUSTOMER
    assert opened["episode_id"] == resolved["episode_id"]
    assert "bo answered 2 of 10" in opened["explanation"]
    for call in receiver.calls:
        Webhook(SECRET).verify(call.body, call.headers)
    assert len({call.id for call in receiver.calls}) == len(receiver.calls)
