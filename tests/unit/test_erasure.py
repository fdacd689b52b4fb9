"""What is left of a customer who was erased, and how one who comes back begins."""

from typing import Any

import pytest

from processors import customer
from processors.definitions import Definitions, parse
from processors.due import NEVER
from processors.effects import Context
from processors.state import CustomerState, encode
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import CustomerEvent
from schemas.records import ChurnAlert, CustomerSnapshot, HealthChange
from streams.catalogue import default_text
from streams.state_bytes import pack
from tests.support.happenings import NOON, account, answer, ticket, usage

ERASED_MS = NOON + HOUR_MS
SECRETS = (
    "Rosa-respondent",
    "Olga-owner",
    "Alan-author",
    "so they said",
    "Ticket-of-Tim",
    "secret-plan",
    "small-and-secret",
    "ev-id",
)
SECRET_RESPONDENT, OWNER, AUTHOR, TEXT, TICKET, PLAN, SEGMENT, EVENT_ID = SECRETS


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return parse(default_text())


def life(start_ms: int) -> list[CustomerEvent]:
    """Enough to fill every part of the state, and to open episodes."""
    return [
        account("contracted", start_ms, owner=OWNER, plan=PLAN, segment=SEGMENT, mrr_cents=123_456, currency="EUR"),
        account("cancelled", start_ms, reason_text=TEXT),
        account("reactivated", start_ms + 1),
        account("contact", start_ms, respondent_id=SECRET_RESPONDENT, locale="vi", event_id=EVENT_ID),
        account("referred", start_ms, referred_customer_id="Friend-of-Tim"),
        account("override", start_ms, author=AUTHOR, reason_text=TEXT, override_score=5.0, expires_at=start_ms + 30 * DAY_MS),
        account("muted", start_ms, rule="silence", muted_until=start_ms + 30 * DAY_MS),
        answer("nps", "0_10", 1, start_ms + 2, respondent=SECRET_RESPONDENT),
        answer("csat", "1_5", 1, start_ms + 3, touchpoint="support"),
        usage("feature_used", start_ms + 4, feature="secret-plan"),
        *(ticket("opened", start_ms + 5 + number, f"{TICKET}{number}", priority="urgent") for number in range(6)),
    ]


class Told:
    """A customer and all that was said of it."""

    def __init__(self, definitions: Definitions) -> None:
        self.context = Context(definitions, 1, "test")
        self.state = CustomerState("c", config_version=1)

    def fold(self, *events: CustomerEvent, clock_ms: int = 0) -> list[customer.Verdict]:
        verdicts = []
        for event in events:
            now_ms = max(clock_ms, event.occurred_at)
            customer.settle(self.state, now_ms, self.context)
            verdicts.append(customer.fold(self.state, event, now_ms, self.context))
        return verdicts

    def acknowledge(self) -> None:
        for alert in list(self.of(ChurnAlert)):
            self.fold(account("acknowledged", NOON + 60_000, episode_id=alert.episode_id, author=AUTHOR))

    def of(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.context.effects.outputs if isinstance(record, kind)]


@pytest.fixture
def erased(definitions: Definitions) -> Told:
    told = Told(definitions)
    told.fold(*life(NOON))
    told.acknowledge()
    assert any(book.open for book in told.state.alerts.rules.values())
    assert told.fold(account("erased", ERASED_MS)) == ["accepted"]
    return told


def test_nothing_personal_is_left_in_the_bytes(erased: Told, definitions: Definitions) -> None:
    before = Told(definitions)
    before.fold(*life(NOON))
    before.acknowledge()
    assert all(secret.encode() in encode(before.state) for secret in SECRETS if secret not in (EVENT_ID, TICKET))
    left = encode(erased.state)
    assert not [secret for secret in (*SECRETS, "Friend-of-Tim") if secret.encode() in left]


def test_a_marker_takes_little_more_than_a_customer_of_whom_nothing_is_known(erased: Told) -> None:
    unknown = CustomerState("c", config_version=1)
    rules = sum(len(rule) + 7 for rule in erased.state.alerts.rules)  # a name, the number of the last episode, and four zeros
    numbers = sum(len(name) + 2 for name in erased.state.sequences)
    time_of_erasure = 8
    assert len(encode(erased.state)) <= len(encode(unknown)) + rules + numbers + time_of_erasure
    assert len(pack(erased.state)) < 180, "as the changelog holds it"


