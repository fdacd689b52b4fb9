"""The five input records, as typed values.

One record a topic; `kind` says what happened. Times are epoch milliseconds in UTC, money is integer cents, and a field that
does not apply is None. What a kind needs beyond its types is checked by `schemas.checks`.
"""

from typing import Literal

from msgspec import Struct

Priority = Literal["low", "normal", "high", "urgent"]
Survey = Literal["csat", "nps", "ces", "product"]
Scale = Literal["good_bad", "1_5", "0_10", "1_10", "1_7"]
Reason = Literal["competitor", "dissatisfaction", "attitude", "price", "no_need", "other"]
PaymentStatus = Literal["paid", "late", "failed"]

TicketKind = Literal["opened", "replied", "solved", "reopened", "closed"]
UsageKind = Literal["feature_used", "goal_completed", "goal_failed", "session", "interaction_ended"]
SurveyKind = Literal["sent", "answered", "expired"]
AccountKind = Literal[
    "known",
    "lead",
    "trial_started",
    "contracted",
    "handed_over",
    "onboarded",
    "plan_changed",
    "cross_sold",
    "payment",
    "renewal_due",
    "renewed",
    "cancelled",
    "lapsed",
    "reactivated",
    "referred",
    "owner_changed",
    "contact",
    "override",
    "acknowledged",
    "acted",
    "muted",
    "erased",
]


class TicketEvent(Struct, frozen=True, kw_only=True, gc=False):
    """Something happened to a support ticket."""

    event_id: str
    customer_id: str
    occurred_at: int
    kind: TicketKind
    ticket_id: str
    priority: Priority | None = None
    touchpoint: str | None = None
    channel: str | None = None
    agent_id: str | None = None
    requester_id: str | None = None


class UsageEvent(Struct, frozen=True, kw_only=True, gc=False):
    """The customer used the product, reached or missed a goal, or ended an interaction.

    `quantity` is uses on `feature_used` and `session`, goals completed on `goal_completed`; absent means 1.
    """

    event_id: str
    customer_id: str
    occurred_at: int
    kind: UsageKind
    feature: str | None = None
    goal: str | None = None
    touchpoint: str | None = None
    interaction_id: str | None = None
    user_id: str | None = None
    quantity: int | None = None
    duration_ms: int | None = None


class SurveyEvent(Struct, frozen=True, kw_only=True, gc=False):
    """A survey was sent, answered or expired. `score` is the raw answer on `scale`."""

    event_id: str
    customer_id: str
    occurred_at: int
    kind: SurveyKind
    survey: Survey
    score: int | None = None
    scale: Scale | None = None
    touchpoint: str | None = None
    respondent_id: str | None = None
    request_id: str | None = None
    interaction_id: str | None = None
    ticket_id: str | None = None
    locale: str | None = None
    comment: str | None = None


class PromisedGoal(Struct, frozen=True, kw_only=True, gc=False):
    """One goal of a contract: how much of it the customer was promised in 30 days."""

    goal: str
    expected_per_30_days: float


class AccountEvent(Struct, frozen=True, kw_only=True):
    """What happened to the account itself.

    Any kind may carry `plan`, `mrr_cents`, `currency`, `seats`, `segment`, `renewal_at` or `owner`; absent means unchanged.
    `referred_customer_id` is the other side of a referral: whom this customer has referred on `referred`, and by whom it was
    referred itself on `lead`, `trial_started`, `contracted` and `known`.
    """

    event_id: str
    customer_id: str
    occurred_at: int
    kind: AccountKind
    plan: str | None = None
    mrr_cents: int | None = None
    currency: str | None = None
    seats: int | None = None
    segment: str | None = None
    renewal_at: int | None = None
    owner: str | None = None
    goals: list[PromisedGoal] | None = None
    amount_cents: int | None = None
    status: PaymentStatus | None = None
    product: str | None = None
    reason: Reason | None = None
    reason_text: str | None = None
    referred_customer_id: str | None = None
    respondent_id: str | None = None
    locale: str | None = None
    consent: bool | None = None
    author: str | None = None
    override_score: float | None = None
    expires_at: int | None = None
    episode_id: str | None = None
    action: str | None = None
    rule: str | None = None
    muted_until: int | None = None


class FleetFigure(Struct, frozen=True, kw_only=True, gc=False):
    """A figure of the whole fleet that a customer's rules need, as it was at `as_of`."""

    name: str
    value: float | None
    as_of: int


class Tick(Struct, frozen=True, kw_only=True):
    """Time as data: a record that a task writes into its own partition of `cs.ticks` and reads back.

    `config_version` is the version of the definitions in force from here on; `active_app_id` is set on the marker that moves the
    outputs from one application id to another, and None elsewhere.
    """

    occurred_at: int
    partition: int
    config_version: int
    fleet: list[FleetFigure] = []
    active_app_id: str | None = None


CustomerEvent = TicketEvent | UsageEvent | SurveyEvent | AccountEvent
InputEvent = CustomerEvent | Tick
