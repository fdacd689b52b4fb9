"""What the figures of the whole fleet are made from, and what a made one is.

The counts of all partitions, added up, are given as a `FleetView`; each family's `fleet_*` module makes `FleetValue`s from it
with a function `figures(view)`. Ratios are made only here, from sums, and never averaged.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from processors.windows import Window

if TYPE_CHECKING:
    from processors.definitions import Definitions


class FleetView(Protocol):
    """The counts of `processors.fleet.FIGURES`, summed over all partitions."""

    @property
    def as_of_ms(self) -> int:
        """The time up to which all partitions are complete."""

    @property
    def definitions(self) -> "Definitions":
        """The definitions in force."""

    def dimensions(self, figure: str) -> Iterable[str]:
        """The dimensions of a figure that were counted, sorted."""

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:
        """What a gauge stands at, or what a flow comes to over a window that ends at `as_of_ms`; zeros without any count."""

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        """A flow's counts by the start of their bucket, in epoch milliseconds."""

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        """What each partition shows of a gauge or a clock; those that show nothing are missing."""


class FleetValue(Struct, frozen=True, kw_only=True):
    """A figure of the whole fleet, as a family makes it; the fields are those of `schemas.records.FleetSnapshot`.

    `value` is None when it cannot be known, and `reason` then says why; `note` says what limits a figure that is known.
    """

    figure: str
    dimension: str = ""
    window_days: int | None = None
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    note: str | None = None
