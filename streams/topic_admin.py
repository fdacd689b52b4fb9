"""Topics of a real cluster: what is missing is created, what differs is said. Nothing is ever shrunk, altered or deleted."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigResource, NewTopic

from streams.cluster import Cluster, reach
from streams.topics import TopicSpec

BROKER_DEFAULT: Final = -1
"""Stands for the broker's own `default.replication.factor`."""

CALL_TIMEOUT_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1

_EMBEDDED_CREATES_NOTHING: Final = (
    "the embedded broker makes no topics on request: start it with `cspulse broker`, which makes them all"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A property of a topic that is not as it should be; `what` is `partitions` or a setting by Kafka's name."""

    what: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.what} is {self.found}, should be {self.wanted}"


@dataclass(slots=True)
class TopicState:
    """A topic as it should be and as it is.

    `partitions` is 0 for a topic that does not exist. `unread` says why its settings could not be compared.
    """

    spec: TopicSpec
    partitions: int
    replicas: int = 0
    differences: list[Difference] = field(default_factory=list)
    unread: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the cluster has the topic."""
        return self.partitions > 0


Action = Literal["created", "kept", "failed"]
_Answer = tuple[Action, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done about one topic; `message` says why it failed."""

    state: TopicState
    action: Action
    message: str = ""


def survey(cluster: Cluster, specs: Sequence[TopicSpec]) -> list[TopicState]:
    """Each topic as it is on the cluster, with what differs, in the order of `specs`.

    Raises KafkaException.
    """
    states = [_state(cluster, spec) for spec in specs]
    there = [state for state in states if state.exists]
    if cluster.embedded:
        for state in there:
            state.unread = "the embedded broker has no topic settings"
    elif there:
        _compare_configs(cluster, there)
    return states


def apply(cluster: Cluster, specs: Sequence[TopicSpec], replication_factor: int = BROKER_DEFAULT) -> list[Outcome]:
    """Create the topics that are missing; the outcome for each, in the order of `specs`.

    Raises KafkaException when the cluster answers nothing at all; what it refuses for one topic is in that topic's outcome.
    """
    missing = [spec for spec in specs if not cluster.partitions(spec.name)]
    if not missing:
        return [Outcome(state, "kept") for state in survey(cluster, specs)]
    answers: dict[str, _Answer] = (
        {spec.name: ("failed", _EMBEDDED_CREATES_NOTHING) for spec in missing}
        if cluster.embedded
        else _create(cluster, missing, replication_factor)
    )
    failed = {name for name, (action, _) in answers.items() if action == "failed"}
    states = survey(_once_visible(cluster, [spec.name for spec in missing if spec.name not in failed]), specs)
    return [Outcome(state, *answers.get(state.spec.name, ("kept", ""))) for state in states]


def _create(cluster: Cluster, missing: Sequence[TopicSpec], replication_factor: int) -> dict[str, _Answer]:
    """Create topics; what came of each, and why it failed if it did."""
    futures = cluster.admin.create_topics(
        [NewTopic(spec.name, spec.partitions, replication_factor, config=spec.config()) for spec in missing],
        operation_timeout=CALL_TIMEOUT_S,
        request_timeout=CALL_TIMEOUT_S,
    )
    return {name: _answer(future) for name, future in futures.items()}


def _answer(future: Future[None]) -> _Answer:
    try:
        future.result(CALL_TIMEOUT_S)
    except KafkaException as error:
        # somebody else created it at the same moment: then it is there, and compared like any other
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return "kept", ""
        return "failed", error.args[0].str()
    except TimeoutError:
        return "failed", f"the broker did not answer within {CALL_TIMEOUT_S:.0f} s"
    return "created", ""


def _once_visible(cluster: Cluster, names: Sequence[str]) -> Cluster:
    """The cluster with new metadata, as soon as it shows these topics: a broker hears of them a moment after they are made."""
    deadline_s = time.monotonic() + CALL_TIMEOUT_S
    while True:
        seen = reach(cluster.config, CALL_TIMEOUT_S)
        if all(seen.partitions(name) for name in names) or time.monotonic() > deadline_s:
            return seen
        time.sleep(_LOOK_EVERY_S)


def _state(cluster: Cluster, spec: TopicSpec) -> TopicState:
    state = TopicState(spec, cluster.partitions(spec.name))
    if state.exists:
        replicas = (len(one.replicas) for one in cluster.metadata.topics[spec.name].partitions.values())
        state.replicas = min(replicas, default=0)
        if state.partitions != spec.partitions:
            state.differences.append(Difference("partitions", str(state.partitions), str(spec.partitions)))
    return state


def _compare_configs(cluster: Cluster, states: Sequence[TopicState]) -> None:
    resources = {state.spec.name: ConfigResource(ConfigResource.Type.TOPIC, state.spec.name) for state in states}
    futures: dict[ConfigResource, Any] = cluster.admin.describe_configs(list(resources.values()), request_timeout=CALL_TIMEOUT_S)
    by_name = {resource.name: future for resource, future in futures.items()}
    for state in states:
        try:
            found = by_name[state.spec.name].result(CALL_TIMEOUT_S)
        except KafkaException as error:
            state.unread = f"its settings could not be read: {error.args[0].str()}"
        except TimeoutError:
            state.unread = f"its settings could not be read: no answer within {CALL_TIMEOUT_S:.0f} s"
        else:
            state.differences.extend(_config_differences(state.spec, {name: entry.value for name, entry in found.items()}))


def _config_differences(spec: TopicSpec, found: dict[str, str | None]) -> list[Difference]:
    differences = []
    for name, wanted in sorted(spec.config().items()):
        value = found.get(name)
        if value is None:
            differences.append(Difference(name, "unknown to this broker", wanted))
        elif _normal(value) != _normal(wanted):
            differences.append(Difference(name, value, wanted))
    return differences


def _normal(value: str) -> str | float:
    """Numbers by their value (a broker writes 0.10 as 0.1), everything else by its text."""
    try:
        return float(value)
    except ValueError:
        return value
