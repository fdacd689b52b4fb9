"""A look at everything a worker depends on: each check says what was found, whether it is right, and what to do if not."""

import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import confluent_kafka as ck
from msgspec import Struct

from processors.definitions import DefinitionsError, parse
from schemas.registry import RegistryUnreachable
from schemas.times import format_time
from streams import redis_doctor
from streams.cluster import BrokerUnreachable, Cluster, ReadFailed, client_config, newest_record, reach, reading_consumer
from streams.codecs import codec_of
from streams.definitions_log import DefinitionsLogError, newest_definitions, read_versions
from streams.doctor_delivery import findings
from streams.embedded import PARTITION_BYTES_MAX
from streams.groups import GroupUnreadable, group_state
from streams.restore import RestoreFailed
from streams.settings import CONFIG_VARIABLE, ENVIRONMENT_PREFIX, Settings
from streams.ticks import TICKS_TOPIC
from streams.topic_admin import TopicState, survey
from streams.topics import INPUT_TOPICS, specs

State = Literal["ok", "warning", "wrong", "skipped"]

CLOCK_TOLERANCE_MS: Final = 5_000
"""Two clocks that are kept by NTP differ by far less; with more, events come as `future` sooner than they should."""

TICKS_MISSED: Final = 3
"""So many ticks may be missing before it is said that no worker writes them."""

SLOW_ANSWER_MS: Final = 500
_LOOPBACK: Final = ("127.", "localhost:", "[::1]:")
_NO_SUCH_SCHEMA: Final = b"\x00\x7f\xff\xff\xff"  # the registry's framing with an id that no registry reaches
_USER_IN_ADDRESS: Final = re.compile(r"//[^/@\s]*@")  # may hold a password
_S_IN_MS: Final = 1_000


class Check(Struct, frozen=True):
    """One thing looked at: what was found, and what to do about it (empty when there is nothing to do)."""

    name: str
    state: State
    found: str
    advice: str = ""


class Patient(Struct, frozen=True):
    """What the checks of a cluster that answers look at."""

    settings: Settings
    cluster: Cluster
    topics: list[TopicState]
    now_ms: int
    environment: Mapping[str, str]


def examine(settings: Settings, config_file: Path | None, environment: Mapping[str, str]) -> Iterator[Check]:
    """Every check, one after the other; what cannot be looked at is skipped, with the reason."""
    yield _sources(config_file, environment)
    yield from _security(settings)
    yield from _definitions_file(settings)
    yield _registry(settings)
    yield from (Check("redis", *finding) for finding in redis_doctor.of_server(settings))
    started = time.monotonic()
    try:
        cluster = reach(client_config(settings))
        topics = survey(cluster, specs(settings.app_id, settings.partitions))
    except BrokerUnreachable as error:
        advice = "check the address, that the broker runs, that no firewall is between, and security_protocol"
        yield Check("broker", "wrong", str(error), advice)
        names = ("topics", "partitions", "clock", "ticks", "definitions in the log", "delivery", "consumer group", "read model")
        for name in names:
            yield Check(name, "skipped", "no broker was reached")
        return
    except ck.KafkaException as error:
        yield Check("broker", "wrong", f"it refuses: {error.args[0].str()}", "look at the user's rights on the cluster")
        return
    yield _broker(cluster, settings, (time.monotonic() - started) * _S_IN_MS)
    patient = Patient(settings, cluster, topics, int(time.time() * _S_IN_MS), environment)
    for name, check in _OF_A_CLUSTER:
        yield from _guarded(name, check, patient)


def _guarded(name: str, check: Callable[[Patient], Iterator[Check]], patient: Patient) -> Iterator[Check]:
    """The check, or that the cluster would not let us look: one refusal does not end the examination."""
    try:
        yield from check(patient)
    except (ck.KafkaException, ReadFailed) as error:
        text = error.args[0].str() if isinstance(error, ck.KafkaException) else str(error)
        yield Check(name, "warning", f"could not be looked at: {text}", "look at the user's rights on the cluster")


def _sources(config_file: Path | None, environment: Mapping[str, str]) -> Check:
    file = config_file or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    variables = sorted(name for name, value in environment.items() if name.startswith(ENVIRONMENT_PREFIX) and value)
    from_file = f"file {file}" if file is not None else "no file"
    from_environment = ", ".join(variables) if variables else "no variables"
    return Check("settings", "ok", f"all valid; {from_file}; {from_environment}")


