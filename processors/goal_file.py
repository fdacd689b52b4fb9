"""The section `[[goals]]` of the definitions file: what customers want from the product, and how much of it is expected."""

from collections.abc import Container
from typing import Final, Literal

from msgspec import Struct

from processors.names import OTHER
from processors.toml_tables import Table

GoalKind = Literal["count", "per_active_user", "reach", "correct_ratio"]

MAX_GOALS: Final = 64
_MOST: Final = 1e9
_KINDS: Final[tuple[GoalKind, ...]] = ("count", "per_active_user", "reach", "correct_ratio")
_SHARES: Final = ("reach", "correct_ratio")


class Goal(Struct, frozen=True):
    """What a customer wants from the product; `kind` says how its attainment is measured.

    What is expected in 30 days, unless the contract promised otherwise, is told for everybody or by segment, in the unit of the
    kind: completions (count), completions per active user (per_active_user), 1 (reach), the share completed / (completed +
    failed) (correct_ratio). 0 or None: nothing is expected. `touchpoint` is the station where it is worked for, whose department
    answers for it; None: none of them.
    """

    name: str
    kind: GoalKind
    label: str
    expected_per_30_days: float | None = None
    expected_by_segment: dict[str, float] = {}
    touchpoint: str | None = None

    def expected(self, segment: str | None) -> float | None:
        """What is expected in 30 days of a customer of this segment."""
        if segment is not None and segment in self.expected_by_segment:
            return self.expected_by_segment[segment]
        return self.expected_per_30_days


def read(top: Table, touchpoints: Container[str]) -> dict[str, Goal]:
    """The goals, in the order of the file."""
    tables = top.tables("goals")
    if len(tables) > MAX_GOALS:
        top.note("goals", f"there are {len(tables)} of them", f"at most {MAX_GOALS}")
    top.note_duplicates("goals", tables)
    found = {}
    for table in tables:
        if table.peek("name") == OTHER:
            table.note("name", f'"{OTHER}" is where everything not configured is counted', "another name")
        goal = _goal(table, touchpoints)
        found[goal.name] = goal
        table.finish()
    return found


def _goal(table: Table, touchpoints: Container[str]) -> Goal:
    name = table.name("name")
    kind = table.choice("kind", _KINDS, "count")
    most = 1.0 if kind in _SHARES else _MOST
    key = "expected_per_30_days"
    expected = table.number(key, least=0, most=most) if table.has(key) else None
    told = table.peek("expected_by_segment")
    by_segment = table.table("expected_by_segment")
    segments = told if isinstance(told, dict) else {}
    return Goal(
        name=name,
        kind=kind,
        label=table.text("label", name),
        expected_per_30_days=expected,
        touchpoint=_touchpoint(table, touchpoints),
        expected_by_segment={segment: by_segment.number(segment, least=0, most=most) for segment in segments},
    )


def _touchpoint(table: Table, touchpoints: Container[str]) -> str | None:
    if not table.has("touchpoint"):
        return None
    name = table.name("touchpoint")
    if name and name not in touchpoints:
        table.note("touchpoint", f'there is no touchpoint "{name}"', "the name of one under [[touchpoints]]")
    return name
