"""A customer's tickets, from the opening to the closing, and the questions that follow."""

from random import Random

from schemas.events import Priority, TicketEvent, TicketKind
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS, around, clamp, pick
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Profile
from streams.sources.simulation.surveys import Surveys
from streams.sources.simulation.usage import moment_of_day, weekday_factor

_TOUCHPOINTS = {"support": 6, "product": 3, "onboarding": 1}
_CHANNELS = {"email": 5, "web": 3, "chat": 3, "phone": 2}
_HOURS_TO_SOLVE: dict[Priority, float] = {"urgent": 8, "high": 20, "normal": 36, "low": 60}
_ANGER_DELAYS = 8.0  # who is badly served is angry: the same trouble makes solutions late
_REOPENED_SHARE = 0.07


class Support:
    """The tickets of one customer."""

    def __init__(self, profile: Profile, rng: Random, journal: Journal, surveys: Surveys) -> None:
        self._profile = profile
        self._rng = rng
        self._journal = journal
        self._surveys = surveys

    def day(self, day_ms: int, mood: Mood) -> None:
        """Plan the ticket of a day, if there is one, with all that follows from it."""
        rate = characters.TICKETS_A_DAY * mood.ticket_factor * (0.5 + 0.5 * min(2.0, mood.engagement)) * weekday_factor(day_ms)
        opened_at = moment_of_day(self._rng, day_ms, self._profile.utc_offset_hours)
        if self._rng.random() < rate and not self._profile.is_gone(opened_at):
            self._ticket(opened_at, mood)

    def _ticket(self, opened_at: int, mood: Mood) -> None:
        rng = self._rng
        anger = clamp(0.8 - mood.satisfaction)
        priorities: dict[Priority, float] = {"low": 3.0, "normal": 6.0, "high": 2.0 + 3.0 * anger, "urgent": 0.6 + 3.0 * anger}
        priority = pick(rng, priorities)
        requester = rng.choice(self._profile.respondents)
        ticket = _Ticket(self._profile, self._journal, priority, pick(rng, _TOUCHPOINTS), pick(rng, _CHANNELS), requester.name)
        ticket.happens(opened_at, "opened", None)
        agent = rng.choice(characters.AGENTS)
        at_ms = opened_at + int(around(rng, 90 * MINUTE_MS, 1.0))
        ticket.happens(at_ms, "replied", agent)
        if rng.random() < 0.3:
            ticket.happens(at_ms + int(around(rng, 5 * HOUR_MS, 0.8)), "replied", agent)
        at_ms += int(around(rng, _HOURS_TO_SOLVE[priority] * (1.0 + _ANGER_DELAYS * anger) * HOUR_MS, 0.9))
        ticket.happens(at_ms, "solved", agent)
        if rng.random() < _REOPENED_SHARE * (1.0 + 2.0 * anger):
            at_ms += int(around(rng, 20 * HOUR_MS, 0.7))
            ticket.happens(at_ms, "reopened", None)
            at_ms += int(around(rng, 30 * HOUR_MS, 0.8))
            ticket.happens(at_ms, "solved", agent)
        ticket.happens(at_ms + int(rng.uniform(3.0, 5.0) * DAY_MS), "closed", agent)
        if rng.random() < 0.6:
            self._surveys.ask_csat(at_ms, ticket.touchpoint, requester, mood, ticket_id=ticket.ticket_id)
        if rng.random() < 0.12:
            self._surveys.ask_effort(at_ms, ticket.touchpoint, requester, mood, ticket.ticket_id)


class _Ticket:
    """What all events of one ticket have in common."""

    def __init__(
        self, profile: Profile, journal: Journal, priority: Priority, touchpoint: str, channel: str, requester_id: str
    ) -> None:
        self._profile = profile
        self._journal = journal
        self._priority = priority
        self._channel = channel
        self._requester_id = requester_id
        self.touchpoint = touchpoint
        self.ticket_id = journal.new_id("ticket")

    def happens(self, at_ms: int, kind: TicketKind, agent_id: str | None) -> None:
        """Write down the next event of the ticket."""
        self._journal.ticket(
            TicketEvent(
                event_id=self._journal.new_id("tic"),
                customer_id=self._profile.customer_id,
                occurred_at=at_ms,
                kind=kind,
                ticket_id=self.ticket_id,
                priority=self._priority,
                touchpoint=self.touchpoint,
                channel=self._channel,
                agent_id=agent_id,
                requester_id=self._requester_id,
            )
        )
