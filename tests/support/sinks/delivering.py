"""A destination of alerts for tests: its sink over a log in memory or another one, and records to tell."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from schemas.records import ChurnAlert, DeliveryFailure, DeliveryMark, Evidence, FleetAlert, OwnerEntry, OwnerList
from sinks.back_off import BackOff
from sinks.calling import Caller, HttpCaller
from sinks.delivery import DeliverySink, Terms
from sinks.delivery_log import DeliveryLog, MemoryDeliveryLog
from sinks.messages import Format
from sinks.notices import Notice
from sinks.sink import Batch, Place, SinkRecord
from sinks.sink_metrics import SinkMetrics
from sinks.telling import Routing
from sinks.webhooks import webhook_format

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOON = 20_454 * DAY_MS + 12 * HOUR_MS
SOURCE = "/cspulse/test"


def crm(timeout_seconds: float = 10) -> str:
    """Sections of the definitions by which every alert goes to a webhook; CRM_URL and CRM_SECRET say where and how."""
    return f"""
[[delivery.destinations]]
name = "crm"
kind = "webhook"
url_variable = "CRM_URL"
secret_variable = "CRM_SECRET"
timeout_seconds = {timeout_seconds}

[[delivery.routes]]
destinations = ["crm"]
"""


def alert(customer_id: str = "acme", sequence: int = 1, state: str = "opened", **more: Any) -> ChurnAlert:
    """An alert, of the episode `ep-<customer>` unless said otherwise."""
    fields: dict[str, Any] = {
        "record_id": f"r-{customer_id if customer_id.isascii() else customer_id.encode().hex()}-{sequence}",
        "customer_id": customer_id,
        "sequence": sequence,
        "as_of": NOON,
        "emitted_at": NOON,
        "caused_by": [],
        "caused_by_count": 0,
        "config_version": 1,
        "episode_id": f"ep-{customer_id}",
        "rule": "health_red",
        "rule_version": 1,
        "state": state,
        "severity": "high",
        "opened_at": NOON,
        "evidence": [Evidence(figure="health", value=31.5, threshold=40.0)],
        "explanation": "health fell to 31.5",
        "action": "call them",
        "cause": "data",
        "mrr_cents": 129_900,
        "currency": "EUR",
        "renewal_at": NOON + 30 * DAY_MS,
        "owner": "kim",
        "segment": "enterprise",
        "resolution": "health is back" if state == "resolved" else None,
    }
    return ChurnAlert(**{**fields, **more})


def fleet_alert(sequence: int = 1, state: str = "opened", **more: Any) -> FleetAlert:
    """An alert of the whole fleet."""
    fields: dict[str, Any] = {
        "record_id": f"r-fleet-{sequence}",
        "sequence": sequence,
        "as_of": NOON,
        "emitted_at": NOON,
        "config_version": 1,
        "episode_id": "ep-fleet",
        "rule": "too_many_churners",
        "rule_version": 1,
        "state": state,
        "severity": "critical",
        "opened_at": NOON,
        "evidence": [],
        "explanation": "6 % of the customers are churners",
        "action": "look at the product",
    }
    return FleetAlert(**{**fields, **more})


def owner_list(*entries: OwnerEntry, kind: str = "digest", day: str = "2026-01-01", **more: Any) -> OwnerList:
    """A list of kim's; the day is that of NOON."""
    fields: dict[str, Any] = {
        "record_id": f"r-{kind}-{day}",
        "sequence": 1,
        "as_of": NOON + DAY_MS,
        "emitted_at": NOON + DAY_MS,
        "config_version": 1,
        "owner": "kim",
        "kind": kind,
        "day": day,
        "entries": list(entries),
        "left_out": 0,
    }
    return OwnerList(**{**fields, **more})


def entry(customer_id: str, **more: Any) -> OwnerEntry:
    """An alert as a list shows it."""
    fields: dict[str, Any] = {
        "episode_id": f"ep-{customer_id}",
        "customer_id": customer_id,
        "rule": "health_red",
        "severity": "high",
        "opened_at": NOON,
        "mrr_cents": 129_900,
        "currency": "EUR",
        "renewal_at": None,
        "urgency": 4.0,
        "acknowledged": False,
        "acted": False,
    }
    return OwnerEntry(**{**fields, **more})


