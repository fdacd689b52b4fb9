"""Scorecards: what a health score is made of, and how the definitions file declares it."""

from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct

from processors.account_state import Stage
from processors.curves import Curve
from processors.toml_tables import Table, did_you_mean, is_number
from processors.vocabulary import MEASURABLE, TERMS
from processors.windows import DAY_MS
from schemas.records import Band

_MAX_POINTS = 32
_MAX_MEASURES = 32
STANDARD = "standard"  # the scorecard of whoever no other fits

Missing: TypeAlias = Literal["redistribute", "neutral", "poor"]
Purpose: TypeAlias = Literal["risk", "upgrade_readiness", "advocacy"]
BANDS: tuple[Band, ...] = ("red", "yellow", "green")
_PURPOSES: tuple[Purpose, ...] = ("risk", "upgrade_readiness", "advocacy")
_STAGES: tuple[Stage, ...] = get_args(Stage)
_POLICIES: tuple[Missing, ...] = ("redistribute", "neutral", "poor")


class Measure(Struct, frozen=True):
    """One figure on a curve with a weight.

    A figure whose newest event is older than `stale_after_ms` (None: never) counts as missing; `missing` says what becomes of
    the weight then.
    """

    name: str
    figure: str
    curve: Curve
    weight: float
    stale_after_ms: int | None
    missing: Missing


class Bands(Struct, frozen=True):
    """`cuts` are the lowest scores of yellow and of green; a change of band needs `margin` more; a band needs the coverage."""

    cuts: tuple[float, float]
    margin: float
    least_coverage_share: float

    def plain(self, score: float) -> Band:
        """The band of a score that had none before: without margin."""
        return BANDS[(score >= self.cuts[0]) + (score >= self.cuts[1])]

    def after(self, band: Band, score: float) -> Band:
        """The band of a score that had `band` before: up at a boundary + margin, down at a boundary - margin."""
        index = BANDS.index(band)
        while index < len(self.cuts) and score >= self.cuts[index] + self.margin:
            index += 1
        while index and score < self.cuts[index - 1] and score <= self.cuts[index - 1] - self.margin:
            index -= 1
        return BANDS[index]


class Scorecard(Struct, frozen=True, cache_hash=True):
    """The measures of one purpose for the customers of some segments and stages (empty: of any).

    `settles_after_ms`: that long after the newest sign of life no measure moves any more by time alone.
    """

    name: str
    purpose: Purpose
    segments: tuple[str, ...]
    bands: Bands
    measures: tuple[Measure, ...]
    settles_after_ms: int
    stages: tuple[str, ...] = ()

    @property
    def is_for_everybody(self) -> bool:
        """Whether it fits every customer."""
        return not self.segments and not self.stages

    def fits(self, segment: str | None, stage: Stage = "unknown") -> bool:
        """Whether it is for customers of this segment who stand at this stage."""
        return (not self.segments or segment in self.segments) and (not self.stages or stage in self.stages)


def choose(scorecards: tuple[Scorecard, ...], segment: str | None, stage: Stage = "unknown") -> Scorecard:
    """The scorecard of a customer: the first that fits in the order of the file, else the one called `standard`."""
    for scorecard in scorecards:
        if scorecard.fits(segment, stage):
            return scorecard
    return next(scorecard for scorecard in scorecards if scorecard.name == STANDARD)


def read(top: Table) -> dict[Purpose, tuple[Scorecard, ...]]:
    """The scorecards of the file by purpose; mistakes are noted at their place."""
    tables = top.tables("scorecards")
    if not tables:
        top.note("scorecards", "there is none", "at least one [[scorecards]]")
    top.note_duplicates("scorecards", tables)
    found: dict[Purpose, list[Scorecard]] = {}
    for table in tables:
        scorecard = _scorecard(table)
        found.setdefault(scorecard.purpose, []).append(scorecard)
    for purpose, scorecards in found.items():
        if not any(scorecard.is_for_everybody or scorecard.name == STANDARD for scorecard in scorecards):
            expected = f'one of them without segments and stages, or called "{STANDARD}"'
            top.note("scorecards", f'customers of an unknown segment have none for the purpose "{purpose}"', expected)
    return {purpose: tuple(scorecards) for purpose, scorecards in found.items()}


