"""What lies on each topic: its record type and every published version of its schema.

The versions are the files `avsc/<topic>/v<number>.avsc`. None is ever changed or removed: records written with it may still be
read.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

from schemas.avro import AvroSchema, SchemaRefusedError, load
from schemas.compatibility import incompatibilities
from schemas.events import AccountEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.records import (
    ChurnAlert,
    CustomerSnapshot,
    DeadLetter,
    DefinitionsVersion,
    DeliveryFailure,
    DeliveryMark,
    FleetAlert,
    FleetPartial,
    FleetSnapshot,
    HealthChange,
    LoyaltyChange,
    MaturityAssessment,
    OwnerList,
    SurveyRequest,
    TouchpointMap,
)

INPUTS: dict[str, type[Struct]] = {
    "cs.tickets": TicketEvent,
    "cs.usage": UsageEvent,
    "cs.surveys": SurveyEvent,
    "cs.accounts": AccountEvent,
    "cs.ticks": Tick,
}
OUTPUTS: dict[str, type[Struct]] = {
    "cs.health-changes": HealthChange,
    "cs.churn-alerts": ChurnAlert,
    "cs.loyalty-changes": LoyaltyChange,
    "cs.survey-requests": SurveyRequest,
    "cs.customer-snapshots": CustomerSnapshot,
    "cs.fleet-partials": FleetPartial,
    "cs.fleet-snapshots": FleetSnapshot,
    "cs.fleet-alerts": FleetAlert,
    "cs.touchpoint-maps": TouchpointMap,
    "cs.owner-lists": OwnerList,
    "cs.maturity": MaturityAssessment,
    "cs.dead-letters": DeadLetter,
    "cs.definitions": DefinitionsVersion,
    "cs.deliveries": DeliveryMark,
    "cs.delivery-failures": DeliveryFailure,
}
_VERSION_FILE = re.compile(r"v([1-9][0-9]*)\.avsc")


class ContractError(Exception):
    """The published schemas contradict each other or are not there; nothing can be started with them."""


class UnknownTopicError(KeyError):
    """A topic that is none of ours was asked for."""

    def __str__(self) -> str:
        return f"no topic {self.args[0]!r}; there are {', '.join(sorted((*INPUTS, *OUTPUTS)))}"


@dataclass(frozen=True, slots=True)
class Contract:
    """A topic's record type and the versions of its schema, oldest first; version n is `versions[n - 1]`."""

    topic: str
    record: type[Struct]
    is_input: bool
    versions: tuple[AvroSchema, ...]

    @property
    def newest(self) -> AvroSchema:
        """The version that is written, and that every other is read as."""
        return self.versions[-1]


@cache
def contracts() -> dict[str, Contract]:
    """Every topic's contract, read once. Raises `ContractError`."""
    folder = files("schemas").joinpath("avsc")
    return {
        topic: Contract(topic, record, topic in INPUTS, versions(folder.joinpath(topic)))
        for topic, record in (INPUTS | OUTPUTS).items()
    }


def contract(topic: str) -> Contract:
    """The contract of a topic. Raises `UnknownTopicError`."""
    try:
        return contracts()[topic]
    except KeyError:
        raise UnknownTopicError(topic) from None


def versions(folder: Traversable) -> tuple[AvroSchema, ...]:
    """The schemas in a topic's folder, oldest first.

    Raises:
        ContractError: a version is missing or refused, or two have one fingerprint (it leaves out logical types and defaults, so
            versions that differ only there could not be told apart by their payloads).
    """
    numbered = {int(match[1]): entry for entry in folder.iterdir() if (match := _VERSION_FILE.fullmatch(entry.name))}
    if not numbered or sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise ContractError(f"{folder}: versions v1, v2, … without a gap are needed, found {sorted(numbered)}")
    found: dict[bytes, int] = {}
    schemas = []
    for number, entry in sorted(numbered.items()):
        try:
            schema = load(entry.read_text(encoding="utf-8"))
        except SchemaRefusedError as error:
            raise ContractError(f"{entry}: {error}") from error
        if schema.header in found:
            raise ContractError(f"{folder}: v{found[schema.header]} and v{number} have one fingerprint")
        found[schema.header] = number
        schemas.append(schema)
    return tuple(schemas)


def full_transitive_breaks(schemas: tuple[AvroSchema, ...]) -> list[str]:
    """What breaks FULL_TRANSITIVE compatibility: every version must be readable as every other, older or newer."""
    return [
        f"v{written} read as v{read}: {problem}"
        for written, writer in enumerate(schemas, start=1)
        for read, reader in enumerate(schemas, start=1)
        if writer is not reader
        for problem in incompatibilities(writer.decoding, reader.decoding)
    ]
