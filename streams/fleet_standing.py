"""How the whole fleet stands, for the metrics: what a publication was made of, whether it changed or not."""

from collections.abc import Sequence

from processors import maturity
from processors.fleet_figures import View
from processors.fleet_publication import Memory
from processors.fleet_touchpoints import touchpoint_map
from processors.fleet_view import FleetValue
from sinks.fleet_metrics import OpenAlert, Standing


def standing(view: View, values: Sequence[FleetValue], memory: Memory) -> Standing:
    """The values as they are given, with the map, the open alerts and the maturity that go with them."""
    plan = view.definitions.maturity
    return Standing(
        as_of_ms=view.as_of_ms,
        values=values,
        stations=touchpoint_map(view),
        alerts=_open_alerts(memory),
        criteria=maturity.assess(values, plan),
        plans=maturity.progress(values, plan, view.as_of_ms),
    )


def _open_alerts(memory: Memory) -> list[OpenAlert]:
    found = []
    for place, book in sorted(memory.books.items()):
        if book.open is not None:
            rule, _, feed = place.partition("|")
            found.append(OpenAlert(rule=rule, feed=feed, severity=book.open.severity))
    return found