def _scorecard(table: Table) -> Scorecard:
    name = table.name("name")
    purpose = table.choice("purpose", _PURPOSES, "risk")
    segments = table.texts("segments")
    stages = _stages(table)
    bands = _bands(table.table("bands"))
    measure_tables = table.tables("measures")
    if not 1 <= len(measure_tables) <= _MAX_MEASURES:
        table.note("measures", f"there are {len(measure_tables)}", f"1 to {_MAX_MEASURES} [[scorecards.measures]]")
    table.note_duplicates("measures", measure_tables)
    measures = tuple(_measure(measure) for measure in measure_tables)
    table.finish()
    settles = max((_settles_after_ms(measure) for measure in measures), default=0)
    return Scorecard(name, purpose, segments, bands, measures, settles, stages)


def _stages(table: Table) -> tuple[str, ...]:
    stages = table.texts("stages")
    for stage in stages:
        if stage not in _STAGES:
            table.note("stages", f'there is no stage "{stage}"', did_you_mean(stage, _STAGES))
    return stages


def _bands(table: Table) -> Bands:
    yellow = table.number("yellow_from", 40, least=0, most=100)
    green = table.number("green_from", 70, least=0, most=100)
    margin = table.number("margin", 3, least=0, most=50)
    coverage = table.number("least_coverage_pct", 50, least=0, most=100)
    if yellow >= green:
        table.note("green_from", f"{green:g} is not above yellow_from, {yellow:g}", "a higher score for green")
    table.finish()
    return Bands((yellow, green), margin, coverage / 100)


def _measure(table: Table) -> Measure:
    name = table.name("name")
    figure = _figure(table)
    curve = _curve(table)
    weight = table.number("weight", least=0, most=1_000_000)
    if weight == 0 and table.peek("weight") == 0:
        table.note("weight", "0 is no weight", "a number above 0")
    stale_after_ms = table.integer("stale_after_days", least=1, most=3650) * DAY_MS if table.has("stale_after_days") else None
    missing = table.choice("missing", _POLICIES, "redistribute")
    table.finish()
    return Measure(name, figure, curve, weight, stale_after_ms, missing)


def _figure(table: Table) -> str:
    value = table.peek("figure")
    if isinstance(value, list) and any(isinstance(item, str) and item.startswith("nps") for item in value):
        table.any("figure")
        table.note("figure", "the NPS scales are never mixed in one figure", "one figure, for example nps_0_10_180d")
        return ""
    figure = table.text("figure")
    if not figure or figure in MEASURABLE:
        return figure
    if figure.startswith("nps") and figure not in TERMS and not figure.startswith(("nps_0_10", "nps_1_10")):
        names = " or ".join(name for name in MEASURABLE if name.startswith("nps"))
        table.note("figure", f'"{figure}" does not name its scale, and the NPS scales are never mixed', names)
    elif figure in TERMS:
        table.note("figure", f'"{figure}" cannot be measured', did_you_mean(figure, MEASURABLE))
    else:
        table.note("figure", f'there is no figure "{figure}"', did_you_mean(figure, MEASURABLE))
    return figure


def _curve(table: Table) -> Curve:
    points = table.any("curve")
    shape = "2 to 32 points [figure, 0-100], for example [[0, 0], [10, 100]]"
    if not isinstance(points, list) or not 2 <= len(points) <= _MAX_POINTS or not all(_is_point(point) for point in points):
        table.note("curve", "is missing" if points is None else "is not a list of points", shape)
        return Curve((0.0, 1.0), (0.0, 100.0))
    xs = tuple(float(point[0]) for point in points)
    ys = tuple(float(point[1]) for point in points)
    for before, after in pairwise(xs):
        if after <= before:
            table.note("curve", f"{after:g} follows {before:g}", "points whose first numbers ascend")
    for y in ys:
        if not 0 <= y <= 100:
            table.note("curve", f"{y:g} is off the scale", "second numbers from 0 to 100")
    return Curve(xs, ys)


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(is_number(number) for number in point)


def _settles_after_ms(measure: Measure) -> int:
    """How long after the newest sign of life the measure can still change by time alone."""
    term = TERMS.get(measure.figure)
    if term is None:
        return 0
    days = 0.0
    if term.window_days is not None:
        days = term.window_days + 1  # the window ends with a whole day
    if term.per_day:
        days = max(days, measure.curve.xs[-1] + 1)
    return max(int(days * DAY_MS), (measure.stale_after_ms or -1) + 1)
