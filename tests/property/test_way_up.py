"""The cheapest way to the next band, held against every change on a fine grid."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from processors import health
from processors.curves import Curve
from processors.health import Assessment, assess_figures
from processors.scorecard_file import BANDS, Bands, Measure, Missing, Scorecard
from processors.way_up import change_size, way_up
from schemas.records import Band

COUNTS, SHARES = "goals_completed_30d", "csat_90d_pct"
POLICIES: tuple[Missing, ...] = ("redistribute", "neutral", "poor")
HEIGHTS = st.integers(0, 100).map(float)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    steps = draw(st.lists(st.integers(1, 10), min_size=1, max_size=4))
    xs = [float(draw(st.integers(0, 5)))]
    for step in steps:
        xs.append(xs[-1] + step)
    return Curve(tuple(xs), tuple(draw(HEIGHTS) for _ in xs))


@st.composite
def judged(draw: st.DrawFn) -> tuple[Scorecard, Assessment, Band]:
    measures = [
        Measure(
            f"m{place}", draw(st.sampled_from([COUNTS, SHARES])), draw(curves()), float(draw(st.integers(1, 9))), None, missing
        )
        for place, missing in enumerate(draw(st.lists(st.sampled_from(POLICIES), min_size=1, max_size=4)))
    ]
    card = Scorecard("s", "risk", (), Bands((40, 70), 3, 0), tuple(measures), 0)
    figures = [draw(st.none() | st.integers(0, 30).map(float)) for _ in measures]
    assessment = assess_figures(card, figures)
    return card, assessment, draw(st.sampled_from(BANDS))


def score_with(card: Scorecard, assessment: Assessment, place: int, figure: float) -> float:
    figures = [now.figure for now in assessment.measures]
    figures[place] = figure
    score = assess_figures(card, figures).score
    assert score is not None
    return score


def grid(measure: Measure) -> Iterator[float]:
    step = 1 if measure.figure == COUNTS else 16
    for number in range(61 * step):
        yield number / step


@settings(max_examples=300, deadline=None)
@given(judged())
def test_the_change_reaches_the_next_band_and_no_smaller_one_of_any_measure_does(
    given: tuple[Scorecard, Assessment, Band],
) -> None:
    card, assessment, band = given
    found = way_up(card, assessment, band)
    if assessment.score is None or band == "green":
        assert found is None
        return
    assert found is not None
    target = card.bands.cuts[BANDS.index(band)] + card.bands.margin
    if assessment.score >= target:
        return  # the band would not have been held
    sizes = [
        change_size(measure, now.figure, figure)
        for place, (measure, now) in enumerate(zip(card.measures, assessment.measures, strict=True))
        if now.figure is not None
        for figure in grid(measure)
        if score_with(card, assessment, place, figure) >= target
    ]
    if found.measure is None:
        assert not sizes
        assert "no single measure" in found.text
        return
    place = [measure.name for measure in card.measures].index(found.measure)
    assert found.figure_now is not None
    assert found.figure_needed is not None
    after = score_with(card, assessment, place, found.figure_needed)
    assert card.bands.after(band, after) != band
    assert found.to_band == BANDS[BANDS.index(band) + 1]
    size = change_size(card.measures[place], found.figure_now, found.figure_needed)
    assert all(size <= other + 1e-9 for other in sizes)
    if card.measures[place].figure == COUNTS:
        assert found.figure_needed.is_integer()


def test_the_score_is_the_one_that_is_judged() -> None:
    card = Scorecard(
        "s", "risk", (), Bands((40, 70), 3, 0), (Measure("m", SHARES, Curve((0.0, 100.0), (0.0, 100.0)), 1, None, "poor"),), 0
    )
    found = way_up(card, health.assess_figures(card, [60.0]), "yellow")
    assert found is not None
    assert (found.figure_now, found.figure_needed) == (60, 73)
