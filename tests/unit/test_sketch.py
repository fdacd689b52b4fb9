import pytest

from processors.sketch import ZERO_BIN, bin_of, merged, quantile, total, value_of


@pytest.mark.parametrize("value", [1, 2, 59_000, 3_600_000, 86_400_000, 7_776_000_000, 1e-9, 0.5, 1e18])
def test_the_value_of_a_bin_lies_within_one_percent_of_what_fell_into_it(value: float) -> None:
    assert value_of(bin_of(value)) == pytest.approx(value, rel=0.01 + 1e-9)


@pytest.mark.parametrize("value", [0, -1, -3_600_000, -0.0])
def test_zero_and_below_have_a_bin_of_their_own(value: float) -> None:
    assert bin_of(value) == ZERO_BIN
    assert value_of(ZERO_BIN) == 0


def test_the_bin_of_zero_sorts_before_all_others() -> None:
    assert bin_of(5e-308) > ZERO_BIN


def test_the_quantile_of_nothing_is_unknown() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({7: 0}, 0.5) is None


def test_one_value_is_all_its_quantiles() -> None:
    assert quantile({700: 1}, 0) == quantile({700: 1}, 0.5) == quantile({700: 1}, 1) == value_of(700)


def test_the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle() -> None:
    assert quantile({10: 1, 20: 1, 30: 1, 40: 1}, 0.5) == value_of(20)


def test_a_taken_back_value_leaves_no_trace() -> None:
    assert merged([{10: 1, 20: 2}, {10: -1}]) == {20: 2}
    assert quantile({10: 0, 20: 2}, 0) == value_of(20)


def test_a_bin_below_zero_is_empty() -> None:
    assert total({10: -1, 20: 1}) == 1
    assert quantile({10: -1, 20: 1}, 0.5) == value_of(20)


def test_what_is_not_finite_is_refused() -> None:
    with pytest.raises(AssertionError):
        bin_of(float("inf"))
