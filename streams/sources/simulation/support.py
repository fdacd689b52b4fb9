"""A customer's tickets, from the opening to the closing, and the questions that follow."""

from random import Random

from schemas.events import Priority, TicketEvent, TicketKind
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS, around, clamp, pick
from streams.sources.simulation.desk import TEAMS, Desk, after_working
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Profile
from streams.sources.simulation.surveys import Surveys
from streams.sources.simulation.usage import moment_of_day, weekday_factor

_TOUCHPOINTS = {"support": 6, "product": 3, "onboarding": 1}
_CHANNELS = {"email": 5, "web": 3, "chat": 3, "phone": 2}
_ANGER_DELAYS = 8.0
"""Who is badly served is angry: the same trouble makes solutions late, and first answers a little."""
_ANGER_DELAYS_ANSWERS = 2.0
_REOPENED_SHARE = 0.07
_HAPPENED_TWICE_SHARE = 0.01
"""Of the tickets, those that two agents close, or that are answered once more when they are solved already."""


class Support:
    """The tickets of one customer."""

    def __init__(self, profile: Profile, rng: Random, journal: Journal, surveys: Surveys, desk: Desk) -> None:
        self._profile = profile
        self._rng = rng
        self._journal = journal
        self._surveys = surveys
        self._desk = desk

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
        solved_at = self._served(ticket, opened_at, anger)
        if rng.random() < 0.6:
            self._surveys.ask_csat(solved_at, ticket.touchpoint, requester, mood, ticket_id=ticket.ticket_id)
        if rng.random() < 0.12:
            self._surveys.ask_effort(solved_at, ticket.touchpoint, requester, mood, ticket.ticket_id)

    def _served(self, ticket: "_Ticket", opened_at: int, anger: float) -> int:
        """Everything from the first answer to the closing; returns when the ticket was solved for good."""
        rng, desk, priority = self._rng, self._desk, ticket.priority
        delays = 1.0 + _ANGER_DELAYS * anger
        agent = rng.choice(TEAMS[ticket.touchpoint])
        at_ms = desk.answered_at(rng, agent, priority, opened_at, 1.0 + _ANGER_DELAYS_ANSWERS * anger)
        ticket.happens(at_ms, "replied", agent.name)
        solved_at = desk.solved_at(rng, agent, priority, at_ms, delays)
        if rng.random() < 0.3:
            again_at = after_working(at_ms + int(rng.random() * (solved_at - at_ms)), 5 * MINUTE_MS)
            ticket.happens(min(again_at, solved_at), "replied", agent.name)
        if rng.random() < _HAPPENED_TWICE_SHARE:
            ticket.happens(solved_at + int(rng.uniform(1, 90) * MINUTE_MS), rng.choice(("replied", "solved")), agent.name)
        ticket.happens(solved_at, "solved", agent.name)
        if rng.random() < _REOPENED_SHARE * (1.0 + 2.0 * anger):
            reopened_at = solved_at + int(around(rng, 20 * HOUR_MS, 0.7))
            ticket.happens(reopened_at, "reopened", None)
            agent = rng.choice(TEAMS[ticket.touchpoint])
            solved_at = desk.solved_at(rng, agent, priority, reopened_at, delays)
            ticket.happens(solved_at, "solved", agent.name)
        ticket.happens(solved_at + int(rng.uniform(3.0, 5.0) * DAY_MS), "closed", agent.name)
        return solved_at


class _Ticket:
    """What all events of one ticket have in common."""

    def __init__(
        self, profile: Profile, journal: Journal, priority: Priority, touchpoint: str, channel: str, requester_id: str
    ) -> None:
        self._profile = profile
        self._journal = journal
        self.priority = priority
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
                priority=self.priority,
                touchpoint=self.touchpoint,
                channel=self._channel,
                agent_id=agent_id,
                requester_id=self._requester_id,
            )
        )
