"""A Kafka broker inside this process, for the demo and for fast tests: nothing to install.

librdkafka, which the confluent-kafka wheel carries, contains a cluster simulator: real sockets on the loopback interface,
consumer groups, idempotent and transactional producers, injected faults. It is reached here through its C functions
(`rdkafka_mock.h`), whose interface its authors call experimental; the wheel's version is exact for that reason.

It proves nothing about durability or isolation. What it does not do:

* Everything is in memory and ends with the process. There is no replication and no compaction.
* A partition keeps at most `PARTITION_BYTES_MAX` of batches as they were sent (compressed, if they were) and at most
  `PARTITION_BATCHES_MAX` batches. Beyond either it drops its oldest batches and tells nobody; a low watermark above 0 is
  the only trace.
* `read_committed` consumers see aborted records and records of open transactions, and the commit of a fenced producer is
  accepted.
* Offsets sent within a transaction are accepted and forgotten: `committed` never shows them. Plain commits are kept.
* A transaction leaves a marker: offsets have a gap, and the high watermark lies behind the last visible record. Wait for the
  end of a partition by its event, never for a position equal to the watermark.
* Topics cannot be created or described through the Kafka protocol: use `EmbeddedBroker.create_topic`. Topic settings
  (retention, largest message, timestamp limits) do not exist.
"""

import ctypes
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import KafkaError, cimpl

PARTITION_BYTES_MAX: Final = 5 * 1024 * 1024
"""Bytes of batches a partition keeps (`max_size` in `rd_kafka_mock_partition_init`)."""

PARTITION_BATCHES_MAX: Final = 100_000
"""Batches, not records, that a partition keeps (`max_cnt` in `rd_kafka_mock_partition_init`)."""

ALL_BROKERS: Final = -1
"""Stands for every broker where a broker's id is asked for; ids count from 1."""

_CLUSTER_ID_PREFIX: Final = "mockCluster"  # rd_kafka_mock_cluster_new
_PRODUCER: Final = 0  # rd_kafka_type_t
_LOG_LEVEL: Final = b"3"  # errors only: the instance warns that it has no servers, and needs none
_ERROR_TEXT_BYTES: Final = 512
_NO_ERROR: Final = 0


def is_embedded(cluster_id: str | None) -> bool:
    """Whether a cluster is the simulator, by the id that its metadata carries (`ClusterMetadata.cluster_id`)."""
    return cluster_id is not None and cluster_id.startswith(_CLUSTER_ID_PREFIX)


class EmbeddedBrokerError(Exception):
    """The embedded broker could not be started, or refused a command.

    `code` is librdkafka's error code, None where there is none.
    """

    def __init__(self, action: str, message: str, code: int | None = None) -> None:
        super().__init__(f"embedded broker: {action}: {message}")
        self.action = action
        self.code = code


class EmbeddedBrokerStopped(EmbeddedBrokerError):
    """A command for a broker that has been stopped."""

    def __init__(self, action: str) -> None:
        super().__init__(action, "the broker has been stopped")


