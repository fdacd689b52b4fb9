"""The read model: how things stand now, for a product system that asks by customer, by risk or by owner and waits a millisecond.

It is written from the topics by a sink and holds nothing that is not in them. `docs/read-model.md` documents the keys; this is
the typed way to read them, over Redis (`sinks/redis_reader.py`) or in memory (`sinks/memory.py`).
"""

from typing import Final, Literal, Protocol

from msgspec import Struct

from schemas.records import (
    Band,
    CustomerSnapshot,
    FleetAlert,
    FleetSnapshot,
    HealthNow,
    MaturityAssessment,
    OpenAlert,
    OwnerList,
    Quadrant,
    Severity,
    TimelineEntry,
    TouchpointMap,
)
from sinks.sink import Positions, Sink

ListKind = Literal["morning_list", "digest"]

TOPICS: Final = (
    "cs.customer-snapshots",
    "cs.fleet-snapshots",
    "cs.fleet-alerts",
    "cs.touchpoint-maps",
    "cs.owner-lists",
    "cs.maturity",
)
"""What the read model is written from."""


class ReadModelSink(Sink, Protocol):
    """The sink that writes the model; it keeps the positions together with the data."""

    def begin_rebuild(self, targets: Positions) -> None:
        """Let everything be read from the beginning; once all partitions have come to `targets`, what the topics lack goes.

        What is there stays readable meanwhile, and nothing of it is replaced by something older that the topics still hold. Every
        process that writes is told, by `Moved`. A rebuild that was interrupted goes on with the next sink. Raises Unavailable,
        Misconfigured.
        """


class Standing(Struct, frozen=True, kw_only=True):
    """A customer in one line: what a list shows of it. `as_of` is when it was judged, in epoch milliseconds.

    `score`, `band` and `scorecard` are those of the risk score (0 worst, 100 best); `open_alerts` counts those that are not
    muted, and `severity` is that of the worst of them.
    """

    customer_id: str
    as_of: int
    stage: str
    segment: str | None
    scorecard: str | None
    score: float | None
    band: Band | None
    quadrant: Quadrant
    open_alerts: int
    severity: Severity | None
    mrr_cents: int | None
    currency: str | None
    renewal_at: int | None
    owner: str | None


class ReadModel(Protocol):
    """Reads the model. Unknown customers and reports that were never published are None; lists are then empty.

    Every method raises `Unavailable` when the store does not answer.
    """

    def standing(self, customer_id: str) -> Standing | None:
        """A customer in one line."""

    def health(self, customer_id: str) -> list[HealthNow] | None:
        """Its scores, each with the measures it is made of and what would bring it to the next band."""

    def open_alerts(self, customer_id: str) -> list[OpenAlert] | None:
        """Its open episodes."""

    def timeline(self, customer_id: str) -> list[TimelineEntry] | None:
        """What mattered in its history."""

    def customer(self, customer_id: str) -> CustomerSnapshot | None:
        """Everything that is known of it."""

    def customers(self) -> int:
        """How many customers there are."""

    def at_risk(self, limit: int = 50, skip: int = 0) -> list[Standing]:
        """Customers at risk, those of the lowest score first; those without a score last."""

    def at_risk_by_revenue(self, currency: str, limit: int = 50, skip: int = 0) -> list[Standing]:
        """Customers at risk that pay in a currency, those with the highest monthly revenue first.

        Revenue in different currencies is never compared: there is a ranking for each of `currencies_at_risk`.
        """

    def currencies_at_risk(self) -> list[str]:
        """The currencies in which customers at risk pay."""

    def touchpoint_map(self) -> TouchpointMap | None:
        """The stations of the value chain over the whole fleet."""

    def fleet_figures(self) -> list[FleetSnapshot]:
        """Every figure of the whole fleet, ordered by name, dimension and window."""

    def fleet_figure(self, figure: str, dimension: str = "", window_days: int | None = None) -> FleetSnapshot | None:
        """One figure of the whole fleet."""

    def fleet_alerts(self) -> list[FleetAlert]:
        """The open episodes of the fleet's rules, the oldest first."""

    def maturity(self) -> MaturityAssessment | None:
        """The newest assessment of maturity."""

    def owners(self) -> list[str]:
        """The owners who have a list; what belongs to nobody stands under the empty name."""

    def owner_list(self, owner: str, kind: ListKind = "morning_list") -> OwnerList | None:
        """An owner's newest list of a kind; customers that were erased since are not on it any more."""
