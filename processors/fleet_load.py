"""Who looks after how much, and how soon: for each owner its accounts, its open episodes, and the time until it acts.

Revenue is told by currency, and never added up over currencies. Time to act is that of `processors.time_to_act`; its percentiles
come from counts by bin, added up over days and partitions.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from processors.episode_gauges import OPEN, read
from processors.fleet import OWNED, SEPARATOR
from processors.fleet_view import FleetValue, FleetView
from processors.names import OTHER
from processors.sketch import ERROR_NOTE, merged, place_of, quantiles, total
from processors.time_to_act import ACTIONS
from processors.windows import D30, D90, HOUR_MS, Window

MAX_OWNERS: Final = 500
"""So many owners are shown by name, those with most accounts and open episodes; the others together are `other`."""

_OTHERS_NOTE: Final = f"with all owners beyond the {MAX_OWNERS} with most accounts and open episodes"
_MIXED: Final = "accounts without a revenue are left out"
_NONE_OPEN: Final = "no episode is open"
_NONE_ACTED: Final = "nobody acted upon an episode that opened in the window"
_SHARES: Final = ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"))


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
        self.named = named = set(ranked[:MAX_OWNERS])
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
    """The load of each owner, and how long it takes until somebody acts, whole and for each owner."""
    load = _Load(view)
    yield from _owners(load)
    for window in (D30, D90):
        yield from _times_to_act(view, load, window)


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


def _times_to_act(view: FleetView, load: _Load, window: Window) -> Iterator[FleetValue]:
    """The hours from the opening to the first action, of the episodes that opened in the window and were acted upon."""
    by_owner: dict[str, list[dict[int, int]]] = {owner: [] for owner in sorted({*load.accounts, *load.open})}
    whole = []
    for dimension in view.dimensions(ACTIONS):
        owner, sketch_bin = place_of(dimension)
        counts = {sketch_bin: view.total(ACTIONS, dimension, window)[0]}
        whole.append(counts)
        if owner:
            by_owner.setdefault(owner if owner in load.named else OTHER, []).append(counts)
    yield from _percentiles("", "", merged(whole), window, None)
    for owner, parts in by_owner.items():
        yield from _percentiles("_by_owner", owner, merged(parts), window, load.note_of(owner))


def _percentiles(cut: str, owner: str, counts: Mapping[int, int], window: Window, note: str | None) -> Iterator[FleetValue]:
    n = total(counts)
    for (_, percentile), value in zip(_SHARES, quantiles(counts, [share for share, _ in _SHARES]), strict=True):
        notes = [one for one in (note, ERROR_NOTE if n else None) if one]
        yield FleetValue(
            figure=f"time_to_act_{percentile}_hours_{window.name}{cut}",
            dimension=owner,
            window_days=window.days,
            value=None if value is None else value / HOUR_MS,
            n=n,
            reason=_NONE_ACTED if value is None else None,
            note="; ".join(notes) or None,
        )
