import math
from collections import Counter

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from processors.sketch import bin_of, merged, quantile

DURATIONS_MS = st.one_of(st.integers(0, 100_000), st.integers(0, 200 * 86_400_000))
VALUES = st.lists(st.one_of(DURATIONS_MS, st.floats(0, 1e15)), min_size=1, max_size=80)
QS = st.one_of(st.sampled_from([0, 0.5, 0.9, 0.95, 1]), st.floats(0, 1))


def counted(values: list[float]) -> Counter[int]:
    return Counter(bin_of(value) for value in values)


@given(VALUES, QS)
def test_a_quantile_lies_within_one_percent_of_the_exact_lower_quantile(values: list[float], q: float) -> None:
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert quantile(counted(values), q) == pytest.approx(exact, rel=0.01 + 1e-9, abs=1e-300)


@given(VALUES, QS)
def test_a_quantile_is_the_one_that_the_library_s_own_sketch_answers(values: list[float], q: float) -> None:
    sketch = DDSketch(0.01)
    for value in values:
        sketch.add(value)
    assert quantile(counted(values), q) == sketch.get_quantile_value(q)


@given(VALUES, VALUES, QS)
def test_merging_is_adding_as_in_the_library(values: list[float], others: list[float], q: float) -> None:
    sketch, other = DDSketch(0.01), DDSketch(0.01)
    for value in values:
        sketch.add(value)
    for value in others:
        other.add(value)
    sketch.merge(other)
    both = merged([counted(values), counted(others)])
    assert both == counted(values + others)
    assert quantile(both, q) == sketch.get_quantile_value(q)


@given(VALUES, VALUES)
def test_taking_back_undoes_adding(values: list[float], others: list[float]) -> None:
    taken_back = {sketch_bin: -count for sketch_bin, count in counted(others).items()}
    assert merged([counted(values + others), taken_back]) == counted(values)