class Desk:
    """One destination from beginning to end: what it was given lies in `alerts`, what it noted in `marks` and `failures`."""

    def __init__(
        self,
        url: str,
        *,
        takes: Callable[[Notice], bool] = lambda _notice: True,
        digests: bool = False,
        morning_lists: bool = False,
        budget_a_day: int = 20,
        give_up_after_ms: int = DAY_MS,
        timeout_ms: int = 2_000,
        form: Format | None = None,
        name: str = "crm",
        history: dict[Place, int] | None = None,
    ) -> None:
        self.url = url
        self.now_ms = NOON
        self.marks: list[DeliveryMark] = []
        self.failures: list[DeliveryFailure] = []
        self.alerts: list[SinkRecord] = []
        self.metrics = SinkMetrics()
        self.pause = BackOff(chance=lambda: 0.0)
        self._made: list[DeliverySink] = []
        self._timeout_ms = timeout_ms
        self._history = history
        routing = Routing(takes, lambda _owner: True, digests, morning_lists, budget_a_day, 3 * DAY_MS)
        self.terms = Terms(name, routing, form or webhook_format(SOURCE, [SECRET]), give_up_after_ms)

    def sink(self, caller: Caller | None = None, log: DeliveryLog | None = None) -> DeliverySink:
        """A new sink, as after a restart of the process."""
        made = DeliverySink(
            self.terms,
            caller or HttpCaller(self.url, self._timeout_ms),
            log or MemoryDeliveryLog(self.marks, self.failures, self.alerts, self._history),
            self.metrics,
            now_ms=lambda: self.now_ms,
            back_off=self.pause,
        )
        self._made.append(made)
        return made

    def close(self) -> None:
        """Let go of the connections of every sink."""
        for made in self._made:
            made.close()

    def put(self, *values: ChurnAlert | FleetAlert | OwnerList, partition: int = 0) -> list[SinkRecord]:
        """Lay records behind what is in the log."""
        records = []
        for value in values:
            topic = {ChurnAlert: "cs.churn-alerts", FleetAlert: "cs.fleet-alerts", OwnerList: "cs.owner-lists"}[type(value)]
            offset = sum((record.topic, record.partition) == (topic, partition) for record in self.alerts)
            records.append(
                SinkRecord(
                    topic=topic, partition=partition, offset=offset, timestamp_ms=value.emitted_at or NOON, key=b"k", value=value
                )
            )
            self.alerts.append(records[-1])
        return records

    def give(self, sink: DeliverySink) -> None:
        """Give the sink what it has not settled, one record at a time, by the positions that it tells."""
        places = sorted({Place(record.topic, record.partition) for record in self.alerts}, key=self._first)
        positions = dict(sink.assigned(places))
        for record in self.alerts:
            place = Place(record.topic, record.partition)
            if record.offset >= positions[place]:
                sink.write([Batch(place, record.offset, record.offset + 1, [record])])

    def deliver(self, *values: ChurnAlert | FleetAlert | OwnerList) -> DeliverySink:
        """Put records and give them to a new sink."""
        self.put(*values)
        sink = self.sink()
        self.give(sink)
        return sink

    def outcomes(self) -> list[str]:
        """What became of records, in the order of the notes."""
        return [mark.receipt.outcome for mark in self.marks if mark.receipt is not None]

    def metric(self, name: str, **labels: str) -> float:
        """A value of a metric, 0 where there is none."""
        return self.metrics.registry.get_sample_value(name, {"destination": self.terms.name, **labels}) or 0.0

    def _first(self, place: Place) -> int:
        return next(n for n, record in enumerate(self.alerts) if Place(record.topic, record.partition) == place)


def record_ids(calls: Sequence[Any]) -> list[str]:
    """The ids of events, as they were called."""
    return [call.json["id"] for call in calls]
