"""What an owner is told: the budget of alerts a day and how urgent an episode is, as the definitions file declares it."""

from itertools import pairwise
from typing import Any

from msgspec import Struct

from processors.curves import Curve
from processors.rule_file import SEVERITIES
from processors.toml_tables import Table, is_number
from schemas.records import Severity

_DEFAULT_URGENCY: dict[Severity, float] = {"info": 1, "warning": 2, "high": 4, "critical": 8}
_DEFAULT_RENEWAL = [[0, 3], [30, 2], [60, 1.5], [120, 1]]
_MAX_POINTS = 32


class AlertSettings(Struct, frozen=True):
    """Urgency = that of the severity x that of the days to the renewal (a curve of factors, 1 without a renewal)."""

    owner_budget_per_day: int
    most_listed: int
    urgency: dict[Severity, float]
    renewal_urgency: Curve


def read(top: Table) -> AlertSettings:
    """The section `[alerts]`; mistakes are noted at their place."""
    table = top.table("alerts")
    budget = table.integer("owner_budget_per_day", 20, least=0, most=10_000)
    most_listed = table.integer("most_listed", 100, least=1, most=1_000)
    by_severity = table.table("urgency")
    urgency = {name: by_severity.number(name, _DEFAULT_URGENCY[name], least=0, most=1_000) for name in SEVERITIES}
    by_severity.finish()
    renewal = _renewal(table)
    table.finish()
    return AlertSettings(budget, most_listed, urgency, renewal)


def _renewal(table: Table) -> Curve:
    points = table.any("renewal_urgency")
    shape = f"1 to {_MAX_POINTS} points [days, factor], days ascending, factors from 0 to 1000, for example {_DEFAULT_RENEWAL}"
    if points is None:
        points = _DEFAULT_RENEWAL
    if not isinstance(points, list) or not 1 <= len(points) <= _MAX_POINTS or not all(map(_is_point, points)):
        table.note("renewal_urgency", "is not a list of points", shape)
        points = _DEFAULT_RENEWAL
    if any(after[0] <= before[0] for before, after in pairwise(points)):
        table.note("renewal_urgency", "its days do not ascend", shape)
    return Curve(tuple(float(point[0]) for point in points), tuple(float(point[1]) for point in points))


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(is_number(number) for number in point) and 0 <= point[1] <= 1_000
