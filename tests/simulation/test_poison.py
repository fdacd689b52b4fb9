"""A fold that raises is our bug, and still one event or one customer must not stop the others, or take what was done with it."""

from typing import Any

import pytest

from processors import customer
from processors.effects import Context
from processors.state import CustomerState
from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.histories import END_MS, Record, numbered, tick


def ticket(customer_id: str, number: int, at_ms: int) -> Record:
    value: dict[str, Any] = {"event_id": f"{customer_id}{number}", "customer_id": customer_id, "occurred_at": at_ms}
    value |= {"kind": "opened", "ticket_id": f"T{number}"}
    return {"topic": "cs.tickets", "partition": 0, "timestamp_ms": at_ms, "value": value}


def poison(monkeypatch: pytest.MonkeyPatch, name: str, poisoned_id: str) -> None:
    """Let a function of the domain raise when it meets an event's or a customer's id, after it has done its work."""
    works = getattr(customer, name)

    def raises(state: CustomerState, what: Any, *more: Any) -> object:
        done: object = works(state, what, *more)
        if poisoned_id in {state.customer_id, getattr(what, "event_id", None)}:
            raise RuntimeError("poison")
        return done

    monkeypatch.setattr(customer, name, raises)


def accepted(found: Driven, customer_id: str) -> int:
    known = found.driver.customers.get(customer_id.encode())
    assert known is not None
    return known.state.events_accepted


@pytest.fixture
def reconfigured() -> Driven:
    """Two customers and a new version of the definitions, by which nobody was judged yet."""
    found = Driven()
    found.catalogue.put(2, default_text().replace("weight = 20", "weight = 40"))
    for record in numbered([ticket("ann", 1, END_MS), ticket("binh", 1, END_MS), tick(END_MS + 1, config_version=2)]):
        found.feed(record)
    return found


def test_a_customer_that_new_definitions_cannot_judge_keeps_its_later_events(
    monkeypatch: pytest.MonkeyPatch, reconfigured: Driven
) -> None:
    poison(monkeypatch, "reconsider", "ann")
    poison(monkeypatch, "fold", "ann3")
    later = [
        ticket("ann", 2, END_MS + 2),
        ticket("ann", 3, END_MS + 3),
        ticket("ann", 4, END_MS + 4),
        ticket("binh", 2, END_MS + 5),
    ]
    for offset, record in enumerate(later, 2):
        reconfigured.feed(record | {"offset": offset})
    reconfigured.take()
    assert accepted(reconfigured, "ann") == 3
    assert accepted(reconfigured, "binh") == 2
    letters = [output["value"] for output in reconfigured.plain_outputs() if output["topic"] == "cs.dead-letters"]
    assert [(letter["reason"], letter["offset"]) for letter in letters] == [("failed", 3)]


def test_a_customer_that_time_cannot_judge_keeps_its_events_and_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Driven()
    settled: list[str] = []
    settle = customer.settle

    def settles(state: CustomerState, until_ms: int, context: Context) -> None:
        settle(state, until_ms, context)
        settled.append(state.customer_id)
        if state.customer_id == "ann":
            raise RuntimeError("poison")

    monkeypatch.setattr(customer, "settle", settles)
    hour_ms = 3_600_000
    log = [ticket("ann", 1, END_MS), ticket("binh", 1, END_MS), tick(END_MS + hour_ms), ticket("ann", 2, END_MS + 2 * hour_ms)]
    for record in numbered([*log, tick(END_MS + 30 * hour_ms)]):
        found.feed(record)
    found.take()
    assert {"ann", "binh"} <= set(settled)
    assert accepted(found, "ann") == 2
    assert not [output for output in found.plain_outputs() if output["topic"] == "cs.dead-letters"]
