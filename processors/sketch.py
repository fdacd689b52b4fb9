"""Quantiles from counts by bin: a sketch whose parts are added up, and taken back, like any other counts.

The bins are those of DDSketch at a relative error of 1 %: bin b holds the values in (g^(b-1), g^b], g = 1.01 / 0.99. A sketch
is a mapping from bin to count and nothing else, so it can live in any flow by day. Two sketches are merged by adding their
counts, and a value is taken back by counting -1 in its bin, which a sketch that keeps sums or extremes could not do.

Source: C. Masson, J. E. Rim, H. K. Lee, DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees,
PVLDB 12 (2019). The bins come from its authors' library `ddsketch`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from ddsketch.mapping import LogarithmicMapping

RELATIVE_ERROR: Final = 0.01
"""A quantile from the bins lies within this share of the exact one."""

ERROR_NOTE: Final = "percentiles within 1 % (DDSketch)"
"""What is said beside every figure that comes from a sketch."""

_MAPPING: Final = LogarithmicMapping(RELATIVE_ERROR)

BEFORE_BIN: Final = "/"
"""Stands between a name and the bin of its values in the dimension of a flow; a bin has none, whatever the name has."""

ZERO_BIN: Final = -40_000
"""The bin of 0 and of everything below it; it sorts before the bin of the smallest number that a float can hold."""


def dimension_of(name: str, sketch_bin: int) -> str:
    """The dimension under which a flow counts the values of a name that are in a bin."""
    return f"{name}{BEFORE_BIN}{sketch_bin}"


@lru_cache(maxsize=16_384)
def place_of(dimension: str) -> tuple[str, int]:
    """The name and the bin that such a dimension speaks of."""
    name, _, number = dimension.rpartition(BEFORE_BIN)
    return name, int(number)


def bin_of(value: float) -> int:
    """The bin that a value falls into, in whatever unit it has; the value must be finite."""
    assert math.isfinite(value), "no bin holds what is not a number"
    return int(_MAPPING.key(value)) if value > _MAPPING.min_possible else ZERO_BIN


def value_of(sketch_bin: int) -> float:
    """The value that stands for a bin: within 1 % of every value in it, 0 for the bin of 0."""
    return 0.0 if sketch_bin == ZERO_BIN else float(_MAPPING.value(sketch_bin))


def largest_in(sketch_bin: int) -> int:
    """The largest whole number that is in a bin or in one below it."""
    if sketch_bin == ZERO_BIN:
        return 0
    found = math.floor(value_of(sketch_bin) * (1 + _MAPPING.gamma) / 2)
    while bin_of(found + 1) <= sketch_bin:
        found += 1
    while bin_of(found) > sketch_bin:
        found -= 1
    return found


def above_which(counts: Mapping[int, int], share: float) -> int | None:
    """The whole number that at most this share of the whole numbers counted by bin lie above; None when none is counted.

    It is the smallest such number to the width of a bin, so up to 2 % above the exact one: fewer may lie above it, never more.
    """
    most, above = share * total(counts), 0
    for sketch_bin in sorted(counts, reverse=True):
        above += max(0, counts[sketch_bin])
        if above > most:
            return largest_in(sketch_bin)
    return None


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """The q-quantile, 0 <= q <= 1, of the values counted by bin; None when none is.

    It is the lower quantile, as DDSketch answers: of n values in order, counted from 0, the one at rank floor(q * (n - 1)). A bin
    with a count below 1 is empty.
    """
    (value,) = quantiles(counts, (q,))
    return value


def quantiles(counts: Mapping[int, int], qs: Sequence[float]) -> list[float | None]:
    """Several quantiles of the same values, smallest first, in one pass."""
    n = total(counts)
    if n == 0:
        return [None for _ in qs]
    found: list[float | None] = []
    passed = 0
    bins = iter(sorted(counts))
    sketch_bin = ZERO_BIN
    for q in qs:
        assert 0 <= q <= 1, "a quantile lies between 0 and 1"
        rank = q * (n - 1)
        while passed <= rank:  # the last bin passes every rank
            sketch_bin = next(bins)
            passed += max(0, counts[sketch_bin])
        found.append(value_of(sketch_bin))
    return found


def total(counts: Mapping[int, int]) -> int:
    """How many values are counted."""
    return sum(count for count in counts.values() if count > 0)


def merged(sketches: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The sketch of all values of several; bins that come to 0 are left out."""
    sums: dict[int, int] = {}
    for counts in sketches:
        for sketch_bin, count in counts.items():
            sums[sketch_bin] = sums.get(sketch_bin, 0) + count
    return {sketch_bin: count for sketch_bin, count in sums.items() if count}
