"""The typed reader of the read model, over whatever keeps its keys: Redis, or a dictionary."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from schemas.records import (
    CustomerSnapshot,
    FleetAlert,
    FleetSnapshot,
    HealthNow,
    MaturityAssessment,
    OpenAlert,
    OwnerEntry,
    OwnerList,
    TimelineEntry,
    TouchpointMap,
)
from sinks.changes import ALERTS, FIGURES, MATURITY, SECTIONS, TOUCHPOINT_MAP
from sinks.read_model import ListKind, Standing

T = TypeVar("T")

_ENTRY: Final = b"entry:"
LIST_KEYS: Final[dict[ListKind, str]] = {"morning_list": "owner-list:", "digest": "owner-digest:"}

_STANDING: Final = msgspec.json.Decoder(Standing)
_CUSTOMER: Final = msgspec.json.Decoder(CustomerSnapshot)
_HEALTH: Final = msgspec.json.Decoder(list[HealthNow])
_OPEN_ALERTS: Final = msgspec.json.Decoder(list[OpenAlert])
_TIMELINE: Final = msgspec.json.Decoder(list[TimelineEntry])
_FIGURE: Final = msgspec.json.Decoder(FleetSnapshot)
_ALERT: Final = msgspec.json.Decoder(FleetAlert)
_MAP: Final = msgspec.json.Decoder(TouchpointMap)
_MATURITY: Final = msgspec.json.Decoder(MaturityAssessment)


class Shelves(Protocol):
    """Reads of the keys, by their names without the prefix. Raises `Unavailable` when there is no answer."""

    def value(self, key: str) -> bytes | None:
        """A text."""

    def field(self, key: str, field: str) -> bytes | None:
        """A field of a hash."""

    def fields(self, key: str, names: Sequence[str]) -> list[bytes | None]:
        """Fields of a hash."""

    def whole(self, key: str) -> dict[bytes, bytes]:
        """All fields of a hash."""

    def members(self, key: str) -> list[bytes]:
        """The members of a set."""

    def count(self, key: str) -> int:
        """How many members a sorted set has."""

    def ranked(self, key: str, of: str, field: str, skip: int, limit: int) -> list[bytes | None]:
        """A field of the hashes `of` + member, for members of a sorted set from the highest score down."""


class StoredReadModel:
    """A `ReadModel` over shelves. Raises msgspec.DecodeError for what was not written by this version of the layout."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def standing(self, customer_id: str) -> Standing | None:
        """A customer in one line."""
        return _decoded(_STANDING, self._shelves.field(_customer(customer_id), "standing"))

    def health(self, customer_id: str) -> list[HealthNow] | None:
        """Its scores."""
        return _decoded(_HEALTH, self._shelves.field(_customer(customer_id), "health"))

    def open_alerts(self, customer_id: str) -> list[OpenAlert] | None:
        """Its open episodes."""
        return _decoded(_OPEN_ALERTS, self._shelves.field(_customer(customer_id), "open_alerts"))

    def timeline(self, customer_id: str) -> list[TimelineEntry] | None:
        """What mattered in its history."""
        return _decoded(_TIMELINE, self._shelves.field(_customer(customer_id), "timeline"))

    def customer(self, customer_id: str) -> CustomerSnapshot | None:
        """Everything that is known of it: the sections put together again are the snapshot."""
        account, *sections = self._shelves.fields(_customer(customer_id), ("account", *SECTIONS))
        if account is None:
            return None
        parts = [b'"%s":%s' % (name.encode(), text or b"[]") for name, text in zip(SECTIONS, sections, strict=True)]
        return _CUSTOMER.decode(b",".join((account[:-1], *parts)) + b"}")

    def customers(self) -> int:
        """How many customers there are."""
        return self._shelves.count("customers")

    def at_risk(self, limit: int = 50, skip: int = 0) -> list[Standing]:
        """Customers at risk, those of the lowest score first."""
        return self._ranked("at-risk", limit, skip)

    def at_risk_by_revenue(self, currency: str, limit: int = 50, skip: int = 0) -> list[Standing]:
        """Customers at risk that pay in a currency, those with the highest monthly revenue first."""
        return self._ranked(f"at-risk:revenue:{currency}", limit, skip)

    def currencies_at_risk(self) -> list[str]:
        """The currencies in which customers at risk pay."""
        return sorted(member.decode() for member in self._shelves.members("at-risk:currencies"))

    def touchpoint_map(self) -> TouchpointMap | None:
        """The stations of the value chain."""
        return _decoded(_MAP, self._shelves.value(TOUCHPOINT_MAP))

    def fleet_figures(self) -> list[FleetSnapshot]:
        """Every figure of the whole fleet."""
        found = [_FIGURE.decode(text) for text in self._shelves.whole(FIGURES).values()]
        return sorted(found, key=lambda one: (one.figure, one.dimension, one.window_days or 0))

    def fleet_figure(self, figure: str, dimension: str = "", window_days: int | None = None) -> FleetSnapshot | None:
        """One figure of the whole fleet."""
        window = "" if window_days is None else window_days
        return _decoded(_FIGURE, self._shelves.field(FIGURES, f"{figure}|{dimension}|{window}"))

    def fleet_alerts(self) -> list[FleetAlert]:
        """The open episodes of the fleet's rules."""
        found = [_ALERT.decode(text) for text in self._shelves.whole(ALERTS).values()]
        still_open = [one for one in found if one.state in ("opened", "updated")]
        return sorted(still_open, key=lambda one: (one.opened_at, one.episode_id))

    def maturity(self) -> MaturityAssessment | None:
        """The newest assessment of maturity."""
        return _decoded(_MATURITY, self._shelves.value(MATURITY))

    def owners(self) -> list[str]:
        """The owners who have a list."""
        return sorted(member.decode() for member in self._shelves.members("owners"))

    def owner_list(self, owner: str, kind: ListKind = "morning_list") -> OwnerList | None:
        """An owner's newest list of a kind."""
        found = self._shelves.whole(LIST_KEYS[kind] + owner)
        head = found.get(b"list")
        if head is None:
            return None
        entries = [found[field] for field in sorted(found) if field.startswith(_ENTRY)]
        decoded = msgspec.json.decode(b"[" + b",".join(entries) + b"]", type=list[OwnerEntry])
        return OwnerList(**msgspec.json.decode(head), entries=decoded)

    def _ranked(self, key: str, limit: int, skip: int) -> list[Standing]:
        found = self._shelves.ranked(key, "customer:", "standing", skip, limit)
        return [_STANDING.decode(text) for text in found if text is not None]


def _customer(customer_id: str) -> str:
    return f"customer:{customer_id}"


def _decoded(decoder: "msgspec.json.Decoder[T]", text: bytes | None) -> T | None:
    return None if text is None else decoder.decode(text)
