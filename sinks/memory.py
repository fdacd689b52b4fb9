"""The read model in memory: the same keys, the same rules and the same reader as over Redis, in dictionaries.

For tests and for the demo. It is written and read in one process, and gone with it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha1
from typing import Final, Literal

from msgspec import Struct

from sinks.changes import Change, CustomerChange, Erasure, ListChange, ReportChange, change_of
from sinks.read_model import TOPICS
from sinks.sink import Batch, Moved, Place, Positions
from sinks.stored_model import LIST_KEYS, StoredReadModel

MARKER_KEPT_MS: Final = 400 * 86_400_000


class Customer(Struct):
    """A customer as it is kept: its fields, and the version and the rebuild that they are of."""

    version: str
    generation: int
    fields: dict[str, bytes]
    risk: float | None
    currency: str
    mrr_cents: int


class Report(Struct):
    """A record about the fleet as it is kept."""

    version: str
    generation: int
    value: bytes


class Listed(Struct):
    """An owner's list as it is kept: its entries by their place, each with its customer."""

    owner: str
    as_of: int
    version: str
    generation: int
    head: bytes
    entries: dict[int, tuple[str, bytes]]


class Rebuild(Struct):
    """A rebuild under way: where it is to come to, and what was kept although the topics hold something older."""

    targets: dict[Place, int]
    seen: set[str]


class MemorySink:
    """The sink and what it writes to. `read_model()` reads it."""

    name = "memory"
    topics: Sequence[str] = TOPICS
    starts: Literal["beginning", "end"] = "beginning"
    records_at_most = 512

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.reports: dict[tuple[str, str], Report] = {}
        self.lists: dict[str, Listed] = {}
        self.positions: dict[Place, int] = {}
        self.erased: dict[str, int] = {}
        self.rebuild: Rebuild | None = None
        self._generation = 0

    def read_model(self) -> StoredReadModel:
        """The typed reader of this model."""
        return StoredReadModel(MemoryShelves(self))

    def assigned(self, places: Iterable[Place]) -> Positions:
        """All positions are kept here; what was never written begins at 0."""
        self._finish_rebuild()
        return {place: self.positions.get(place, 0) for place in places}

    def revoked(self, places: Iterable[Place]) -> None:
        """Nothing is kept here of any partition."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Apply what changes, batch by batch."""
        moved = {}
        for batch in batches:
            position = self.positions.get(batch.place, 0)
            if position != batch.start:
                moved[batch.place] = position
                continue
            for record in batch.records:
                change = change_of(record)
                if change is not None:
                    self._apply(change)
            self.positions[batch.place] = batch.end
        self._finish_rebuild()
        if moved:
            raise Moved(moved)

    def close(self) -> None:
        """Nothing to let go of."""

    def begin_rebuild(self, targets: Positions) -> None:
        """Begin; what is kept is of the generation before until it is written again."""
        self._generation += 1
        self.rebuild = Rebuild(dict(targets), set())
        self.positions.clear()

    def _apply(self, change: Change) -> None:
        match change:
            case CustomerChange():
                self._put_customer(change)
            case Erasure():
                self._erase(change)
            case ReportChange():
                self._put_report(change)
            case ListChange():
                self._put_list(change)

    def _is_older(self, version: str, kept: Customer | Report | Listed | None, what: str) -> bool:
        if kept is None or kept.version <= version:
            return False
        if self.rebuild is not None:
            self.rebuild.seen.add(what)
        return True

    def _put_customer(self, change: CustomerChange) -> None:
        name = change.customer_id
        if self._is_older(change.version, self.customers.get(name), f"customer:{name}"):
            return
        if change.as_of < self._erased_at(name):
            return
        self.customers[name] = Customer(
            change.version, self._generation, dict(change.fields), change.risk, change.currency, change.mrr_cents
        )

    def _erase(self, change: Erasure) -> None:
        name = change.customer_id
        if self._is_older(change.version, self.customers.get(name), f"customer:{name}"):
            return
        self.erased[_marker(name)] = max(change.as_of, self._erased_at(name))
        self.erased = {one: at for one, at in self.erased.items() if at > change.as_of - MARKER_KEPT_MS}
        self.customers.pop(name, None)
        for listed in self.lists.values():
            if listed.as_of <= change.as_of:
                listed.entries = {place: entry for place, entry in listed.entries.items() if entry[0] != name}

    def _put_report(self, change: ReportChange) -> None:
        key = (change.key, change.field)
        if not self._is_older(change.version, self.reports.get(key), f"{change.key}|{change.field}"):
            self.reports[key] = Report(change.version, self._generation, change.value)

    def _put_list(self, change: ListChange) -> None:
        key = LIST_KEYS[change.kind] + change.owner
        if self._is_older(change.version, self.lists.get(key), key):
            return
        entries = {place: entry for place, entry in enumerate(change.entries) if change.as_of > self._erased_at(entry[0])}
        self.lists[key] = Listed(change.owner, change.as_of, change.version, self._generation, change.head, entries)

    def _erased_at(self, customer_id: str) -> int:
        """When a customer was erased for the last time; the marker outlives its return, for what speaks of the time before."""
        return self.erased.get(_marker(customer_id), -1)

    def _finish_rebuild(self) -> None:
        """Remove what the topics do not hold, if a rebuild has come to its end."""
        rebuild = self.rebuild
        if rebuild is None or any(self.positions.get(place, 0) < end for place, end in rebuild.targets.items()):
            return
        gone = {f"customer:{name}" for name, kept in self.customers.items() if kept.generation < self._generation}
        gone |= {"|".join(key) for key, kept in self.reports.items() if kept.generation < self._generation}
        gone |= {key for key, kept in self.lists.items() if kept.generation < self._generation}
        self.customers = {name: kept for name, kept in self.customers.items() if kept.generation == self._generation}
        self.reports = {key: kept for key, kept in self.reports.items() if kept.generation == self._generation}
        self.lists = {key: kept for key, kept in self.lists.items() if kept.generation == self._generation}
        for listed in self.lists.values():
            listed.entries = {place: entry for place, entry in listed.entries.items() if entry[0] in self.customers}
        self.rebuild = None
        if gone & rebuild.seen:
            self.begin_rebuild(rebuild.targets)


