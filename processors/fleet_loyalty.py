"""The fleet by loyalty quadrant and health band: how many of the customers are where, with Wilson's interval.

The share of a quadrant is of the customers that have one; beside it stand churners among all and how many have none. Customers
are those of `names.is_customer`: no leads, no trials, none who are gone.
"""

from collections.abc import Iterator
from typing import Final

from processors.fleet_view import FleetValue, FleetView
from processors.intervals import wilson
from processors.loyalty_file import QUADRANTS
from processors.names import is_customer
from processors.scorecard_file import BANDS

_NO_CUSTOMERS: Final = "no customers"


def figures(view: FleetView) -> Iterator[FleetValue]:
    """The shares of quadrants and bands."""
    customers = sum(view.total("customers", stage)[0] for stage in view.dimensions("customers") if is_customer(stage))
    quadrants = {quadrant: view.total("quadrant", quadrant)[0] for quadrant in QUADRANTS if quadrant != "unknown"}
    known = sum(quadrants.values())
    for quadrant, number in quadrants.items():
        yield _share(f"{quadrant}_share", number, known, "no customer has a quadrant")
    yield _share("churner_share_of_all", quadrants["churner"], customers, _NO_CUSTOMERS)
    yield _share("quadrant_unknown_share", customers - known, customers, _NO_CUSTOMERS)
    bands = {band: view.total("health_band", band)[0] for band in BANDS}
    for band, number in bands.items():
        yield _share("band_share", number, sum(bands.values()), "no customer has a band", band)
    yield _share("band_unknown_share", customers - sum(bands.values()), customers, _NO_CUSTOMERS)


def _share(figure: str, numerator: int, denominator: int, reason: str, dimension: str = "") -> FleetValue:
    # The parts of a count can come one after the other: a share stays within its bounds all the while.
    numerator = max(0, min(numerator, denominator))
    bounds = wilson(numerator, denominator)
    if bounds is None:
        return FleetValue(figure=figure, dimension=dimension, numerator=0.0, denominator=0.0, n=0, reason=reason)
    return FleetValue(
        figure=figure,
        dimension=dimension,
        value=numerator / denominator,
        numerator=float(numerator),
        denominator=float(denominator),
        n=denominator,
        low=bounds.low,
        high=bounds.high,
    )
