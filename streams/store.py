"""The customers of one partition: bytes at rest, decoded while they are worked on, and a heap of what is due."""

import heapq
from collections.abc import Iterable, Mapping

from msgspec import Struct

from processors.due import NEVER
from processors.fleet import gauges
from processors.state import CustomerState
from streams.state_bytes import check_format, config_version_of, next_due_of, pack, unpack
from streams.steps import Step

LOOKED_AT_DUE_MAX = 4_000  # bounds the time of counting; more is a backlog all the same

Gauges = Mapping[tuple[str, str], tuple[int, ...]]


class Customer(Struct):
    """A decoded customer: its state, what was done to it since, and what the fleet's gauges hold of it."""

    key: bytes
    state: CustomerState
    journal: list[Step]
    counted: Gauges


class CustomerStore:
    """The customers of one partition. Until the next `flush` the decoded ones run ahead of the bytes at rest.

    `size_bytes` is the length of all values at rest.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._bytes: dict[bytes, bytes] = {}
        self._live: dict[bytes, Customer] = {}
        self._due: list[tuple[int, bytes]] = []
        self._scheduled: dict[bytes, int] = {}
        self._changed: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._bytes)

    def __contains__(self, key: bytes) -> bool:
        return key in self._bytes or key in self._live

    @property
    def values(self) -> Mapping[bytes, bytes]:
        """The bytes at rest."""
        return self._bytes

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take in changelog records in their order; None removes.

        Raises UnreadableState for a value of another format version.
        """
        for key, value in records:
            self.size_bytes += len(value or b"") - len(self._bytes.get(key, b""))
            if value is None:
                self._bytes.pop(key, None)
                self._scheduled.pop(key, None)
            else:
                check_format(value)
                self._bytes[key] = value
                self.schedule(key, next_due_of(value))

    def get(self, key: bytes) -> Customer | None:
        """The decoded customer, or None if there is none.

        Raises UnreadableState when the bytes are damaged.
        """
        customer = self._live.get(key)
        if customer is None:
            value = self._bytes.get(key)
            if value is None:
                return None
            state = unpack(value)
            customer = self._live[key] = Customer(key, state, [], gauges(state))
        return customer

    def create(self, key: bytes, customer_id: str, config_version: int) -> Customer:
        """A customer that was not known before."""
        customer = Customer(key, CustomerState(customer_id, config_version=config_version), [], {})
        self._live[key] = customer
        return customer

    def rolled_back(self, customer: Customer) -> CustomerState:
        """The state as it rests: a new one for a customer that was unknown then."""
        value = self._bytes.get(customer.key)
        if value is None:
            return CustomerState(customer.state.customer_id, config_version=customer.state.config_version)
        return unpack(value)

    def forget(self, key: bytes) -> None:
        """Drop a customer that was created for an event that was then not accepted."""
        if key not in self._bytes:
            self._live.pop(key, None)

    def schedule(self, key: bytes, due_ms: int) -> None:
        """Make sure that the customer comes up at `due_ms` at the latest: one live entry each.

        A later time than the one scheduled is not pushed: the entry is looked at when it comes up.
        """
        scheduled = self._scheduled.get(key, NEVER)
        if due_ms < scheduled:
            self._scheduled[key] = due_ms
            heapq.heappush(self._due, (due_ms, key))

    def next_due(self) -> int:
        """When the first customer comes up; NEVER if none does."""
        while self._due:
            due_ms, key = self._due[0]
            if self._scheduled.get(key) != due_ms:
                heapq.heappop(self._due)
                continue
            actual_ms = self._next_due_of(key)
            if actual_ms > due_ms:
                heapq.heappop(self._due)
                del self._scheduled[key]
                self.schedule(key, actual_ms)
                continue
            return due_ms
        return NEVER

    def count_due(self, until_ms: int) -> int:
        """How many customers come up until a time, counted among the first `LOOKED_AT_DUE_MAX` entries of the heap."""
        found, places, looks = 0, [0], 0
        while places and looks < LOOKED_AT_DUE_MAX:  # the heap's order: below what is later there is nothing earlier
            place = places.pop()
            looks += 1
            if place < len(self._due) and self._due[place][0] <= until_ms:
                due_ms, key = self._due[place]
                found += self._scheduled.get(key) == due_ms and self._next_due_of(key) <= until_ms
                places += (2 * place + 1, 2 * place + 2)
        return found

    def pop_due(self) -> bytes:
        """The customer that `next_due` speaks of; schedule it again when it was dealt with."""
        _, key = heapq.heappop(self._due)
        del self._scheduled[key]
        return key

    def _next_due_of(self, key: bytes) -> int:
        customer = self._live.get(key)
        if customer is not None:
            return customer.state.next_due
        value = self._bytes.get(key)
        return NEVER if value is None else next_due_of(value)

    def behind(self, config_version: int) -> list[bytes]:
        """The customers that were last judged by another version of the definitions, in the order of their keys."""
        keys = []
        for key, value in self._bytes.items():
            customer = self._live.get(key)
            version = customer.state.config_version if customer else config_version_of(value)
            if version != config_version:
                keys.append(key)
        return sorted(keys)

    def flush(self) -> None:
        """Encode what was worked on and make it the bytes at rest: from here a customer can be rolled back to."""
        for key, customer in self._live.items():
            value = pack(customer.state)
            before = self._bytes.get(key)
            if value != before:
                self.size_bytes += len(value) - len(before or b"")
                self._changed.add(key)
                self._bytes[key] = value
        self._live.clear()

    def take_changes(self) -> list[tuple[bytes, bytes]]:
        """Flush, and return what has changed since the last call, for the changelog."""
        self.flush()
        changes = [(key, self._bytes[key]) for key in sorted(self._changed)]
        self._changed.clear()
        return changes
