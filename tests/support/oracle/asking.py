"""The plan of surveys by the book, for one customer: what happens is taken one by one, and everything is asked anew each time.

It goes by the definitions file: CSAT and CES after an occasion, NPS and the product's survey when they come round.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event, Judged
from tests.support.oracle.account import account, recency
from tests.support.oracle.events import DAY_MS, HOUR_MS, Names, read_definitions
from tests.support.oracle.tickets import courses

MINUTE_MS = 60_000
OCCASIONS, CYCLES = ("csat", "ces"), ("nps", "product")


class Occasion(NamedTuple):
    """A survey after an occasion."""

    survey: str
    due_within_ms: int
    life_ms: int
    throttle_ms: int
    touchpoints: frozenset[str]
    after_tickets: bool


class Cycle(NamedTuple):
    """A survey that comes round."""

    survey: str
    first_ms: int
    repeat_ms: int
    throttle_ms: int
    defer_ms: int
    life_ms: int
    waits_for_urgent: bool


def occasions_of(section: dict[str, Any], names: Names) -> list[Occasion]:
    said = {survey: section.get(survey, {}) for survey in OCCASIONS}
    return [
        Occasion(
            survey,
            one.get("due_within_minutes", 5) * MINUTE_MS,
            one.get("expires_after_hours", 24) * HOUR_MS,
            one.get("throttle_days", 7) * DAY_MS,
            frozenset(one.get("touchpoints", names.touchpoints)),
            one.get("after_tickets", True),
        )
        for survey, one in said.items()
        if one.get("enabled", survey == "csat")
    ]


def cycles_of(section: dict[str, Any]) -> list[Cycle]:
    said = {survey: section.get(survey, {}) for survey in CYCLES}
    return [
        Cycle(
            survey,
            one.get("first_after_onboarding_days", 3 if survey == "nps" else 30) * DAY_MS,
            one.get("repeat_days", 180) * DAY_MS,
            one.get("throttle_days", 179) * DAY_MS,
            one.get("defer_at_most_days", 30) * DAY_MS,
            one.get("expires_after_days", 14) * DAY_MS,
            one.get("wait_while_urgent_ticket_open", True),
        )
        for survey, one in said.items()
        if one.get("enabled", survey == "nps")
    ]


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
        section = read_definitions(names.definitions_text).get("surveys", {})
        self.names = names
        self.needs_consent = section.get("needs_consent", False)
        self.occasions, self.cycles = occasions_of(section, names), cycles_of(section)
        self.records: list[Asked] = []
        self.events: list[Event] = []
        self.asked: dict[tuple[str, str | None, str | None], int] = {}
        self.base: int | None = None
        self.began_known = False
        self.done = {cycle.survey: 0 for cycle in self.cycles}
        self.waiting: dict[str, dict[str | None, int]] = {cycle.survey: {} for cycle in self.cycles}
        self.last_look = -1

    def happens(self, event: Event, clock_ms: int) -> None:
        if event["kind"] == "erased":
            self._forget()
            return
        self.events.append(event)
        if "survey" in event:
            self._note(event)
        elif event["kind"] == "onboarded" and (self.began_known or event["occurred_at"] > (self.base or 0)):
            self.base, self.began_known = event["occurred_at"], False
            self.done = dict.fromkeys(self.done, 0)
        elif event["kind"] == "known" and self.base is None and account(self.events)["stage"] == "known":
            self.base, self.began_known = event["occurred_at"], True
        elif event["kind"] in ("interaction_ended", "solved"):
            self._ended(event, clock_ms)
        self._look(clock_ms)

    def _ended(self, event: Event, clock_ms: int) -> None:
        """An interaction or a ticket is over."""
        for plan in self.occasions:
            if event["kind"] == "solved" and plan.after_tickets:
                touchpoint = courses(self.events, self.names)[event["ticket_id"]].touchpoint
                place = None if touchpoint == "other" else touchpoint
                self._occasion(plan, event["occurred_at"], event["requester_id"], place, clock_ms)
            elif event["kind"] != "solved" and event["touchpoint"] in plan.touchpoints:
                self._occasion(plan, event["occurred_at"], event["user_id"], event["touchpoint"], clock_ms)

    def time_passes(self, until_ms: int) -> None:
        """Everything that becomes due by itself, each at its own time."""
        while self.base is not None and not self._is_gone() and not self._is_prospect():
            times = []
            for cycle in self.cycles:
                times.append(self.base + cycle.first_ms + self.done[cycle.survey] * cycle.repeat_ms)
                for respondent, came_at in self.waiting[cycle.survey].items():
                    times += [self._free_at(cycle, respondent, None), came_at + cycle.defer_ms]
            ahead = [time for time in times if self.last_look < time <= until_ms]
            if not ahead:
                return
            self._look(min(ahead))

    def _forget(self) -> None:
        """Forget the customer; what was published stays."""
        self.events.clear()
        self.asked.clear()
        self.done = dict.fromkeys(self.done, 0)
        self.waiting = {survey: {} for survey in self.waiting}
        self.base, self.began_known, self.last_look = None, False, -1

    def _note(self, event: Event) -> None:
        at = event["occurred_at"]
        plans: list[Occasion | Cycle] = [*self.occasions, *self.cycles]
        plan = next((one for one in plans if one.survey == event["survey"]), None)
        if event["kind"] == "expired" or plan is None:
            return
        touchpoint = self._known(event["touchpoint"]) if isinstance(plan, Occasion) else None
        asked_at = self.asked.get((plan.survey, event["respondent_id"], touchpoint))
        if event["kind"] == "answered" and asked_at is not None and asked_at <= at <= asked_at + plan.life_ms:
            return
        self._ask(plan.survey, event["respondent_id"], touchpoint, at)

    def _ask(self, survey: str, respondent: str | None, touchpoint: str | None, at: int) -> None:
        key = (survey, respondent, touchpoint)
        self.asked[key] = max(self.asked.get(key, 0), -(-at // 1000) * 1000)

    def _free_at(self, plan: Occasion | Cycle, respondent: str | None, touchpoint: str | None) -> int:
        asked_at = self.asked.get((plan.survey, respondent, touchpoint))
        return 0 if asked_at is None else asked_at + plan.throttle_ms

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
        if self.needs_consent:
            return respondent is not None and self._said(respondent, "consent") is True
        if respondent is None:
            return not any(self._said(contact, "consent") is False for contact in self._contacts())
        return self._said(respondent, "consent") is not False

    def _locale(self, respondent: str | None) -> str:
        seen = [(event["occurred_at"] // 1000, event["locale"]) for event in self.events if "survey" in event and event["locale"]]
        return str(self._said(respondent, "locale") or (max(seen)[1] if seen else "en"))

    def _publish(
        self, plan: Occasion | Cycle, state: str, respondent: str | None, touchpoint: str | None, as_of: int, due_at: int
    ) -> None:
        ended_at = due_at - plan.due_within_ms if isinstance(plan, Occasion) else due_at
        locale = self._locale(respondent)
        self.records.append(Asked(plan.survey, state, respondent, touchpoint, as_of, due_at, ended_at + plan.life_ms, locale))

    def _occasion(self, plan: Occasion, ended_at: int, respondent: str | None, touchpoint: str | None, clock_ms: int) -> None:
        if self._is_gone() or not self._may_be_asked(respondent):
            return
        due_at = ended_at + plan.due_within_ms
        if clock_ms >= ended_at + plan.life_ms:
            state = "expired"
        elif self._free_at(plan, respondent, touchpoint) > max(due_at, clock_ms):
            state = "throttled"
        else:
            state = "due"
            self._ask(plan.survey, respondent, touchpoint, max(due_at, clock_ms))
        self._publish(plan, state, respondent, touchpoint, clock_ms, due_at)

    def _look(self, now: int) -> None:
        """Whether a survey has come round, and whether those who wait can be asked."""
        self.last_look = now
        if self.base is None or self._is_prospect():
            return
        for cycle in self.cycles:
            self._look_at(cycle, self.base + cycle.first_ms, now)

    def _look_at(self, cycle: Cycle, first: int, now: int) -> None:
        rounds = 0
        while first + rounds * cycle.repeat_ms <= now:
            rounds += 1
        came_at = first + (rounds - 1) * cycle.repeat_ms
        has_come, self.done[cycle.survey] = rounds > self.done[cycle.survey], rounds
        waiting = self.waiting[cycle.survey]
        if self._is_gone():
            waiting.clear()
            return
        new: Sequence[str | None] = ()
        if has_come and came_at > (account(self.events)["stage_since"] or 0):
            everybody: list[str | None] = [*self._contacts()] or [None]
            asked = [respondent for respondent in everybody if self._may_be_asked(respondent)]
            if now >= came_at + cycle.life_ms:
                for respondent in asked:
                    self._publish(cycle, "expired", respondent, None, now, came_at)
            else:
                new = [respondent for respondent in asked if respondent not in waiting]
                waiting.update(dict.fromkeys(new, came_at))
        self._ask_waiting(cycle, new, now)

    def _ask_waiting(self, cycle: Cycle, new: Sequence[str | None], now: int) -> None:
        waiting = self.waiting[cycle.survey]
        is_urgent = any(course.is_open and course.priority == "urgent" for course in courses(self.events, self.names).values())
        inconvenient = is_urgent and cycle.waits_for_urgent
        for respondent, came_at in list(waiting.items()):
            free_at, last = self._free_at(cycle, respondent, None), came_at + cycle.defer_ms
            if not self._may_be_asked(respondent):
                del waiting[respondent]
            elif free_at <= now and not inconvenient:
                del waiting[respondent]
                self._ask(cycle.survey, respondent, None, now)
                self._publish(cycle, "due", respondent, None, now, now)
            elif free_at > last or now >= last:
                del waiting[respondent]
                self._publish(cycle, "throttled", respondent, None, now, min(max(free_at, now), last))
            elif respondent in new:
                self._publish(cycle, "deferred", respondent, None, now, min(max(free_at, now), last))