class MemoryShelves:
    """The keys of the model, made of what the sink keeps."""

    def __init__(self, sink: MemorySink) -> None:
        self._sink = sink

    def value(self, key: str) -> bytes | None:
        """A text."""
        found = self._sink.reports.get((key, ""))
        return None if found is None else found.value

    def field(self, key: str, field: str) -> bytes | None:
        """A field of a hash."""
        return self.whole(key).get(field.encode())

    def fields(self, key: str, names: Sequence[str]) -> list[bytes | None]:
        """Fields of a hash."""
        found = self.whole(key)
        return [found.get(name.encode()) for name in names]

    def whole(self, key: str) -> dict[bytes, bytes]:
        """All fields of a hash."""
        customer = self._sink.customers.get(key.removeprefix("customer:")) if key.startswith("customer:") else None
        if customer is not None:
            return {name.encode(): value for name, value in customer.fields.items()}
        listed = self._sink.lists.get(key)
        if listed is not None:
            entries = {f"entry:{place:06d}:{entry[0]}".encode(): entry[1] for place, entry in listed.entries.items()}
            return {b"list": listed.head, **entries}
        return {field.encode(): kept.value for (name, field), kept in self._sink.reports.items() if name == key}

    def members(self, key: str) -> list[bytes]:
        """The members of a set."""
        if key == "owners":
            return [owner.encode() for owner in {kept.owner for kept in self._sink.lists.values()}]
        return [currency.encode() for currency in {kept.currency for kept in self._sink.customers.values()} if currency]

    def count(self, key: str) -> int:
        """How many members a sorted set has."""
        return len(self._sink.customers) if key == "customers" else len(self._ranking(key))

    def ranked(self, key: str, of: str, field: str, skip: int, limit: int) -> list[bytes | None]:
        """A field of the hashes of the ranked members: those of one rank by their names, backwards, as Redis gives them."""
        ranking = sorted(self._ranking(key), reverse=True)
        return [self.field(of + name.decode(), field) for _, name in ranking[skip : skip + max(0, limit)]]

    def _ranking(self, key: str) -> list[tuple[float, bytes]]:
        customers = self._sink.customers.items()
        if key == "at-risk":
            return [(kept.risk, name.encode()) for name, kept in customers if kept.risk is not None]
        currency = key.removeprefix("at-risk:revenue:")
        return [(kept.mrr_cents, name.encode()) for name, kept in customers if kept.currency == currency]


def _marker(customer_id: str) -> str:
    """By what an erased customer is known again, without its name being kept."""
    return sha1(customer_id.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
