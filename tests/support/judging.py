"""A customer to whom things happen in a test, and the definitions to judge it by."""

import re
from functools import cache
from pathlib import Path
from typing import Literal

import processors
from processors import customer
from processors.definitions import Definitions, parse
from processors.effects import Context
from processors.state import CustomerState
from schemas.events import CustomerEvent
from schemas.records import ChurnAlert, CustomerOutput, HealthChange

INCARNATION = "test"


def default_text() -> str:
    return (Path(processors.__file__).parent / "default.toml").read_text(encoding="utf-8")


@cache
def default_definitions() -> Definitions:
    return parse(default_text())


def prompt_text() -> str:
    """The default ones with rules that wait for nothing: what opens an alert is tested apart from how long it must hold."""
    return re.sub(r"(?m)^(dwell_hours|known_days) = .*$", r"\1 = 0", default_text())


@cache
def prompt_definitions() -> Definitions:
    return parse(prompt_text())


class Judged:
    """One customer, folded as the stream would: what is due comes before the event, and the clock is the event's time."""

    def __init__(self, definitions: Definitions | None = None) -> None:
        self.versions = {1: definitions or default_definitions()}
        self.context = Context(self.versions[1], 1, INCARNATION)
        self.state = CustomerState("c")

    def happens(self, *events: CustomerEvent, clock: int | None = None) -> None:
        for event in events:
            now = event.occurred_at if clock is None else clock
            self.passes(now)
            customer.fold(self.state, event, now, self.context)

    def passes(self, until: int) -> None:
        customer.settle(self.state, until, self.context)

    def reconfigured(self, definitions: Definitions, at: int) -> None:
        self.passes(at)
        effects = self.context.effects
        version = self.context.config_version + 1
        self.versions[version] = definitions
        self.context = Context(definitions, version, INCARNATION, definer=self.versions.get)
        self.context.effects = effects
        customer.reconsider(self.state, at, self.context)

    @property
    def changes(self) -> list[HealthChange]:
        """The changes of the risk score."""
        return [change for change in self.all_changes if change.purpose == "risk"]

    @property
    def judgements(self) -> list[CustomerOutput]:
        """What was judged: changes of scores and alerts, not the surveys that are due whatever the customer does."""
        return [record for record in self.context.effects.outputs if isinstance(record, HealthChange | ChurnAlert)]

    @property
    def all_changes(self) -> list[HealthChange]:
        return [record for record in self.context.effects.outputs if isinstance(record, HealthChange)]

    @property
    def alerts(self) -> list[ChurnAlert]:
        return [record for record in self.context.effects.outputs if isinstance(record, ChurnAlert)]

    def alerts_of(self, rule: str) -> list[ChurnAlert]:
        return [alert for alert in self.alerts if alert.rule == rule]

    def states_of(self, rule: str) -> list[Literal["opened", "updated", "resolved", "retracted"]]:
        return [alert.state for alert in self.alerts_of(rule)]
