"""Customers whose events are folded one by one, and the sums that fleet figures are made of, without a partition or a broker."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import processors
from processors import commercial
from processors.account_state import AccountState
from processors.commercial_rows import CommercialState
from processors.definitions import Definitions, parse
from processors.fleet_view import FleetValue
from processors.totals import Totals
from processors.windows import Window
from schemas.events import AccountEvent
from tests.support.happenings import NAMES


def default_text() -> str:
    return (Path(processors.__file__).parent / "default.toml").read_text(encoding="utf-8")


@cache
def default_definitions() -> Definitions:
    return parse(default_text())


class Summed:
    """Flows and gauges as a `FleetView`, of whatever was put in."""

    def __init__(self, as_of_ms: int, definitions: Definitions | None = None) -> None:
        self.as_of_ms = as_of_ms
        self.definitions = definitions or default_definitions()
        self.flows: dict[tuple[str, str], dict[int, tuple[int, ...]]] = {}
        self.gauges: dict[tuple[str, str], tuple[int, ...]] = {}

    def put(self, totals: Totals) -> None:
        for (figure, dimension, start_ms), counts in totals.items():
            if any(counts):
                self.flows.setdefault((figure, dimension), {})[start_ms] = tuple(counts)

    def put_all(self, totals: Mapping[tuple[str, str, int | None], Iterable[int]]) -> None:
        """Put in what a partition's totals stand at."""
        for (figure, dimension, start_ms), counts in totals.items():
            if start_ms is None:
                self.gauges[figure, dimension] = tuple(counts)
            elif any(counts):
                self.flows.setdefault((figure, dimension), {})[start_ms] = tuple(counts)

    def dimensions(self, figure: str) -> list[str]:
        return sorted(dimension for name, dimension in {*self.flows, *self.gauges} if name == figure)

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:
        assert window is None, "only gauges are asked for"
        from processors.fleet import FIGURES

        return self.gauges.get((figure, dimension), (0,) * len(FIGURES[figure].places))

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        counts = self.gauges.get((figure, dimension))
        return {} if counts is None else {0: counts}

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        return self.flows.get((figure, dimension), {})


class Accounts:
    """Some accounts to which events happen in any order."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.states: dict[str, tuple[CommercialState, AccountState]] = {}

    def happen(self, events: Iterable[AccountEvent]) -> "Accounts":
        for event in events:
            state, account = self.states.setdefault(event.customer_id, (CommercialState(), AccountState()))
            commercial.fold(state, account, event, event.occurred_at, NAMES, self.totals)
        return self

    def prune(self, as_of_ms: int) -> "Accounts":
        from processors import accounts

        for state, account in self.states.values():
            commercial.prune(state, account, as_of_ms)
            accounts.prune(account, as_of_ms)
        return self

    def view(self, as_of_ms: int, definitions: Definitions | None = None) -> Summed:
        view = Summed(as_of_ms, definitions)
        view.put(self.totals)
        for state, account in self.states.values():
            for key, counts in commercial.gauges(state, account):
                known = view.gauges.get(key, (0,) * len(counts))
                view.gauges[key] = tuple(one + other for one, other in zip(known, counts, strict=True))
        return view


def by_name(values: Iterable[FleetValue]) -> dict[tuple[str, str], FleetValue]:
    """Figures by name and dimension; none is there twice."""
    found: dict[tuple[str, str], FleetValue] = {}
    for value in values:
        assert (value.figure, value.dimension) not in found, f"{value.figure} {value.dimension} is there twice"
        found[value.figure, value.dimension] = value
    return found
