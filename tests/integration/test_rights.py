"""With the rights that `cspulse topics rights` lists each program does its work; without them it is refused, and says so."""

import sys
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from typer.testing import Result

from schemas.codec import Codec
from schemas.events import UsageEvent
from schemas.jsonlines import format_line
from streams.catalogue import default_text
from streams.definitions_log import apply
from streams.rights import Right, rights
from streams.roles import Role
from streams.topics import partition_of, specs
from tests.integration.test_delivery_kafka import CRM
from tests.support.certificates import Authority, Identity
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms, produce
from tests.support.command_line import run
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.secured import authorized, secure_properties
from tests.support.kafka.server import KafkaServer
from tests.support.parts import lacking
from tests.support.publishing import wait_until_folded
from tests.support.redis_server import RedisServer
from tests.support.sinks.delivering import SECRET, alert
from tests.support.sinks.receiver import Receiver
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.worker import Worker, Workers

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

APP_ID = "guarded"
LIMIT_S = 60.0
PASSWORDS = {role.value: f"password-of-{role.value}" for role in Role}
RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional-id": ResourceType.TRANSACTIONAL_ID}
SINK = (sys.executable, "-P", "-m", "streams", "sink")


def binding(role: Role, right: Right) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    operation = AclOperation[right.operation.upper()]
    place = RESOURCES[right.resource], right.name, pattern
    return AclBinding(*place, f"User:{role.value}", "*", operation, AclPermissionType.ALLOW)


class Guarded:
    """A broker that allows each role's user what the role needs, and nobody anything else."""

    def __init__(self, server: KafkaServer, authority: Authority, identity: Identity) -> None:
        self.server = server
        self.plain = ApacheCluster(server)
        self._authority = authority
        self._identity = identity
        self._admin = AdminClient({"bootstrap.servers": server.bootstrap})
        self.plain.create(specs(APP_ID, PARTITIONS))
        for role in Role:
            self.allow(role, *rights(role, APP_ID))

    def allow(self, role: Role, *wanted: Right) -> None:
        """Give rights."""
        for done in self._admin.create_acls([binding(role, right) for right in wanted]).values():
            done.result(LIMIT_S)

    def take(self, role: Role, right: Right) -> None:
        """Take a right away."""
        one = binding(role, right)
        place = one.restype, one.name, one.resource_pattern_type
        wanted = AclBindingFilter(*place, one.principal, one.host, one.operation, one.permission_type)
        for done in self._admin.delete_acls([wanted]).values():
            assert done.result(LIMIT_S)

    def settings(self, role: Role) -> dict[str, str]:
        """The settings of somebody in this role."""
        return {
            "bootstrap_servers": self.server.secure_bootstrap,
            "app_id": APP_ID,
            "partitions": str(PARTITIONS),
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": role.value,
            "sasl_password": PASSWORDS[role.value],
            "ssl_ca_location": str(self._authority.certificate),
            "ssl_certificate_location": str(self._identity.certificate),
            "ssl_key_location": str(self._identity.key),
        }

    def client(self, role: Role) -> dict[str, str | int]:
        """The same for a client of its own."""
        given = self.settings(role)
        return {
            "bootstrap.servers": given["bootstrap_servers"],
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": given["sasl_username"],
            "sasl.password": given["sasl_password"],
            "ssl.ca.location": given["ssl_ca_location"],
            "ssl.certificate.location": given["ssl_certificate_location"],
            "ssl.key.location": given["ssl_key_location"],
            "log_level": 0,
        }


