"""Who looks after how much: for each owner its accounts and open episodes; and for each department its CSAT.

Every department is shown by the same figures. Revenue is told by currency, and never added up over currencies.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from processors.episode_gauges import OPEN, read
from processors.feedback_figures import NO_ANSWERS
from processors.fleet import OWNED, SEPARATOR
from processors.fleet_surveys import share
from processors.fleet_view import FleetValue, FleetView
from processors.names import OTHER
from processors.windows import D90

MAX_OWNERS: Final = 500
"""So many owners are shown by name, those with most accounts and open episodes; the others together are `other`."""

_OTHERS_NOTE: Final = f"with all owners beyond the {MAX_OWNERS} with most accounts and open episodes"
_MIXED: Final = "accounts without a revenue are left out"
_NONE_OPEN: Final = "no episode is open"


class _Load:
    """What the owners look after; those who are not shown by name are added up."""

    def __init__(self, view: FleetView) -> None:
        self.accounts: Counter[str] = Counter()
        self.mrr_cents: Counter[tuple[str, str]] = Counter()
        self.with_mrr: Counter[tuple[str, str]] = Counter()
        self.open: Counter[str] = Counter()
        self.acted: Counter[str] = Counter()
        owned = [(name.rsplit(SEPARATOR, 1), view.total(OWNED, name)) for name in view.dimensions(OWNED)]
        episodes = [found for name in view.dimensions(OPEN) if (found := read(name, view.total(OPEN, name)))]
        busy = Counter[str]()
        for (owner, _), (accounts, _, _) in owned:
            busy[owner] += accounts
        busy.update(episode.owner for episode in episodes if episode.owner)
        ranked = sorted(busy, key=lambda owner: (-busy[owner], owner))
        named = set(ranked[:MAX_OWNERS])
        self.note = _OTHERS_NOTE if len(ranked) > MAX_OWNERS else None
        for (owner, currency), (accounts, mrr_cents, with_mrr) in owned:
            name = owner if owner in named else OTHER
            self.accounts[name] += accounts
            self.mrr_cents[name, currency] += mrr_cents
            self.with_mrr[name, currency] += with_mrr
        for episode in episodes:
            if episode.owner:
                name = episode.owner if episode.owner in named else OTHER
                self.open[name] += 1
                self.acted[name] += episode.acted

    def note_of(self, name: str) -> str | None:
        """What is said beside a figure of all the others."""
        return self.note if name == OTHER else None


def figures(view: FleetView) -> Iterator[FleetValue]:
    """The load of each owner, and the CSAT of each department."""
    yield from _owners(_Load(view))
    yield from _departments(view)


def _owners(load: _Load) -> Iterator[FleetValue]:
    for owner in sorted({*load.accounts, *load.open}):
        note, accounts, n = load.note_of(owner), load.accounts[owner], load.open[owner]
        yield FleetValue(figure="accounts_by_owner", dimension=owner, value=float(accounts), n=accounts, note=note)
        yield FleetValue(figure="open_episodes_by_owner", dimension=owner, value=float(n), n=n, note=note)
        yield FleetValue(
            figure="open_episodes_acted_by_owner_share",
            dimension=owner,
            value=load.acted[owner] / n if n else None,
            numerator=float(load.acted[owner]),
            denominator=float(n),
            n=n,
            reason=None if n else _NONE_OPEN,
            note=note,
        )
    for (owner, currency), cents in sorted(load.mrr_cents.items()):
        paying = load.with_mrr[owner, currency]
        if paying:
            dimension = f"{owner}/{currency}" if currency else owner
            notes = "; ".join(filter(None, (_MIXED, load.note_of(owner))))
            yield FleetValue(figure="mrr_by_owner_cents", dimension=dimension, value=float(cents), n=paying, note=notes)


def _departments(view: FleetView) -> Iterator[FleetValue]:
    """The answers at all touchpoints that a department answers for; every department of the definitions is shown."""
    touchpoints = view.definitions.touchpoints
    found = {touchpoint.department: [0, 0] for touchpoint in touchpoints.values()}
    for name in view.dimensions("csat_by_day"):
        touchpoint = touchpoints.get(name)
        sums = found.setdefault(touchpoint.department if touchpoint else OTHER, [0, 0])
        for place, count in enumerate(view.total("csat_by_day", name, D90)):
            sums[place] += count
    for department, (good, n) in sorted(found.items()):
        yield share("csat_90d_by_department_pct", department, D90, good, n, NO_ANSWERS)
