"""The life of an account: how it came, what it pays, how it changes, whom it brings along, and how it ends."""

from random import Random
from typing import Any

from schemas.events import AccountKind, PromisedGoal
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, poisson
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Departure, Profile, Span

_MONTH_MS = 30 * DAY_MS
_YEAR_MS = 365 * DAY_MS
_TRIAL_MS = 14 * DAY_MS
_GROWTH_STEP_A_DAY = 0.011
_USUAL_STEP_A_DAY = 0.0012
_SHRINK_A_DAY = 0.004
_CROSS_SOLD_A_DAY = 0.0006
_OWNER_CHANGED_A_DAY = 0.0007
_CURRENCY = "EUR"


class Account:
    """The account events of one customer. Its fate is in the profile; what grows or shrinks on the way is drawn here."""

    def __init__(self, profile: Profile, rng: Random, journal: Journal) -> None:
        self._profile = profile
        self._rng = rng
        self._journal = journal
        self._plan = profile.plan
        self._seats = profile.seats
        self._owner = profile.owner
        self._renewal_at = profile.renewal_at
        self._paid_at = 0

    def begin(self, span: Span) -> None:
        """Plan how the customer comes in: as one that another system knows already, or step by step from a lead."""
        arrival = self._profile.arrival
        if arrival is None:
            known_at = span.start_ms + int(self._rng.random() * HOUR_MS)
            self._journal.account(known_at, "known", goals=self._promises(), **self._terms())
            self._contacts(known_at)
            self._paid_at = known_at - int(self._rng.random() * _MONTH_MS)
        else:
            self._journal.account(arrival.lead_at, "lead", owner=self._owner, segment=self._profile.segment)
            self._journal.account(arrival.trial_at, "trial_started")
            self._contacts(arrival.trial_at)
            if arrival.contracted_at is not None:
                self._journal.account(arrival.contracted_at, "contracted", goals=self._promises(), **self._terms())
                self._journal.account(arrival.handed_over_at, "handed_over", owner=self._owner)
                self._journal.account(arrival.onboarded_at, "onboarded")
                self._paid_at = arrival.contracted_at
        departure = self._profile.departure
        if departure is not None:
            self._leave(departure)

    def ability(self, day_ms: int) -> float:
        """How much of a customer it is by then (0-1): a trial does less than an onboarded account, a lead nothing."""
        arrival = self._profile.arrival
        if arrival is None or (arrival.contracted_at is not None and day_ms >= arrival.onboarded_at):
            return 1.0
        if day_ms < arrival.trial_at:
            return 0.0
        if arrival.contracted_at is None:
            return 0.5 if day_ms < arrival.trial_at + _TRIAL_MS else 0.0
        return 0.5 if day_ms < arrival.contracted_at else 0.75

    def day(self, day_ms: int, mood: Mood) -> None:
        """Plan the payments, renewals and changes of a day."""
        if self._profile.is_gone(day_ms + DAY_MS) or not self._is_contracted(day_ms):
            return
        at_ms = day_ms + int(self._rng.uniform(7, 17) * HOUR_MS)
        if day_ms >= self._paid_at + _MONTH_MS:
            self._paid_at += _MONTH_MS
            status = "paid" if self._rng.random() < 0.96 else self._rng.choice(("late", "late", "failed"))
            self._journal.account(at_ms, "payment", amount_cents=self._mrr_cents(), currency=_CURRENCY, status=status)
        if day_ms <= self._renewal_at < day_ms + DAY_MS:
            self._renew(self._renewal_at)
        self._change(at_ms, mood)

    def refer(self, at_ms: int, friend_id: str) -> None:
        """Plan that the customer brings another."""
        if not self._profile.is_gone(at_ms) and self._is_contracted(at_ms):
            self._journal.account(at_ms, "referred", referred_customer_id=friend_id)

    def _leave(self, departure: Departure) -> None:
        kind: AccountKind = "lapsed" if departure.lapsed else "cancelled"
        reason = None if departure.lapsed else departure.reason
        self._journal.account(departure.at, kind, reason=reason)
        if departure.back_at is not None:
            renewal_at = departure.back_at + _YEAR_MS
            self._journal.account(
                departure.back_at, "reactivated", renewal_at=renewal_at, mrr_cents=self._mrr_cents(), seats=self._seats
            )
            self._paid_at = max(self._paid_at, departure.back_at)

    def _is_contracted(self, at_ms: int) -> bool:
        arrival = self._profile.arrival
        return arrival is None or (arrival.contracted_at is not None and at_ms >= arrival.contracted_at)

    def _renew(self, at_ms: int) -> None:
        self._journal.account(at_ms, "renewal_due")
        departure = self._profile.departure
        if departure is not None and departure.lapsed and at_ms <= departure.at:
            return  # this is the contract that runs out
        self._renewal_at = at_ms + _YEAR_MS
        renewed_at = at_ms + int(self._rng.uniform(0.1, 6.0) * DAY_MS)
        if not self._profile.is_gone(renewed_at):
            self._journal.account(renewed_at, "renewed", **self._terms())

    def _change(self, at_ms: int, mood: Mood) -> None:
        rng, grows = self._rng, self._profile.character.growth_a_year > 0
        draw = rng.random()
        if draw < (_GROWTH_STEP_A_DAY if grows else _USUAL_STEP_A_DAY):
            self._seats += max(1, round(self._seats * rng.uniform(0.05, 0.25)))
            if rng.random() < 0.25:
                self._plan = min(self._plan + 1, len(characters.PLANS) - 1)
            self._journal.account(
                at_ms, "plan_changed", plan=characters.PLANS[self._plan][0], seats=self._seats, mrr_cents=self._mrr_cents()
            )
        elif draw > 1.0 - _SHRINK_A_DAY * max(0.0, 1.0 - mood.engagement) and self._seats > 1:
            self._seats = max(1, int(self._seats * rng.uniform(0.6, 0.9)))
            self._journal.account(at_ms, "plan_changed", seats=self._seats, mrr_cents=self._mrr_cents())
        if rng.random() < _CROSS_SOLD_A_DAY * (3.0 if grows else 1.0):
            self._journal.account(
                at_ms, "cross_sold", product=rng.choice(("analytics", "archive", "signatures")), amount_cents=4_900
            )
        if rng.random() < _OWNER_CHANGED_A_DAY:
            self._owner = rng.choice(characters.OWNERS)
            self._journal.account(at_ms, "owner_changed", owner=self._owner)

    def _contacts(self, at_ms: int) -> None:
        for respondent in self._profile.respondents:
            self._journal.account(
                at_ms, "contact", respondent_id=respondent.name, locale=respondent.locale, consent=self._rng.random() < 0.95
            )

    def _promises(self) -> list[PromisedGoal]:
        usual = 22 * self._profile.activity
        goals = [
            PromisedGoal(goal=goal, expected_per_30_days=float(1 + poisson(self._rng, 0.2 * usual)))
            for goal in characters.PROMISED_GOALS
        ]
        return goals[: self._rng.choice((1, 2, 3))]

    def _terms(self) -> dict[str, Any]:
        return {
            "plan": characters.PLANS[self._plan][0],
            "mrr_cents": self._mrr_cents(),
            "currency": _CURRENCY,
            "seats": self._seats,
            "segment": self._profile.segment,
            "renewal_at": self._renewal_at,
            "owner": self._owner,
        }

    def _mrr_cents(self) -> int:
        return self._seats * characters.PLANS[self._plan][1]