def _security(settings: Settings) -> Iterator[Check]:
    protocol = settings.security_protocol
    local = all(server.startswith(_LOOPBACK) for server in settings.bootstrap_servers.split(","))
    if protocol == "SASL_PLAINTEXT":
        advice = "set security_protocol to SASL_SSL"
        readable = "the password and all events" if settings.sasl_mechanism == "PLAIN" else "all events"
        yield Check("security", "warning", f"{protocol}: {readable} cross the network in clear text", advice)
    elif protocol == "PLAINTEXT" and not local:
        advice = "set security_protocol to SSL or SASL_SSL, or keep the network to yourself"
        yield Check(
            "security", "warning", "PLAINTEXT: all events cross the network in clear text, and anybody may connect", advice
        )
    elif protocol == "PLAINTEXT":
        yield Check("security", "ok", "PLAINTEXT, to this machine only")
    elif settings.ssl_endpoint_identification == "none":
        advice = 'set ssl_endpoint_identification to "https"'
        yield Check("security", "warning", f"{protocol}: a broker's certificate need not name its host", advice)
    else:
        yield Check("security", "ok", f"{protocol}: certificates are verified, with the host's name")
    key = settings.ssl_key_location
    if key is not None and key.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Check("private key", "warning", f"{key} can be read by others", f"chmod 600 {key}")


def _definitions_file(settings: Settings) -> Iterator[Check]:
    path = settings.definitions
    if path is None:
        yield Check("definitions file", "ok", "none given: the built-in one")
        return
    try:
        definitions = parse(path.read_text(encoding="utf-8"))
    except DefinitionsError as error:
        for mistake in error.mistakes:
            yield Check("definitions file", "wrong", f"{path}: {mistake}", "mend it, and see `cspulse definitions check`")
    except (OSError, UnicodeDecodeError) as error:
        yield Check("definitions file", "wrong", f"{path} cannot be read: {error}", "a UTF-8 text file is needed")
    else:
        yield Check("definitions file", "ok", f"{path}: {len(definitions.goals)} goals, {len(definitions.rules)} rules")


def _registry(settings: Settings) -> Check:
    if settings.schema_registry_url is None:
        return Check("schema registry", "ok", f"none is used; outputs are written as {settings.value_encoding}")
    shown = _USER_IN_ADDRESS.sub("//", settings.schema_registry_url)
    started = time.monotonic()
    try:
        codec_of(settings).decode(INPUT_TOPICS[0], _NO_SUCH_SCHEMA)
    except RegistryUnreachable as error:
        advice = "check schema_registry_url, user and password; records that need it wait, none is lost"
        return Check("schema registry", "wrong", f"{shown}: {_USER_IN_ADDRESS.sub('//', str(error))}", advice)
    took_ms = (time.monotonic() - started) * _S_IN_MS
    return Check("schema registry", "ok", f"{shown} answers ({took_ms:.0f} ms)")


def _broker(cluster: Cluster, settings: Settings, took_ms: float) -> Check:
    count = len(cluster.metadata.brokers)
    brokers = "1 broker" if count == 1 else f"{count} brokers"
    found = f"{settings.bootstrap_servers}: cluster {cluster.metadata.cluster_id}, {brokers}, answered in {took_ms:.0f} ms"
    if cluster.embedded:
        limit = f"everything is in memory, {PARTITION_BYTES_MAX // 2**20} MiB a partition, and nothing is isolated"
        return Check("broker", "warning", f"{found}; it is the embedded broker: {limit}", "for real data use Apache Kafka")
    if took_ms > SLOW_ANSWER_MS:
        return Check("broker", "warning", found, "each commit waits for several such answers: move the workers nearer")
    return Check("broker", "ok", found)


def _topics(patient: Patient) -> Iterator[Check]:
    missing = [state.spec.name for state in patient.topics if not state.exists]
    if missing:
        yield Check("topics", "wrong", f"{len(missing)} missing: {', '.join(missing)}", "run `cspulse topics apply`")
    else:
        yield Check("topics", "ok", f"all {len(patient.topics)} are there")
    unread = {state.unread for state in patient.topics if state.unread is not None}
    if unread and not patient.cluster.embedded:
        yield Check("topic settings", "warning", "; ".join(sorted(unread)), "look at the user's rights on the cluster")
    differing = [f"{state.spec.name}: {one}" for state in patient.topics for one in state.differences if one.what != "partitions"]
    if differing:
        yield Check("topic settings", "warning", "; ".join(differing), "alter them with the tools of your cluster")
    elif not unread:
        yield Check("topic settings", "ok", "as they should be")


def _partitions(patient: Patient) -> Iterator[Check]:
    wanted = patient.settings.partitions
    counts = {topic: patient.cluster.partitions(topic) for topic in INPUT_TOPICS}
    told = ", ".join(f"{topic} has {count}" for topic, count in counts.items())
    others = [
        f"{state.spec.name}: {one}"
        for state in patient.topics
        for one in state.differences
        if one.what == "partitions" and state.spec.name not in INPUT_TOPICS
    ]
    if 0 in counts.values():
        yield Check("partitions", "skipped", "input topics are missing")
    elif len(set(counts.values())) > 1:
        advice = "all input topics need the same number: recreate those that differ, under a new application id"
        yield Check("partitions", "wrong", f"the inputs are not co-partitioned: {told}", advice)
    elif counts[INPUT_TOPICS[0]] != wanted:
        advice = f"set partitions to {counts[INPUT_TOPICS[0]]}"
        yield Check("partitions", "wrong", f"{told}, and the setting says {wanted}", advice)
    elif others:
        yield Check("partitions", "wrong", "; ".join(others), "recreate them with the right number")
    else:
        yield Check("partitions", "ok", f"all inputs have {wanted}")


