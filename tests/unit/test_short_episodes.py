"""An episode that opens and ends between two ticks was an alert like any other."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.codec import Codec
from schemas.records import OwnerList
from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.happenings import NOON, account, ticket
from tests.support.histories import DAY_MS, HOUR_MS, numbered, tick


def record(event: Any) -> dict[str, Any]:
    topic = "cs.accounts" if type(event).__name__ == "AccountEvent" else "cs.tickets"
    return {"topic": topic, "partition": 0, "timestamp_ms": event.occurred_at, "value": msgspec.to_builtins(event)}


def digests(records: Iterable[dict[str, Any]]) -> list[OwnerList]:
    text = default_text()
    assert "owner_budget_per_day = 20" in text
    driven = Driven(text.replace("owner_budget_per_day = 20", "owner_budget_per_day = 0"))
    for one in numbered(list(records)):
        driven.feed(one)
    driven.take()
    codec = Codec()
    values = [codec.decode(output.topic, output.value) for output in driven.fleet().drain_outputs()]
    return [value for value in values if isinstance(value, OwnerList) and value.kind == "digest"]


def test_an_episode_between_two_ticks_is_in_its_owner_s_digest_when_it_was_beyond_the_budget() -> None:
    tickets = [ticket("opened", NOON + number, f"T{number}", priority="urgent") for number in range(3)]
    solved = [ticket("solved", NOON + HOUR_MS + number, f"T{number}") for number in range(3)]
    known = account("known", NOON - DAY_MS, owner="Chi", mrr_cents=100, currency="EUR")
    happened = [record(event) for event in (*tickets, *solved)]
    found = digests([record(known), tick(NOON - HOUR_MS), *happened, tick(NOON + 2 * HOUR_MS), tick(NOON + DAY_MS)])
    entries = [(one.owner, one.day, entry.rule, entry.ended) for one in found for entry in one.entries]
    assert entries == [("Chi", "2026-02-16", "backlog", True)]
