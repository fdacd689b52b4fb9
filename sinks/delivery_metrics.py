"""Every metric of alert delivery: its name, type, unit and meaning.

Names begin with `cspulse_` and are in base units; no label holds a customer. A destination is named as in the definitions.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CALL_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
DELAY_BUCKETS_S = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0)


class DeliveryMetrics:
    """The metrics of the destinations of one process. Thread-safe, as prometheus-client's are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notices = Counter(
            "cspulse_delivery_notices",
            "States of episodes and lists that are settled, by what became of them: delivered; refused for good or expired (each "
            "a record on cs.delivery-failures); muted; held for the owner's digest; digest, what changed in one that it told "
            "of; history, too old to be told.",
            ["destination", "outcome"],
            registry=registry,
        )
        self.calls = Counter(
            "cspulse_delivery_calls",
            "Calls of a destination by its answer: taken, try_again (a status that passes), refused, or unreachable.",
            ["destination", "answer"],
            registry=registry,
        )
        self.call_duration = Histogram(
            "cspulse_delivery_call_duration_seconds",
            "From a call of a destination to its answer, or to the end of the wait for one.",
            ["destination"],
            buckets=CALL_BUCKETS_S,
            registry=registry,
        )
        self.delay = Histogram(
            "cspulse_delivery_delay_seconds",
            "From the publication of a record to the answer of the destination that took it.",
            ["destination"],
            buckets=DELAY_BUCKETS_S,
            registry=registry,
        )
        self.failing = Gauge(
            "cspulse_delivery_failed_calls_in_a_row",
            "Calls of a destination since it last took a message; 0 when all is well.",
            ["destination"],
            registry=registry,
        )
