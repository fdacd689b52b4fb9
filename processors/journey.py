"""Before the sale and into use: lead, trial, contract, handover, onboarding; when each step was first reached, and who went on.

A step counts on the UTC day on which it was first reached. A customer went on from a step when it reached the next one, or one
beyond it (a step may be skipped), on the same day or later. Late data that moves a step takes back what was counted and adds
what is right.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from processors.names import Names
from processors.sketch import bin_of
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, UsageEvent

STEPS: Final = ("lead", "trial", "contracted", "handed_over", "onboarded")
"""In their order, by the names of the account's stages."""

_STEP_OF_KIND: Final = {"lead": 0, "trial_started": 1, "contracted": 2, "handed_over": 3, "onboarded": 4}


class JourneyState(Struct, array_like=True, gc=False):
    """The UTC day on which each of `STEPS` was first reached (0: not yet), and the interactions at stations before the sale.

    Which stations those are is what the definitions said when an interaction was counted. `days` is empty for a customer of whom
    no step is known.
    """

    days: list[int] = field(default_factory=list)
    interactions_before_sale: int = 0


class Step(NamedTuple):
    """A step that was reached, with the day and whether the customer went on; `days_to_next` to the very next step, if it was."""

    name: str
    day: int
    went_on: bool
    days_to_next: int | None


def fold_account(state: JourneyState, event: AccountEvent, totals: Totals) -> None:
    """Note the first time that a step was reached."""
    place = _STEP_OF_KIND.get(event.kind)
    if place is None:
        return
    day = event.occurred_at // DAY_MS
    if state.days and 0 < state.days[place] <= day:
        return
    before = Counter(_counts(state))
    if not state.days:
        state.days = [0] * len(STEPS)
    state.days[place] = day
    after = Counter(_counts(state))
    for (flow, dimension, counted_on), n in _changes(before, after).items():
        if flow == "reached":
            totals.add("steps", dimension, counted_on * DAY_MS, (n, 0))
        elif flow == "went_on":
            totals.add("steps", dimension, counted_on * DAY_MS, (0, n))
        else:
            totals.add("step_days", dimension, counted_on * DAY_MS, (n,))


def fold_use(state: JourneyState, event: UsageEvent, definitions: Names) -> None:
    """Count an interaction that ended at a station before the sale."""
    if event.kind == "interaction_ended" and event.touchpoint is not None and definitions.is_before_sale(event.touchpoint):
        state.interactions_before_sale += 1


def steps(state: JourneyState) -> Iterator[Step]:
    """The steps that were reached, in the order of the sale."""
    days = state.days
    for place, day in enumerate(days):
        if day:
            later = [other for other in days[place + 1 :] if other >= day]
            next_day = days[place + 1] if place + 1 < len(days) else 0
            yield Step(STEPS[place], day, bool(later), next_day - day if next_day >= day else None)


_Count = tuple[str, str, int]


def _counts(state: JourneyState) -> Iterator[_Count]:
    """What a customer's steps count for in the fleet, as flow, dimension and day."""
    for step in steps(state):
        yield "reached", step.name, step.day
        if step.went_on:
            yield "went_on", step.name, step.day
        if step.days_to_next is not None:
            yield "days", f"{step.name}:{bin_of(step.days_to_next)}", step.day


def _changes(before: Counter[_Count], after: Counter[_Count]) -> dict[_Count, int]:
    """What is to be added, and what taken back."""
    return {key: after[key] - before[key] for key in sorted({*before, *after}) if after[key] != before[key]}
