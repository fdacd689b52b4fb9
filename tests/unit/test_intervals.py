import pytest

from processors.intervals import Interval, adjusted_wald_nps, newcombe, wilson


def rounded(interval: Interval | None, digits: int) -> tuple[float, float]:
    assert interval is not None
    return round(interval.low, digits), round(interval.high, digits)


@pytest.mark.parametrize(
    ("good", "n", "expected"),
    [(8, 10, (0.4902, 0.9433)), (0, 5, (0.0, 0.4345)), (10, 10, (0.7225, 1.0)), (0, 1, (0.0, 0.7935))],
)
def test_the_interval_of_a_share_is_wilsons(good: int, n: int, expected: tuple[float, float]) -> None:
    assert rounded(wilson(good, n), 4) == expected


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None


def test_the_ends_of_a_share_are_exact() -> None:
    assert all(wilson(0, n).low == 0.0 and wilson(n, n).high == 1.0 for n in range(1, 300))  # type: ignore[union-attr]  # n > 0


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "expected"),
    [(5, 3, 2, (-19.1, 65.2)), (10, 0, 0, (47.5, 100.0)), (0, 0, 10, (-100.0, -47.5))],
)
def test_the_interval_of_an_nps_is_adjusted_wald(
    promoters: int, passives: int, detractors: int, expected: tuple[float, float]
) -> None:
    assert rounded(adjusted_wald_nps(promoters, passives, detractors), 1) == expected


@pytest.mark.parametrize(("answers", "nps"), [((1, 0, 0), 100), ((0, 0, 1), -100), ((0, 1, 0), 0)])
def test_the_interval_of_a_single_answer_holds_its_nps(answers: tuple[int, int, int], nps: int) -> None:
    interval = adjusted_wald_nps(*answers)
    assert interval is not None
    assert -100 <= interval.low <= nps <= interval.high <= 100


def test_an_nps_of_no_answers_has_no_interval() -> None:
    assert adjusted_wald_nps(0, 0, 0) is None


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(counts: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    """The examples of the paper's table II, method 10."""
    assert rounded(newcombe(*counts), 4) == expected


def test_a_difference_to_nothing_has_no_interval() -> None:
    assert newcombe(1, 2, 0, 0) is None
    assert newcombe(0, 0, 1, 2) is None


def test_a_difference_turned_round_has_the_interval_turned_round() -> None:
    one, other = newcombe(3, 8, 5, 6), newcombe(5, 6, 3, 8)
    assert one is not None
    assert other is not None
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
