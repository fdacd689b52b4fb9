"""A partition's driver that is fed plain records, and can be stopped and set up again from its changelog at any place."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.codec import Codec
from schemas.events import AccountEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.outcome import Malformed
from streams.catalogue import Catalogue, default_text
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.fleet_driver import FleetDriver
from streams.partials import PARTIALS_TOPIC
from streams.records import InputRecord, OutputRecord
from streams.state_bytes import unpack
from streams.turns import Voice

INCARNATION = "driven"
TYPES = {
    "cs.tickets": TicketEvent,
    "cs.usage": UsageEvent,
    "cs.surveys": SurveyEvent,
    "cs.accounts": AccountEvent,
    "cs.ticks": Tick,
}
OUTPUTS = (
    *("cs.health-changes", "cs.churn-alerts", "cs.loyalty-changes", "cs.survey-requests", "cs.customer-snapshots"),
    *("cs.dead-letters", "cs.fleet-partials"),
)


class Driven:
    """Partition 0 of 1. `outputs` is everything that was taken, `changelog` what a restart is set up from."""

    def __init__(self, definitions_text: str = "", voice: Voice | None = None) -> None:
        self._voice = voice
        self.catalogue = Catalogue()
        self.catalogue.put(1, definitions_text or default_text())
        self.codec = Codec()
        self.changelog: list[tuple[str, bytes, bytes | None]] = []
        self.outputs: list[OutputRecord] = []
        self.driver = self._new_driver()
        self.driver.totals.meta.config_version = 1
        self.driver.begin({})

    def feed(self, record: Mapping[str, Any]) -> None:
        """Process one record, and what is due before it."""
        value = msgspec.convert(record["value"], TYPES[record["topic"]])
        key = str(value.partition) if isinstance(value, Tick) else value.customer_id
        headers = record.get("headers")
        encoded = self.codec.encode(record["topic"], value)
        self.driver.process(
            InputRecord(record["topic"], 0, record["offset"], record["timestamp_ms"], key.encode(), encoded, headers)
        )

    def take(self) -> None:
        """Commit."""
        transaction = self.driver.take()
        self.changelog += transaction.changelog
        self.outputs += transaction.outputs

    def restart(self) -> None:
        """Commit, and go on with a new driver that knows nothing but the changelog."""
        self.take()
        self.driver = self._new_driver()
        for table in ("customers", "totals"):
            self.driver.restorer(table)((key, value) for name, key, value in self.changelog if name == table)
        self.driver.restored()
        self.driver.begin(self.driver.offsets)

    def plain_outputs(self) -> list[dict[str, Any]]:
        """What was taken, decoded, with offsets of its own for each topic."""
        return plain(self.outputs, self.codec)

    def fleet(self) -> FleetDriver:
        """The whole fleet, as the partials that were taken make it."""
        driver = FleetDriver(1, INCARNATION, self.catalogue.get, self.codec, lambda: None)
        driver.store.meta.config_version = 1
        driver.begin({})
        partials = [output for output in self.outputs if output.topic == PARTIALS_TOPIC]
        for offset, output in enumerate(partials):
            driver.process(InputRecord(PARTIALS_TOPIC, 0, offset, output.as_of_ms, output.key, output.value))
        return driver

    def gauges_of_customers(self) -> dict[tuple[str, str, None], list[int]]:
        """The gauges, added up over the customers at rest."""
        from processors.fleet import gauges

        found: dict[tuple[str, str, None], list[int]] = {}
        for value in self.driver.customers.values.values():
            for (figure, dimension), counts in gauges(unpack(value)).items():
                known = found.get((figure, dimension, None), [0] * len(counts))
                found[figure, dimension, None] = [one + other for one, other in zip(known, counts, strict=True)]
        return found

    def gauges_of_totals(self) -> dict[tuple[str, str, None], list[int]]:
        """The gauges as the totals hold them, but for those that are 0."""
        totals = self.driver.totals.values()
        return {
            (figure, dimension, None): counts for (figure, dimension, at), counts in totals.items() if at is None and any(counts)
        }

    def _new_driver(self) -> PartitionDriver:
        return PartitionDriver(
            0,
            1,
            INCARNATION,
            self.catalogue.get,
            self.codec,
            FailureLimit(0.05, 1000),
            lambda: None,
            voice=self._voice,
        )


def plain(outputs: Iterable[OutputRecord], codec: Codec) -> list[dict[str, Any]]:
    """Output records as the log checker takes them."""
    offsets: dict[str, int] = {}
    found = []
    for output in outputs:
        if output.topic not in OUTPUTS:
            continue
        offset = offsets[output.topic] = offsets.get(output.topic, -1) + 1
        value = None if output.value is None else codec.decode(output.topic, output.value)
        assert not isinstance(value, Malformed), value
        found.append(
            {
                "topic": output.topic,
                "partition": 0,
                "offset": offset,
                "key": None if output.key is None else output.key.decode(),
                "value": msgspec.to_builtins(value, builtin_types=(bytes,)),
            }
        )
    return found
