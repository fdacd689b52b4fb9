"""How the figures of survey answers are read from a state, and shown."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from processors import csat, nps
from processors.health import Reading
from processors.intervals import adjusted_wald_nps, wilson
from processors.readings import UNKNOWN, Reader, count, shared
from processors.windows import D7, D30, D90, D180, Window
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.nps import NpsScale
    from processors.state import CustomerState

_NO_ANSWERS: Final = "no answers in the window"


def _csat(window: Window, state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    if not state.csat.by_touchpoint:
        return UNKNOWN
    return Reading(csat.share(state.csat, None, window, as_of_ms).value_pct, state.csat.newest_at)


def _nps(scale: "NpsScale", window: Window, state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    if scale not in state.nps.by_scale:
        return UNKNOWN
    return Reading(nps.counts(state.nps, scale, window, as_of_ms).score, state.nps.newest_at[scale])


READERS: Final[dict[str, Reader]] = {
    "csat_7d_pct": partial(_csat, D7),
    "csat_30d_pct": partial(_csat, D30),
    "csat_90d_pct": partial(_csat, D90),
    "nps_0_10_90d": partial(_nps, "0_10", D90),
    "nps_0_10_180d": partial(_nps, "0_10", D180),
    "nps_1_10_90d": partial(_nps, "1_10", D90),
    "nps_1_10_180d": partial(_nps, "1_10", D180),
}


@shared
def _share(touchpoint: str, window: Window, good: int, n: int) -> Figure:
    """The share of good answers in percent, with Wilson's interval."""
    interval = wilson(good, n)
    return Figure(
        name=f"csat_{window.name}_pct",
        dimension=touchpoint,
        window_days=window.days,
        value=csat.Share(good, n).value_pct,
        n=n,
        low=None if interval is None else 100 * interval.low,
        high=None if interval is None else 100 * interval.high,
        reason=None if n else _NO_ANSWERS,
    )


@shared
def _net_promoters(scale: "NpsScale", window: Window, counts: nps.Counts) -> Figure:
    """The Net Promoter Score, with the adjusted Wald interval."""
    interval = adjusted_wald_nps(*counts)
    return Figure(
        name=f"nps_{scale}_{window.name}",
        window_days=window.days,
        value=counts.score,
        n=counts.n,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        reason=None if counts.n else _NO_ANSWERS,
    )


def listed(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Iterator[Figure]:
    """The figures of answers, for a snapshot."""
    yield from _csat_figures(state.csat, as_of_ms)
    yield from _nps_figures(state.nps, as_of_ms)


def _csat_figures(state: csat.CsatState, as_of_ms: int) -> Iterator[Figure]:
    """The share of good answers, whole and by touchpoint, and on which scales they were given."""
    for window in (D7, D30, D90):
        found = csat.by_touchpoint(state, window, as_of_ms)
        shares = {touchpoint: csat.share_of(counts) for touchpoint, counts in found.items()}
        yield _share("", window, sum(share.good for share in shares.values()), sum(share.n for share in shares.values()))
        for touchpoint, share in shares.items():
            yield _share(touchpoint, window, share.good, share.n)
        for scale, n in csat.scales_of(map(sum, zip(*found.values(), strict=True))).items():
            yield count(f"csat_answers_{window.name}", n, scale, window.days)


def _nps_figures(state: nps.NpsState, as_of_ms: int) -> Iterator[Figure]:
    """The Net Promoter Score of each scale."""
    for scale in nps.SCALES:
        for window in (D90, D180):
            yield _net_promoters(scale, window, nps.counts(state, scale, window, as_of_ms))
