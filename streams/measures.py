"""How much a task has and has to do, for the metrics: cheap to make, once a second."""

from msgspec import Struct


class Measures(Struct, frozen=True, kw_only=True):
    """What a driver tells of itself. `due` are customers whose evaluation has come, `to_rejudge` those of older definitions."""

    clock_ms: int
    state_records: int
    state_bytes: int = 0
    due: int = 0
    to_rejudge: int = 0
