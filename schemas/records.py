"""The output records, as typed values.

Fields that every output for a customer carries: `record_id` = hash(incarnation, customer, kind, sequence); `sequence` counts
the records of that kind for that customer, from 1; `as_of` is the time it was judged at; `emitted_at` is the wall clock, added
outside the fold and None in a replay; `caused_by` are ids of the newest five of the events since the last published health change
(a health change: since the one of the same score before it), and `caused_by_count` is how many there were; `config_version` is
the version of the definitions. Times are epoch milliseconds in UTC. Each family of records has a file of its own; those of the
whole fleet stand in `schemas.fleet_records`.
"""

from msgspec import Struct

from schemas.dead_letter_records import DeadLetter, Header
from schemas.delivery_records import DeliveryFailure, DeliveryMark, DeliveryOutput, DeliveryReceipt
from schemas.episode_records import ChurnAlert, OpenAlert
from schemas.fleet_records import (
    Criterion,
    FleetAlert,
    FleetOutput,
    FleetPartial,
    FleetSnapshot,
    MaturityAssessment,
    MaturityPoint,
    OwnerEntry,
    OwnerList,
    PlanProgress,
    StepConversion,
    TouchpointMap,
)
from schemas.health_records import Band, HealthChange, HealthNow, MeasureChange, WayUp
from schemas.loyalty_records import LoyaltyChange, Quadrant
from schemas.shared_records import Cause, EpisodeState, Evidence, Severity, Side, StationNow, Strength, Trend
from schemas.snapshot_records import CustomerSnapshot, Figure, PromiseNow, TimelineEntry
from schemas.survey_records import SurveyRequest

__all__ = [
    "Band",
    "Cause",
    "ChurnAlert",
    "Criterion",
    "CustomerOutput",
    "CustomerSnapshot",
    "DeadLetter",
    "DefinitionsVersion",
    "DeliveryFailure",
    "DeliveryMark",
    "DeliveryOutput",
    "DeliveryReceipt",
    "EpisodeState",
    "Evidence",
    "Figure",
    "FleetAlert",
    "FleetOutput",
    "FleetPartial",
    "FleetSnapshot",
    "Header",
    "HealthChange",
    "HealthNow",
    "LoyaltyChange",
    "MaturityAssessment",
    "MaturityPoint",
    "MeasureChange",
    "OpenAlert",
    "Output",
    "OwnerEntry",
    "OwnerList",
    "PlanProgress",
    "PromiseNow",
    "Quadrant",
    "Severity",
    "Side",
    "StationNow",
    "StepConversion",
    "Strength",
    "SurveyRequest",
    "TimelineEntry",
    "TouchpointMap",
    "Trend",
    "WayUp",
]


class DefinitionsVersion(Struct, frozen=True, kw_only=True):
    """A version of the definitions file in the log; `text` is the TOML itself."""

    version: int
    applied_at: int
    author: str
    sha256: str
    text: str


CustomerOutput = HealthChange | ChurnAlert | LoyaltyChange | SurveyRequest | CustomerSnapshot
Output = CustomerOutput | FleetPartial | FleetOutput | DeadLetter | DefinitionsVersion | DeliveryOutput
