"""What a worker says to who may not in, what it listens on, and what of its customers it never tells."""

import re
import urllib.request
from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.events import SurveyEvent, TicketEvent
from streams.topics import partition_of
from tests.integration.test_broker_security import PASSWORD, identity, secured_kafka
from tests.support.certificates import Authority, Identity
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.kafka.server import KafkaServer
from tests.support.ports import free_ports
from tests.support.publishing import wait_until_folded
from tests.support.topic_log import read_topic
from tests.support.worker import Workers

__all__ = ["identity", "secured_kafka"]

pytestmark = pytest.mark.timeout(180)

LIMIT_S = 60.0
COMMENT = "our secret merger with Contoso"
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
LISTENING = "0A"


def secured(server: KafkaServer, authority: Authority, identity: Identity) -> dict[str, str]:
    return {
        "bootstrap_servers": server.secure_bootstrap,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_username": "pulse",
        "sasl_password": PASSWORD,
        "ssl_ca_location": str(authority.certificate),
        "ssl_certificate_location": str(identity.certificate),
        "ssl_key_location": str(identity.key),
        "ssl_key_password": "open sesame",
    }


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sasl_password": "a-wrong-guess"}, "Invalid username or password"),
        ({"sasl_username": "nobody"}, "Invalid username or password"),
        ({"ssl_ca_location": "another authority"}, "certificate verify failed"),
    ],
    ids=["a wrong password", "a stranger", "another authority"],
)
def test_who_may_not_in_is_told_why_and_no_secret_is_shown(
    wrong: dict[str, str], told: str, secured_kafka: KafkaServer, authority: Authority, identity: Identity, tmp_path: Path
) -> None:
    given = {**secured(secured_kafka, authority, identity), **wrong}
    if "ssl_ca_location" in wrong:
        (tmp_path / "other").mkdir()
        given["ssl_ca_location"] = str(Authority(tmp_path / "other").certificate)
    workers = Workers(tmp_path, given.pop("bootstrap_servers"), "outside")
    try:
        worker = workers.start(**given)
        worker.wait_for_line(re.escape(told), LIMIT_S)
        assert "no broker at" in worker.said()
        assert worker.stop() == 0
        for secret in (PASSWORD, "a-wrong-guess", "open sesame"):
            assert secret not in worker.said()
        assert "Traceback" not in worker.said()
    finally:
        workers.clean_up()


def listening_of(pid: int) -> set[str]:
    """The local addresses, in the kernel's notation, on which a process listens."""
    sockets = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(handle.readlink())
        except OSError:
            continue  # it was closed meanwhile
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and inode in sockets:
                found.add(local.partition(":")[0])
    return found


def test_a_worker_listens_on_the_loopback_interface_alone_and_tells_nobody_what_customers_wrote(
    cluster: Cluster, workers: Workers
) -> None:
    metrics, probes = free_ports(2)
    at_ms, codec = now_ms(), Codec()
    home = partition_of(b"acme", PARTITIONS)
    answer = SurveyEvent(
        event_id="s", customer_id="acme", occurred_at=at_ms, kind="answered", survey="nps", scale="0_10", score=1, comment=COMMENT
    )
    late = SurveyEvent(
        event_id="late", customer_id="acme", occurred_at=1, kind="answered", survey="nps", scale="0_10", score=1, comment=COMMENT
    )
    ticket = TicketEvent(event_id="t", customer_id="acme", occurred_at=at_ms, kind="opened", ticket_id="1")
    for topic, event in (("cs.surveys", answer), ("cs.surveys", late), ("cs.tickets", ticket)):
        produce(cluster, topic, home, [(b"acme", codec.encode(topic, event), at_ms)])
    broken = codec.encode("cs.surveys", answer)[:-1]
    produce(cluster, "cs.surveys", home, [(b"acme", broken, at_ms)])

    worker = workers.start(
        metrics_port=str(metrics), probe_port=str(probes), log_level="debug", log_format="json", tick_interval_ms="0"
    )
    wait_until_folded(cluster, workers.app_id)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answered:
        told = answered.read().decode()
    listening = listening_of(worker.pid)
    assert worker.stop() == 0

    assert listening
    assert listening <= LOOPBACK
    assert "cspulse_records_consumed_total" in told
    assert "Contoso" not in told
    assert "acme" not in told
    assert "Contoso" not in worker.said()
    letters = [record.fields() for record in read_topic(cluster.bootstrap, "cs.dead-letters")]
    assert len(letters) == 2
    assert not any("Contoso" in letter["message"] for letter in letters)