class EmbeddedBroker:
    """A simulated Kafka cluster that runs from its construction to `stop()`; also a context manager.

    Its methods may be called from any thread.
    """

    def __init__(self, brokers: int = 1, *, rebalance_delay_ms: int = 100) -> None:
        """Start `brokers` brokers on free ports of 127.0.0.1.

        `rebalance_delay_ms` is how long a new consumer group waits for further members before its first assignment.

        Raises:
            EmbeddedBrokerError: the simulator is not in this build of confluent-kafka, or did not start.
        """
        if brokers < 1:
            raise EmbeddedBrokerError("start", f"needs at least one broker, not {brokers}")
        self._lock = threading.Lock()
        self._library = _library()
        self._handle: int | None = _new_handle(self._library)
        self._cluster: int | None = self._library.rd_kafka_mock_cluster_new(self._handle, brokers)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._handle)
            raise EmbeddedBrokerError("start", "the simulator could not open its sockets on 127.0.0.1")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, rebalance_delay_ms)
        self.bootstrap_servers: Final[str] = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        """What clients take as `bootstrap.servers`: host and port of each broker."""

    def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic.

        Raises:
            EmbeddedBrokerError: it exists already (`code` 36), or the number of partitions is not positive.
        """
        if partitions < 1:
            raise EmbeddedBrokerError(f"create topic {name}", f"needs at least one partition, not {partitions}")
        self._command(f"create topic {name}", self._library.rd_kafka_mock_topic_create, name.encode(), partitions, 1)

    def set_down(self, broker_id: int = ALL_BROKERS) -> None:
        """Cut a broker's connections and accept no new ones. Leaders stay where they are."""
        self._command(f"set broker {broker_id} down", self._library.rd_kafka_mock_broker_set_down, broker_id)

    def set_up(self, broker_id: int = ALL_BROKERS) -> None:
        """Let a broker accept connections again, on its old port."""
        self._command(f"set broker {broker_id} up", self._library.rd_kafka_mock_broker_set_up, broker_id)

    def set_round_trip_ms(self, round_trip_ms: int, broker_id: int = ALL_BROKERS) -> None:
        """Delay each of a broker's answers by this much."""
        self._command(f"delay broker {broker_id}", self._library.rd_kafka_mock_broker_set_rtt, broker_id, round_trip_ms)

    def fail_requests(self, api_key: int, error_codes: Sequence[int]) -> None:
        """Answer the next requests of one kind with these errors, one each, in this order.

        `api_key` is the Kafka protocol's number of the request: 0 Produce, 1 Fetch, 22 InitProducerId, 26 EndTxn.
        """
        codes = (ctypes.c_int * len(error_codes))(*error_codes)
        with self._lock:
            cluster = self._running(f"fail requests {api_key}")
            self._library.rd_kafka_mock_push_request_errors_array(cluster, api_key, len(error_codes), codes)

    def stop(self) -> None:
        """End the cluster and forget everything in it. A second call does nothing."""
        with self._lock:
            if self._cluster is None:
                return
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _command(self, action: str, function: Callable[..., int], *arguments: object) -> None:
        with self._lock:
            code = function(self._running(action), *arguments)
        if code != _NO_ERROR:
            raise EmbeddedBrokerError(action, str(KafkaError(code).str()), code)

    def _running(self, action: str) -> int:
        if self._cluster is None:
            raise EmbeddedBrokerStopped(action)
        return self._cluster


# Result and parameters of each function, as rdkafka.h and rdkafka_mock.h declare them. A pointer is c_void_p throughout:
# ctypes would otherwise cut it to 32 bits.
_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "rd_kafka_conf_new": (ctypes.c_void_p, []),
    "rd_kafka_conf_destroy": (None, [ctypes.c_void_p]),
    "rd_kafka_conf_set": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t],
    ),
    "rd_kafka_new": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
    "rd_kafka_destroy": (None, [ctypes.c_void_p]),
    "rd_kafka_mock_cluster_new": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]),
    "rd_kafka_mock_cluster_destroy": (None, [ctypes.c_void_p]),
    "rd_kafka_mock_cluster_bootstraps": (ctypes.c_char_p, [ctypes.c_void_p]),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_topic_create": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
    "rd_kafka_mock_broker_set_down": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_up": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    "rd_kafka_mock_broker_set_rtt": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int]),
    "rd_kafka_mock_push_request_errors_array": (
        None,
        [ctypes.c_void_p, ctypes.c_int16, ctypes.c_size_t, ctypes.POINTER(ctypes.c_int)],
    ),
}


def _library() -> ctypes.CDLL:
    """The librdkafka that confluent-kafka itself has loaded, so that there is one copy of it in the process."""
    path = cimpl.__file__
    try:
        library = ctypes.CDLL(path)
        for name, (result, parameters) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = parameters
    except (OSError, AttributeError) as error:
        raise EmbeddedBrokerError("load librdkafka", f"{path} does not offer its simulator ({error})") from error
    return library


def _new_handle(library: ctypes.CDLL) -> int:
    """The client instance that the simulator needs for its own bookkeeping; it talks to nobody."""
    text = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
    configuration = library.rd_kafka_conf_new()
    library.rd_kafka_conf_set(configuration, b"log_level", _LOG_LEVEL, text, len(text))
    handle: int | None = library.rd_kafka_new(_PRODUCER, configuration, text, len(text))
    if not handle:
        library.rd_kafka_conf_destroy(configuration)  # a handle would have taken it over
        raise EmbeddedBrokerError("start", text.value.decode(errors="replace"))
    return handle
