"""The figures of the whole fleet, of all families, as a publication shows them.

How a figure is made stands with its family, in the modules named `fleet_*`: each has a function `figures(view)`, and is one entry
of `MAKERS`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from processors import (
    fleet_alerts,
    fleet_commercial,
    fleet_departments,
    fleet_journey,
    fleet_load,
    fleet_loyalty,
    fleet_support,
    fleet_surveys,
    fleet_usage,
)
from processors.feeds import FEEDS
from processors.fleet import QUIET_FEEDS
from processors.fleet_state import Counts, FleetState
from processors.fleet_view import FleetValue, FleetView
from processors.sketch import above_which
from processors.windows import D30, Window

if TYPE_CHECKING:
    from processors.definitions import Definitions

Maker = Callable[[FleetView], Iterable[FleetValue]]

_TOP_SHARE: Final = 0.1
_TOP_NOTE: Final = "at most a tenth is strictly above; from bins 2 % wide (DDSketch)"

MRR_TOP_TENTH: Final = "mrr_top_tenth_cents"


class View:
    """The sums of a state, as its figures are made from them. It implements `FleetView`; `read` are the figures looked at."""

    __slots__ = ("_state", "as_of_ms", "definitions", "read")

    def __init__(self, state: FleetState, definitions: "Definitions") -> None:
        self._state = state
        self.as_of_ms = state.as_of_ms
        self.definitions = definitions
        self.read: set[str] = set()

    def dimensions(self, figure: str) -> list[str]:
        """The dimensions of a figure that were counted, sorted."""
        self.read.add(figure)
        return self._state.dimensions(figure)

    def total(self, figure: str, dimension: str, window: Window | None = None) -> Counts:
        """What a gauge stands at, or what a flow comes to over a window that ends at `as_of_ms`."""
        self.read.add(figure)
        return self._state.total(figure, dimension, window, self.as_of_ms)

    def buckets(self, figure: str, dimension: str) -> Mapping[int, Counts]:
        """A flow's counts by the start of their bucket, in epoch milliseconds."""
        self.read.add(figure)
        return self._state.buckets(figure, dimension)

    def parts(self, figure: str, dimension: str) -> Mapping[int, Counts]:
        """What each partition shows of a gauge or a clock."""
        self.read.add(figure)
        return self._state.parts((figure, dimension, None))

    def stale(self) -> Mapping[int, int]:
        """The partitions that stand still, and by how many milliseconds they are behind the newest."""
        return self._state.stale(self.definitions.fleet.stale_after_ms)


def customers(view: FleetView) -> Iterator[FleetValue]:
    """How many customers there are, by stage, and by currency the monthly revenue above which one is in the top tenth."""
    for stage in view.dimensions("customers"):
        yield _count("customers", stage, view.total("customers", stage)[0])
    bins: dict[str, dict[int, int]] = {}
    for name in view.dimensions("customers_by_mrr"):
        currency, _, number = name.rpartition("|")
        bins.setdefault(currency, {})[int(number)] = view.total("customers_by_mrr", name)[0]
    for currency, counts in bins.items():
        top = above_which(counts, _TOP_SHARE)
        value = None if top is None else float(top)
        yield FleetValue(figure=MRR_TOP_TENTH, dimension=currency, value=value, n=sum(counts.values()), note=_TOP_NOTE)


def events(view: FleetView) -> Iterator[FleetValue]:
    """What came in and what was odd in 30 days; in how many partitions each feed is quiet; the open episodes by rule."""
    for family in view.dimensions("events_by_day"):
        yield _count("events", family, view.total("events_by_day", family, D30)[0], D30)
    for oddity in view.dimensions("oddities_by_day"):
        yield _count("oddities", oddity, view.total("oddities_by_day", oddity, D30)[0], D30)
    for feed in FEEDS:
        yield _count("quiet_partitions", feed, len(view.parts(QUIET_FEEDS, feed)))
    for rule in view.dimensions("alerts_open"):
        yield _count("alerts_open", rule, view.total("alerts_open", rule)[0])


def _count(figure: str, dimension: str, n: int, window: Window | None = None) -> FleetValue:
    return FleetValue(
        figure=figure, dimension=dimension, window_days=None if window is None else window.days, value=float(n), n=n
    )


MAKERS: Final[tuple[Maker, ...]] = (
    customers,
    events,
    fleet_alerts.figures,
    fleet_commercial.figures,
    fleet_support.figures,
    fleet_surveys.figures,
    fleet_usage.figures,
    fleet_journey.figures,
    fleet_load.figures,
    fleet_departments.figures,
    fleet_loyalty.figures,
)
"""What makes the figures, one entry a family."""
