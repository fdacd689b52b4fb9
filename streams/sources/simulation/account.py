"""The life of an account: how it came, what it pays, how it changes, whom it brings along, and how it ends."""

from random import Random
from typing import Any

from schemas.events import AccountKind, PromisedGoal
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, around, poisson
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import LAPSE_GRACE_MS, Departure, Profile, Span

_MONTH_MS = 30 * DAY_MS
_YEAR_DAYS = 365
_TRIAL_MS = 14 * DAY_MS
_GROWTH_STEP_A_DAY = 0.011
_USUAL_STEP_A_DAY = 0.0012
_SHRINK_A_DAY = 0.004
_CROSS_SOLD_A_DAY = 0.0006
_OWNER_CHANGED_A_DAY = 0.0007
_CURRENCY = "EUR"
_RETRIES_AFTER_DAYS = (2, 6)
"""A payment that failed is tried again so much later."""
_RENEWED_AFTER_DAYS_MEDIAN = 3.0
_RENEWED_AFTER_DAYS_MOST = 27.0
"""Most renew within days of the renewal date; some let it come close to the end of the grace, as those do who then lapse."""
_FEATURES_SOLD = ("analytics", "archive", "signatures")
_OVERRIDE_REASONS = (
    "Spoke to their director: the budget for next year is agreed.",
    "A merger is under way, nobody there decides anything before spring.",
    "They run a pilot with another product beside ours.",
)
_MUTED_RULES = ("silence", "backlog")


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
            self._contacts(arrival.lead_at)
            self._journal.account(arrival.trial_at, "trial_started")
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
            self._pay(at_ms, mood)
        if day_ms <= self._renewal_at < day_ms + DAY_MS:
            self._renew(self._renewal_at)
        self._change(at_ms, mood)
        self._people(at_ms)

    def refer(self, at_ms: int, friend_id: str) -> None:
        """Plan that the customer brings another."""
        if not self._profile.is_gone(at_ms) and self._is_contracted(at_ms):
            self._journal.account(at_ms, "referred", referred_customer_id=friend_id)

    def _leave(self, departure: Departure) -> None:
        kind: AccountKind = "lapsed" if departure.lapsed else "cancelled"
        reason = None if departure.lapsed else departure.reason
        self._journal.account(departure.at, kind, reason=reason)
        if departure.back_at is not None:
            self._renewal_at = renewal_at = departure.back_at + self._profile.term_days * DAY_MS
            self._journal.account(
                departure.back_at, "reactivated", renewal_at=renewal_at, mrr_cents=self._mrr_cents(), seats=self._seats
            )
            self._paid_at = max(self._paid_at, departure.back_at)
        if departure.erased_at is not None:
            self._journal.account(departure.erased_at, "erased")

    def _is_contracted(self, at_ms: int) -> bool:
        arrival = self._profile.arrival
        return arrival is None or (arrival.contracted_at is not None and at_ms >= arrival.contracted_at)

    def _pay(self, at_ms: int, mood: Mood) -> None:
        """The payment of a month. Who is not content is a little slower to pay, and a payment that failed is tried again."""
        late_share = self._profile.late_payment_share * (1.0 + max(0.0, 0.6 - mood.satisfaction))
        draw = self._rng.random()
        status = "paid" if draw >= late_share else "failed" if draw < 0.35 * late_share else "late"
        self._journal.account(at_ms, "payment", amount_cents=self._mrr_cents(), currency=_CURRENCY, status=status)
        if status == "failed":
            again_at = at_ms + int(self._rng.uniform(*_RETRIES_AFTER_DAYS) * DAY_MS)
            if not self._profile.is_gone(again_at):
                self._journal.account(again_at, "payment", amount_cents=self._mrr_cents(), currency=_CURRENCY, status="paid")

    def _renew(self, at_ms: int) -> None:
        self._journal.account(at_ms, "renewal_due")
        departure = self._profile.departure
        if departure is not None and departure.lapsed and departure.at - LAPSE_GRACE_MS <= at_ms < departure.at:
            return  # this is the contract that runs out
        self._renewal_at = at_ms + self._profile.term_days * DAY_MS
        after_days = min(_RENEWED_AFTER_DAYS_MOST, around(self._rng, _RENEWED_AFTER_DAYS_MEDIAN, 1.0))
        renewed_at = at_ms + int(after_days * DAY_MS)
        if not self._profile.is_gone(renewed_at):
            self._journal.account(renewed_at, "renewed", **self._terms())

    def _people(self, at_ms: int) -> None:
        """What people on our side do: now and then one knows better than the score, or does not want to hear of a rule."""
        rng = self._rng
        if rng.random() < characters.OVERRIDES_A_YEAR / _YEAR_DAYS:
            self._journal.account(
                at_ms,
                "override",
                author=self._owner,
                reason_text=rng.choice(_OVERRIDE_REASONS),
                override_score=float(rng.choice((35, 55, 75, 85))),
                expires_at=at_ms + rng.choice((14, 30, 60)) * DAY_MS,
            )
        if rng.random() < characters.MUTES_A_YEAR / _YEAR_DAYS:
            until_ms = at_ms + rng.choice((14, 30)) * DAY_MS
            self._journal.account(at_ms, "muted", author=self._owner, rule=rng.choice(_MUTED_RULES), muted_until=until_ms)

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
            self._journal.account(at_ms, "cross_sold", product=rng.choice(_FEATURES_SOLD), amount_cents=4_900, currency=_CURRENCY)
        if rng.random() < _OWNER_CHANGED_A_DAY:
            self._owner = rng.choice(characters.OWNERS)
            self._journal.account(at_ms, "owner_changed", owner=self._owner)

    def _contacts(self, at_ms: int) -> None:
        for respondent in self._profile.respondents:
            self._journal.account(
                at_ms, "contact", respondent_id=respondent.name, locale=respondent.locale, consent=respondent.may_be_asked(at_ms)
            )
            opts_out_at = respondent.opts_out_at
            if opts_out_at is not None and opts_out_at > at_ms and not self._profile.is_gone(opts_out_at):
                self._journal.account(opts_out_at, "contact", respondent_id=respondent.name, consent=False)

    def _promises(self) -> list[PromisedGoal]:
        """What the contract promises in 30 days, each in the unit of its goal's kind."""
        usual = 22 * self._profile.activity
        expected = {
            "report_created": 1.0 + poisson(self._rng, 0.15 * usual),
            "workflow_completed": 0.5 + 0.5 * poisson(self._rng, 0.1 * usual),
            "import_correct": self._rng.choice((0.8, 0.9, 0.95)),
            "setup_finished": 1.0,
        }
        goals = self._rng.sample(sorted(expected), self._rng.choice((1, 2, 2, 3)))
        return [PromisedGoal(goal=goal, expected_per_30_days=expected[goal]) for goal in goals]

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