def _ticks(patient: Patient) -> Iterator[Check]:
    """Ticks carry a worker's clock, so they tell of both: whether workers run, and whether the clocks agree."""
    count = patient.cluster.partitions(TICKS_TOPIC)
    newest = _newest_ticks(patient, count)
    if not newest:
        yield Check("clock", "skipped", f"a broker does not tell its time, and {TICKS_TOPIC} holds no tick to compare with")
        advice = "start a worker" if patient.settings.tick_interval_ms else ""
        yield Check("ticks", "warning", "none was ever written: no worker has run yet", advice)
        return
    ahead_ms = max(newest.values()) - patient.now_ms
    if ahead_ms > CLOCK_TOLERANCE_MS:
        advice = "let NTP keep the clocks of all machines"
        yield Check("clock", "wrong", f"this machine is {ahead_ms / _S_IN_MS:.1f} s behind the clock of a worker", advice)
    else:
        yield Check("clock", "ok", "no tick of a worker lies ahead of this machine's clock")
    oldest_ms = min(newest.values())
    age_s = max(0, patient.now_ms - oldest_ms) / _S_IN_MS
    found = f"{len(newest)} of {count} partitions have ticks; the oldest of the newest is {age_s:.0f} s old"
    interval_ms = patient.settings.tick_interval_ms
    if len(newest) < count or (interval_ms and age_s * _S_IN_MS > TICKS_MISSED * interval_ms):
        yield Check(
            "ticks", "warning", f"{found} ({format_time(oldest_ms)})", "start a worker; nothing is judged by time meanwhile"
        )
    else:
        yield Check("ticks", "ok", found)


def _newest_ticks(patient: Patient, partitions: int) -> dict[int, int]:
    """The timestamp of the newest tick of each partition that has one."""
    consumer = reading_consumer(patient.cluster.config)
    try:
        found = {partition: newest_record(consumer, TICKS_TOPIC, partition) for partition in range(partitions)}
    finally:
        consumer.close()
    return {partition: message.timestamp()[1] for partition, message in found.items() if message is not None}


def _definitions_in_log(patient: Patient) -> Iterator[Check]:
    name = "definitions in the log"
    try:
        versions = read_versions(patient.cluster.config, codec_of(patient.settings))
    except RestoreFailed as error:
        yield Check(name, "skipped", str(error))
        return
    except (DefinitionsLogError, RegistryUnreachable) as error:
        yield Check(name, "wrong", str(error), "a worker cannot start with it")
        return
    if not versions:
        yield Check(name, "ok", "none was applied: the built-in ones are in force")
        return
    newest = versions[-1]
    found = f"version {newest.version}, applied {format_time(newest.applied_at)} by {newest.author}"
    try:
        parse(newest.text)
    except DefinitionsError as error:
        advice = "it was written for another version of cspulse: upgrade, or apply a file that this one understands"
        yield Check(name, "wrong", f"{found}: {error.mistakes[0]}", advice)
    else:
        yield Check(name, "ok", found)


def _delivery(patient: Patient) -> Iterator[Check]:
    """The destinations of the newest definitions; what is wrong with these themselves stands above."""
    try:
        _, definitions = newest_definitions(patient.cluster.config, codec_of(patient.settings))
    except (RestoreFailed, DefinitionsLogError, RegistryUnreachable, DefinitionsError) as error:
        yield Check("delivery", "skipped", f"the definitions could not be read: {str(error).splitlines()[0]}")
        return
    for finding in findings(definitions, patient.environment, patient.settings.app_id):
        yield Check("delivery", finding.state, finding.found, finding.advice)


def _group(patient: Patient) -> Iterator[Check]:
    name = "consumer group"
    if patient.cluster.embedded:
        yield Check(name, "skipped", "the embedded broker tells nothing of groups and forgets offsets of transactions")
        return
    try:
        group = group_state(patient.cluster, patient.settings.app_id)
    except GroupUnreadable as error:
        yield Check(name, "warning", str(error), "look at the user's rights on the group")
        return
    lag = "nothing committed yet" if group.lag_records is None else f"{group.lag_records} records behind"
    found = f"{patient.settings.app_id}: {group.state}, {group.members} members, {lag}"
    if group.members:
        yield Check(name, "ok", found)
    else:
        yield Check(name, "warning", found, "start a worker: cspulse worker")


def _read_model(patient: Patient) -> Iterator[Check]:
    for finding in redis_doctor.of_model(patient.cluster, patient.settings):
        yield Check("read model", *finding)


_OF_A_CLUSTER: Final[tuple[tuple[str, Callable[[Patient], Iterator[Check]]], ...]] = (
    ("topics", _topics),
    ("partitions", _partitions),
    ("ticks", _ticks),
    ("definitions in the log", _definitions_in_log),
    ("delivery", _delivery),
    ("consumer group", _group),
    ("read model", _read_model),
)
