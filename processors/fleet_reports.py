"""The reports about the whole fleet: what each owner is to look at, and how mature customer success is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from processors import ended_episodes, maturity, owner_lists
from processors.episode_gauges import OPEN, OpenEpisode, read
from processors.fleet_figures import View
from processors.fleet_publication import Edition, Keyed, Memory
from processors.fleet_view import FleetValue
from processors.owner_lists import Listed
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import MaturityAssessment, MaturityPoint, OwnerList

MATURITY_KEY = "maturity"
MOST_DAYS_BEHIND = 31
"""Days without any tick for which digests are still made up."""

_S_IN_MS = 1000


class Days(Struct, array_like=True):
    """The UTC days, counted from 1970, of the newest morning lists and the one that was running then; 0: none yet."""

    morning: int = 0
    running: int = 0


def due_lists(memory: Memory, edition: Edition, view: View, days: Days) -> Iterator[Keyed]:
    """The morning lists from the configured hour on, once a day, and the digests of the days that have ended since the last."""
    as_of_ms, plan = view.as_of_ms, view.definitions.fleet
    morning, today = (as_of_ms - plan.morning_hour * HOUR_MS) // DAY_MS, as_of_ms // DAY_MS
    is_morning, ended = morning > days.morning, range(max(days.running or today, today - MOST_DAYS_BEHIND), today)
    days.morning, days.running = max(morning, days.morning), max(today, days.running)
    if not is_morning and not ended:
        return
    running = _open_episodes(view)
    if ended:
        yield from _digests(memory, edition, view, running, ended)
    if is_morning:
        for owner, episodes in owner_lists.by_owner(running).items():
            listed = owner_lists.morning_list(episodes, view.definitions.alerts, as_of_ms, view.definitions.commercial)
            yield from _list(memory, edition, owner, "morning_list", morning, listed)


def _digests(memory: Memory, edition: Edition, view: View, running: list[OpenEpisode], days: range) -> Iterator[Keyed]:
    """For each day and owner what opened beyond the budget, whether it is still open or not."""
    still_open = {episode.episode_id for episode in running}
    ended = [episode for episode in ended_episodes.of_days(view, days) if episode.episode_id not in still_open]
    for day in days:
        opened = [episode for episode in (*running, *ended) if episode.opened_at // DAY_MS == day]
        for owner, episodes in owner_lists.by_owner(opened).items():
            listed = owner_lists.digest(episodes, view.definitions.alerts, view.as_of_ms, view.definitions.commercial)
            yield from _list(memory, edition, owner, "digest", day, listed)


def assessments(memory: Memory, edition: Edition, view: View, values: list[FleetValue]) -> Iterator[Keyed]:
    """The assessment of maturity, once a day and whenever a level, the order of the criteria or the state of a plan changes."""
    plan, as_of_ms = view.definitions.maturity, view.as_of_ms
    criteria = maturity.assess(values, plan)
    plans = maturity.progress(values, plan, as_of_ms)
    levels = [(one.name, one.level) for one in criteria]
    states = [(one.criterion, one.state) for one in plans]
    sequence = memory.next_number("maturity", MATURITY_KEY, (as_of_ms // DAY_MS, levels, states))
    if sequence is None:
        return
    history = maturity.remembered(memory.points(), criteria, as_of_ms)
    memory.keep(_by_month(history))
    record = MaturityAssessment(
        **edition.head("maturity", MATURITY_KEY, sequence),
        criteria=criteria,
        plans=plans,
        history=history,
        coverage_share=edition.coverage_share,
    )
    yield Keyed(MATURITY_KEY, record)


def _open_episodes(view: View) -> list[OpenEpisode]:
    found = (read(dimension, view.total(OPEN, dimension)) for dimension in view.dimensions(OPEN))
    return [episode for episode in found if episode is not None]


def _list(
    memory: Memory, edition: Edition, owner: str, kind: Literal["morning_list", "digest"], day: int, listed: Listed
) -> Iterator[Keyed]:
    """A list that has something on it. What belongs to nobody is listed under the empty name."""
    if listed.entries:
        key = f"{kind}|{owner}"
        head = edition.head("list", key, memory.number("list", key))
        name = datetime.fromtimestamp(day * DAY_MS / _S_IN_MS, UTC).date().isoformat()
        record = OwnerList(**head, owner=owner, kind=kind, day=name, entries=listed.entries, left_out=listed.left_out)
        yield Keyed(owner, record)


def _by_month(history: list[MaturityPoint]) -> dict[str, list[MaturityPoint]]:
    found: dict[str, list[MaturityPoint]] = {}
    for point in history:
        found.setdefault(point.month, []).append(point)
    return found