@pytest.fixture(scope="module")
def guarded(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    identity = authority.issue(tmp_path_factory.mktemp("client"), "client")
    try:
        server = KafkaServer(folder, authorized(secure_properties(authority, folder, PASSWORDS)))
    except PartMissingError as missing:
        lacking(str(missing))
    with server:
        yield Guarded(server, authority, identity)


@pytest.fixture
def programs(guarded: Guarded, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path, guarded.server.secure_bootstrap, APP_ID)
    yield made
    made.clean_up()


def command(guarded: Guarded, role: Role, folder: Path, *words: str) -> Result:
    """A command of somebody in a role; secrets come from a file."""
    config = folder / f"{role.value}.toml"
    numbers = {"partitions"}
    lines = [f"{name} = {value if name in numbers else repr(value)}" for name, value in guarded.settings(role).items()]
    config.write_text("\n".join(lines))
    return run("--config", str(config), *words)


def start(guarded: Guarded, programs: Workers, role: Role, **more: str) -> Worker:
    given = {name: value for name, value in guarded.settings(role).items() if name not in ("bootstrap_servers", "app_id")}
    if role is Role.WORKER:
        return programs.start(**given, **more)
    return programs.start(command=(*SINK, role.value.removesuffix("-sink")), **given, **more)


def used(number: int) -> UsageEvent:
    return UsageEvent(
        event_id=f"u-{number}", customer_id=f"c-{number}", occurred_at=now_ms(), kind="feature_used", feature="search"
    )


def test_events_are_published_and_folded_with_the_rights_of_their_roles(
    guarded: Guarded, programs: Workers, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text("\n".join(format_line("cs.usage", used(number), timestamp_ms=now_ms()) for number in range(20)))
    published = command(guarded, Role.PUBLISH, tmp_path, "publish", str(events))
    assert published.exit_code == 0, published.output

    definitions = tmp_path / "business.toml"
    definitions.write_text(default_text())
    applied = command(guarded, Role.DEFINITIONS, tmp_path, "definitions", "apply", str(definitions), "--author", "Hanh")
    assert applied.exit_code == 0, applied.output

    worker = start(guarded, programs, Role.WORKER, tick_interval_ms="500")
    wait_until_folded(guarded.plain, APP_ID)
    wait_until(lambda: any(read_topic(guarded.plain.bootstrap, "cs.fleet-snapshots")), LIMIT_S, "the fleet's figures")
    assert worker.stop() == 0
    assert "authoriz" not in worker.said().lower()
    assert len(list(read_topic(guarded.plain.bootstrap, "cs.health-changes"))) >= 20


def test_the_word_is_given_with_the_rights_of_its_role(guarded: Guarded, programs: Workers, tmp_path: Path) -> None:
    worker = start(guarded, programs, Role.WORKER, tick_interval_ms="500")
    worker.wait_until_running(range(PARTITIONS))
    given = command(guarded, Role.CUTOVER, tmp_path, "cutover", APP_ID, "--in", "5")
    assert given.exit_code == 0, given.output
    assert worker.stop() == 0
    refused = command(guarded, Role.PRODUCER, tmp_path, "cutover", APP_ID)
    assert refused.exit_code == 1
    assert "could not be looked at" in refused.output
    assert "Traceback" not in refused.output


def test_a_worker_that_lacks_a_right_ends_and_names_what_it_may_not(guarded: Guarded, programs: Workers) -> None:
    for lacking_right, told in (
        (Right("topic", "cs.tickets", "Read"), "Topic authorization failed"),
        (Right("group", APP_ID, "Read"), "Group authorization failed"),
        (Right("transactional-id", f"{APP_ID}-", "Write", prefixed=True), "Transactional Id authorization failed"),
    ):
        guarded.take(Role.WORKER, lacking_right)
        try:
            worker = start(guarded, programs, Role.WORKER)
            code = worker.wait(LIMIT_S)
        finally:
            guarded.allow(Role.WORKER, lacking_right)
        assert code in (1, 2, 75), worker.tail()
        assert told.lower() in worker.said().lower() or lacking_right.name in worker.said(), worker.tail()
        assert "Traceback" not in worker.said(), worker.tail()


def test_the_sinks_read_and_note_with_the_rights_of_their_roles(
    guarded: Guarded, programs: Workers, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"bootstrap.servers": guarded.plain.bootstrap}
    apply(config, Codec(), f"{default_text()}\n{CRM}", "test", now_ms())
    receiver = Receiver()
    monkeypatch.setenv("CRM_URL", receiver.url)
    monkeypatch.setenv("CRM_SECRET", SECRET)
    try:
        delivery = start(guarded, programs, Role.DELIVERY_SINK)
        delivery.wait_for_line(r"delivery-crm: delivery begins at cs\.owner-lists\[0\]", LIMIT_S)
        opened = alert("c-1", 1, "opened", as_of=now_ms(), opened_at=now_ms(), emitted_at=now_ms(), owner="Hanh")
        record = (b"c-1", Codec().encode("cs.churn-alerts", opened), now_ms())
        produce(guarded.plain, "cs.churn-alerts", partition_of(b"c-1", PARTITIONS), [record])
        wait_until(lambda: receiver.calls, LIMIT_S, "the alert to be told")
        assert delivery.stop() == 0, delivery.tail()
    finally:
        receiver.stop()
    assert any(record.value for record in read_topic(guarded.plain.bootstrap, "cs.deliveries"))

    redis = start(guarded, programs, Role.REDIS_SINK, redis_url=f"redis://127.0.0.1:{redis_server.port}")
    redis.wait_for_line("reads cs.customer-snapshots", LIMIT_S)
    assert redis.stop() == 0, redis.tail()
    for sink in (delivery, redis):
        assert "authoriz" not in sink.said().lower(), sink.tail()


@pytest.mark.parametrize(("role", "topic"), [(Role.PRODUCER, "cs.health-changes"), (Role.REDIS_SINK, "cs.tickets")])
def test_nobody_writes_where_the_role_does_not(guarded: Guarded, role: Role, topic: str) -> None:
    refused: list[ck.KafkaError | None] = []
    producer = ck.Producer(guarded.client(role))
    producer.produce(topic, b"forged", b"c-1", on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(LIMIT_S) == 0
    assert [error.code() for error in refused if error] == [ck.KafkaError.TOPIC_AUTHORIZATION_FAILED]


@pytest.mark.parametrize(("role", "topic"), [(Role.PRODUCER, "cs.customer-snapshots"), (Role.DELIVERY_SINK, "cs.surveys")])
def test_nobody_reads_what_the_role_does_not(guarded: Guarded, role: Role, topic: str) -> None:
    consumer = ck.Consumer({**guarded.client(role), "group.id": "curious"})
    try:
        consumer.assign([ck.TopicPartition(topic, 0, 0)])
        message = consumer.poll(LIMIT_S)
        assert message is not None
        error = message.error()
        assert error is not None
        assert error.code() in (ck.KafkaError.TOPIC_AUTHORIZATION_FAILED, ck.KafkaError.GROUP_AUTHORIZATION_FAILED)
    finally:
        consumer.close()
