"""What a worker's tasks tell the metrics: plain values, taken once a commit and once a second."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Committed(Struct, frozen=True, kw_only=True):
    """One commit of a task. `latencies_s` has the age of each input record when the commit was visible."""

    records: int
    output_topics: Sequence[str]
    changelog_bytes: Mapping[str, int]
    dead_letter_reasons: Sequence[str]
    events: Mapping[str, int]
    oddities: Mapping[str, int]
    took_s: float
    latencies_s: Sequence[float]


class RunningSample(Struct, frozen=True, kw_only=True):
    """How a task that reads stands: `lag_records` by topic of which the end is known, `lag_s` in event time, the rest as the
    metrics of these names.
    """

    lag_records: Mapping[str, int]
    lag_s: float
    clock_ms: int
    due: int
    to_rejudge: int
    state_records: int
    state_bytes: int
    config_version: int


class TaskSample(Struct, frozen=True, kw_only=True):
    """How a task stands; `queued` are the records that wait, by topic, and `running` is None while it does not read."""

    label: str
    phase: str
    queued: Mapping[str, int]
    running: RunningSample | None
