"""A customer who is erased is gone from everything that counts, and one who comes back is a new one."""

from typing import Any

import pytest

from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, END_MS, HOUR_MS, Record, numbered, tick
from tests.support.log_checker import check

ERASED_MS = END_MS + HOUR_MS


def record(topic: str, at_ms: int, event_id: str, **said: Any) -> Record:
    value = {"event_id": event_id, "customer_id": "ann", "occurred_at": at_ms, **said}
    return {"topic": topic, "partition": 0, "timestamp_ms": at_ms, "value": value}


def tickets_from(at_ms: int, batch: str) -> list[Record]:
    return [
        record("cs.tickets", at_ms + number, f"{batch}{number}", kind="opened", ticket_id=f"{batch}{number}")
        for number in range(6)
    ]


ERASURE = record("cs.accounts", ERASED_MS, "e", kind="erased")


def driven(*records: Record) -> Driven:
    found = Driven()
    for one in numbered(list(records)):
        found.feed(one)
    found.take()
    return found


def alerts(found: Driven) -> list[dict[str, Any]]:
    return [output["value"] for output in found.plain_outputs() if output["topic"] == "cs.churn-alerts"]


@pytest.fixture
def returned() -> Driven:
    """Erased with an open episode, and back with as many tickets, so that another one opens."""
    return driven(
        *tickets_from(END_MS, "old"), tick(END_MS + 6), ERASURE, tick(ERASED_MS), *tickets_from(ERASED_MS + HOUR_MS, "new")
    )


def test_an_erased_customer_counts_in_no_gauge() -> None:
    found = driven(*tickets_from(END_MS, "old"), tick(END_MS + 6), ERASURE, tick(ERASED_MS))
    assert found.gauges_of_totals() == {}
    assert found.gauges_of_customers() == {}


def test_the_oracle_agrees_about_an_erased_customer_and_one_who_stays() -> None:
    others = [one | {"value": one["value"] | {"customer_id": "binh"}} for one in tickets_from(END_MS, "other")]
    plain = {"priority": None, "touchpoint": None}
    events = [one | {"value": one["value"] | plain} for one in (*tickets_from(END_MS, "old"), *others)]
    log = numbered([*events, tick(END_MS + 6), ERASURE, tick(ERASED_MS + DAY_MS)])
    found = driven(*log)
    assert check(log, found.plain_outputs(), default_text()) == []


def test_the_snapshot_of_an_erased_customer_is_removed() -> None:
    found = driven(*tickets_from(END_MS, "old"), ERASURE, tick(ERASED_MS + 100 * DAY_MS))
    snapshots = [output for output in found.plain_outputs() if output["topic"] == "cs.customer-snapshots"]
    assert snapshots[-1]["value"] is None
    assert sum(output["value"] is None for output in snapshots) == 1


def test_what_occurred_before_the_erasure_brings_nothing_back() -> None:
    late = record("cs.tickets", END_MS, "late", kind="opened", ticket_id="T") | {"timestamp_ms": ERASED_MS + HOUR_MS}
    found = driven(*tickets_from(END_MS, "old"), ERASURE, late, tick(ERASED_MS + 2 * HOUR_MS))
    assert found.gauges_of_totals() == {}


def test_erasing_ends_the_open_episodes() -> None:
    found = driven(*tickets_from(END_MS, "old"), ERASURE)
    states = {alert["episode_id"]: alert["state"] for alert in alerts(found)}
    assert states
    assert set(states.values()) == {"resolved"}


def test_the_episodes_of_one_who_comes_back_are_new_ones(returned: Driven) -> None:
    opened = [alert["episode_id"] for alert in alerts(returned) if alert["state"] == "opened" and alert["rule"] == "backlog"]
    assert len(opened) == 2
    assert len(set(opened)) == 2


def test_the_records_of_one_who_comes_back_go_on_being_numbered(returned: Driven) -> None:
    assert [alert["sequence"] for alert in alerts(returned)] == list(range(1, len(alerts(returned)) + 1))
    ids = [output["value"]["record_id"] for output in returned.plain_outputs() if "record_id" in (output["value"] or {})]
    assert len(ids) == len(set(ids))