def test_what_is_left_are_the_marker_and_the_numbers(erased: Told) -> None:
    blank = CustomerState("c", config_version=1)
    differing = {name for name in CustomerState.__struct_fields__ if getattr(erased.state, name) != getattr(blank, name)}
    assert differing == {"alerts", "sequences", "erased_at"}
    assert erased.state.erased_at == ERASED_MS
    assert erased.state.next_due == NEVER


def test_every_open_episode_ends_with_a_reason_and_after_everything_else(erased: Told) -> None:
    newest = {alert.episode_id: alert for alert in erased.of(ChurnAlert)}
    assert newest
    assert {(alert.state, alert.resolution) for alert in newest.values()} == {("resolved", "the customer was erased")}
    assert {alert.explanation for alert in newest.values()} == {""}
    assert isinstance(erased.context.effects.outputs[-1], ChurnAlert), "no snapshot follows, so the tombstone is the last word"
    assert erased.context.effects.erased


def test_what_occurred_before_is_refused_and_counted(erased: Told) -> None:
    before = encode(erased.state)
    assert erased.fold(ticket("opened", ERASED_MS - 1, "late"), clock_ms=ERASED_MS + HOUR_MS) == ["erased"]
    assert erased.fold(account("erased", ERASED_MS), clock_ms=ERASED_MS + HOUR_MS) == ["erased"]
    assert encode(erased.state) == before
    assert erased.context.effects.totals.flows["oddities_by_day", "erased", NOON - DAY_MS // 2] == [2]


def test_time_alone_brings_nothing_back(erased: Told) -> None:
    before, said = encode(erased.state), len(erased.context.effects.outputs)
    customer.settle(erased.state, ERASED_MS + 400 * DAY_MS, erased.context)
    assert encode(erased.state) == before
    erased.context.config_version = 2
    customer.reconsider(erased.state, ERASED_MS + DAY_MS, erased.context)
    assert len(erased.context.effects.outputs) == said


def test_one_who_comes_back_is_new_and_its_records_go_on_being_numbered(erased: Told) -> None:
    changes = len(erased.of(HealthChange))
    erased.fold(*life(ERASED_MS + DAY_MS))
    first = erased.of(HealthChange)[changes]
    assert first.old_score is None
    assert first.old_band is None
    assert first.revision == 0
    for kind in (HealthChange, ChurnAlert, CustomerSnapshot):
        records = erased.of(kind)
        assert [record.sequence for record in records] == list(range(1, len(records) + 1))
        assert len({record.record_id for record in records}) == len(records)
    assert erased.state.events_accepted == len(life(0))


def test_no_episode_id_is_used_twice(erased: Told) -> None:
    erased.fold(*life(ERASED_MS + DAY_MS))
    opened = [alert.episode_id for alert in erased.of(ChurnAlert) if alert.state == "opened"]
    assert len(opened) == len(set(opened))
    assert len(opened) > len({alert.rule for alert in erased.of(ChurnAlert)})


def test_an_event_from_after_the_erasure_that_came_before_it_counts_no_second_time(definitions: Definitions) -> None:
    told = Told(definitions)
    early = ticket("opened", ERASED_MS + 1, "early")
    told.fold(ticket("opened", NOON, "old"), early)
    told.fold(account("erased", ERASED_MS), clock_ms=ERASED_MS + HOUR_MS)
    assert told.state.seen["t"].count == 1, "the older id is forgotten, as its time alone refuses it"
    assert told.fold(early, clock_ms=ERASED_MS + HOUR_MS) == ["duplicate"]


def test_an_erasure_of_someone_never_seen_leaves_the_marker(definitions: Definitions) -> None:
    told = Told(definitions)
    assert told.fold(account("erased", ERASED_MS)) == ["accepted"]
    assert told.fold(ticket("opened", ERASED_MS - 1), clock_ms=ERASED_MS) == ["erased"]
    assert not told.context.effects.outputs
