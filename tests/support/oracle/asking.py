"""The plan of surveys by the book, for one customer: what happens is taken one by one, and everything is asked anew each time.

It knows the CSAT after an occasion and the NPS that comes round, as the default definitions have them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event, Judged
from tests.support.oracle.account import account, recency
from tests.support.oracle.events import DAY_MS, HOUR_MS, Names
from tests.support.oracle.tickets import courses

DUE_WITHIN_MS = 5 * 60_000
CSAT_THROTTLE_MS, NPS_THROTTLE_MS = 7 * DAY_MS, 179 * DAY_MS
CSAT_LIFE_MS, NPS_LIFE_MS = 24 * HOUR_MS, 14 * DAY_MS
FIRST_MS, REPEAT_MS, DEFER_MS = 3 * DAY_MS, 180 * DAY_MS, 30 * DAY_MS


class Asked(NamedTuple):
    """A record of the plan, by what matters of it."""

    survey: str
    state: str
    respondent: str | None
    touchpoint: str | None
    as_of: int
    due_at: int
    expires_at: int
    locale: str


def asked_of(record: Any) -> Asked:
    """What matters of a published record."""
    return Asked(*(record[name] for name in ("survey", "state", "respondent_id", *Asked._fields[3:])))


def plan(judgements: Iterable[Judged], customer_id: str, names: Names) -> list[Asked]:
    """Everything that the plan publishes for a customer, from the records of its partition in their order."""
    book = _Book(names)
    for judgement in judgements:
        book.time_passes(judgement.clock_ms)
        if judgement.counts and judgement.record["value"]["customer_id"] == customer_id:
            book.happens(judgement.record["value"], judgement.clock_ms)
    return book.records


class _Book:
    def __init__(self, names: Names) -> None:
        self.names = names
        self.records: list[Asked] = []
        self.events: list[Event] = []
        self.asked: dict[tuple[str, str | None, str | None], int] = {}
        self.base: int | None = None
        self.began_known = False
        self.done = 0
        self.waiting: dict[str | None, int] = {}
        self.last_look = -1

    def happens(self, event: Event, clock_ms: int) -> None:
        if event["kind"] == "erased":
            self._forget()
            return
        self.events.append(event)
        if "survey" in event:
            self._note(event)
        elif event["kind"] == "onboarded" and (self.began_known or event["occurred_at"] > (self.base or 0)):
            self.base, self.done, self.began_known = event["occurred_at"], 0, False
        elif event["kind"] == "known" and self.base is None and account(self.events)["stage"] == "known":
            self.base, self.began_known = event["occurred_at"], True
        elif event["kind"] == "interaction_ended" and event["touchpoint"] in self.names.touchpoints:
            self._occasion(event["occurred_at"], event["user_id"], event["touchpoint"], clock_ms)
        elif event["kind"] == "solved":
            touchpoint = courses(self.events, self.names)[event["ticket_id"]].touchpoint
            self._occasion(event["occurred_at"], event["requester_id"], None if touchpoint == "other" else touchpoint, clock_ms)
        self._look(clock_ms)

    def time_passes(self, until_ms: int) -> None:
        """Everything that becomes due by itself, each at its own time."""
        while self.base is not None and not self._is_gone() and not self._is_prospect():
            times = [self.base + FIRST_MS + self.done * REPEAT_MS]
            for respondent, came_at in self.waiting.items():
                times += [self._free_at("nps", respondent, None, NPS_THROTTLE_MS), came_at + DEFER_MS]
            ahead = [time for time in times if self.last_look < time <= until_ms]
            if not ahead:
                return
            self._look(min(ahead))

    def _forget(self) -> None:
        """Forget the customer; what was published stays."""
        self.events.clear()
        self.asked.clear()
        self.waiting.clear()
        self.base, self.began_known, self.done, self.last_look = None, False, 0, -1

    def _note(self, event: Event) -> None:
        survey, at = event["survey"], event["occurred_at"]
        if event["kind"] == "expired" or survey not in ("csat", "nps"):
            return
        touchpoint = self._known(event["touchpoint"]) if survey == "csat" else None
        asked_at = self.asked.get((survey, event["respondent_id"], touchpoint))
        life_ms = CSAT_LIFE_MS if survey == "csat" else NPS_LIFE_MS
        if event["kind"] == "answered" and asked_at is not None and asked_at <= at <= asked_at + life_ms:
            return
        self._ask(survey, event["respondent_id"], touchpoint, at)

    def _ask(self, survey: str, respondent: str | None, touchpoint: str | None, at: int) -> None:
        key = (survey, respondent, touchpoint)
        self.asked[key] = max(self.asked.get(key, 0), -(-at // 1000) * 1000)

    def _free_at(self, survey: str, respondent: str | None, touchpoint: str | None, throttle_ms: int) -> int:
        asked_at = self.asked.get((survey, respondent, touchpoint))
        return 0 if asked_at is None else asked_at + throttle_ms

    def _known(self, touchpoint: str | None) -> str | None:
        return None if touchpoint is None else self.names.touchpoint(touchpoint)

    def _is_gone(self) -> bool:
        return account(self.events)["stage"] in {"cancelled", "lapsed"}

    def _is_prospect(self) -> bool:
        """Whether the cycle began as with a customer, and the account proves to be no customer yet."""
        return self.began_known and account(self.events)["stage"] in {"lead", "trial"}

    def _contacts(self) -> list[str]:
        return sorted({event["respondent_id"] for event in self.events if event["kind"] == "contact"})

    def _said(self, respondent: str | None, field: str) -> Any:
        """What the newest contact event that says something of it says."""
        mine = [event for event in self.events if event["kind"] == "contact" and event["respondent_id"] == respondent]
        said = [event for event in mine if event[field] is not None]
        return max(said, key=recency)[field] if said else None

    def _may_be_asked(self, respondent: str | None) -> bool:
        if respondent is None:
            return not any(self._said(contact, "consent") is False for contact in self._contacts())
        return self._said(respondent, "consent") is not False

    def _locale(self, respondent: str | None) -> str:
        seen = [(event["occurred_at"] // 1000, event["locale"]) for event in self.events if "survey" in event and event["locale"]]
        return str(self._said(respondent, "locale") or (max(seen)[1] if seen else "en"))

    def _publish(self, survey: str, state: str, respondent: str | None, touchpoint: str | None, as_of: int, due_at: int) -> None:
        expires_at = due_at - DUE_WITHIN_MS + CSAT_LIFE_MS if survey == "csat" else due_at + NPS_LIFE_MS
        self.records.append(Asked(survey, state, respondent, touchpoint, as_of, due_at, expires_at, self._locale(respondent)))

    def _occasion(self, ended_at: int, respondent: str | None, touchpoint: str | None, clock_ms: int) -> None:
        if self._is_gone() or not self._may_be_asked(respondent):
            return
        due_at = ended_at + DUE_WITHIN_MS
        if clock_ms >= ended_at + CSAT_LIFE_MS:
            state = "expired"
        elif self._free_at("csat", respondent, touchpoint, CSAT_THROTTLE_MS) > max(due_at, clock_ms):
            state = "throttled"
        else:
            state = "due"
            self._ask("csat", respondent, touchpoint, max(due_at, clock_ms))
        self._publish("csat", state, respondent, touchpoint, clock_ms, due_at)

    def _look(self, now: int) -> None:
        """Whether the NPS has come round, and whether those who wait can be asked."""
        self.last_look = now
        if self.base is None or self._is_prospect():
            return
        rounds = sum(
            self.base + FIRST_MS + number * REPEAT_MS <= now for number in range(1 + max(0, now - self.base) // REPEAT_MS)
        )
        came_at = self.base + FIRST_MS + (rounds - 1) * REPEAT_MS
        has_come, self.done = rounds > self.done, rounds
        if self._is_gone():
            self.waiting.clear()
            return
        new: Sequence[str | None] = ()
        if has_come and came_at > (account(self.events)["stage_since"] or 0):
            everybody: list[str | None] = [*self._contacts()] or [None]
            asked = [respondent for respondent in everybody if self._may_be_asked(respondent)]
            if now >= came_at + NPS_LIFE_MS:
                for respondent in asked:
                    self._publish("nps", "expired", respondent, None, now, came_at)
            else:
                new = [respondent for respondent in asked if respondent not in self.waiting]
                self.waiting.update(dict.fromkeys(new, came_at))
        self._ask_waiting(new, now)

    def _ask_waiting(self, new: Sequence[str | None], now: int) -> None:
        urgent = any(course.is_open and course.priority == "urgent" for course in courses(self.events, self.names).values())
        for respondent, came_at in list(self.waiting.items()):
            free_at, last = self._free_at("nps", respondent, None, NPS_THROTTLE_MS), came_at + DEFER_MS
            if not self._may_be_asked(respondent):
                del self.waiting[respondent]
            elif free_at <= now and not urgent:
                del self.waiting[respondent]
                self._ask("nps", respondent, None, now)
                self._publish("nps", "due", respondent, None, now, now)
            elif free_at > last or now >= last:
                del self.waiting[respondent]
                self._publish("nps", "throttled", respondent, None, now, min(max(free_at, now), last))
            elif respondent in new:
                self._publish("nps", "deferred", respondent, None, now, min(max(free_at, now), last))
