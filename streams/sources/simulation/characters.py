"""Every number that shapes the simulated customers, in one place so that it can be tuned.

The aim: about one event a day and customer; one in seven leaves in a year; a third of those who leave give no sign; and the
characters overlap so much that no single figure tells who leaves (area under the ROC curve of at most 0.8, all figures together
of at most 0.9).
"""

from typing import Literal

from msgspec import Struct

from schemas.events import Reason

CharacterName = Literal["healthy", "stalled", "growing", "declining", "silent", "angry"]


class Trouble(Struct, frozen=True, kw_only=True):
    """What a bad time does at its full strength, to which it grows over the first part of it, `ramp_share` (0-1).

    Factors multiply a rate, losses are subtracted from the satisfaction (0-1). `signs` is what an attentive person would see.
    """

    signs: tuple[str, ...]
    ramp_share: float = 0.35
    engagement_factor: float = 1.0
    satisfaction_loss: float = 0.0
    ticket_factor: float = 1.0
    answer_factor: float = 1.0


class Character(Struct, frozen=True, kw_only=True):
    """A kind of customer.

    `share` of all customers; `leaves_a_year` is the part of them that leaves within a year (of a shorter span proportionally
    fewer leave), and above 1 `hurry` makes them leave sooner after they came; `satisfaction` is the mean (0-1) of the latent
    satisfaction; `growth_a_year` is how much more they do after a year; `trouble` is their bad time, which those have who stay,
    too: it precedes the departure, or stands at the beginning when `starts_late`; those who leave without trouble give no sign;
    `reasons` are the weights of what they say when they leave.
    """

    name: CharacterName
    share: float
    leaves_a_year: float
    satisfaction: float
    reasons: dict[Reason, int]
    hurry: float = 1.0
    growth_a_year: float = 0.0
    trouble: Trouble | None = None
    starts_late: bool = False


CHARACTERS: tuple[Character, ...] = (
    Character(
        name="healthy",
        share=0.50,
        leaves_a_year=0.10,
        satisfaction=0.74,
        reasons={"price": 4, "no_need": 4, "competitor": 3, "other": 2},
    ),
    Character(
        name="stalled",
        share=0.04,
        leaves_a_year=0.36,
        hurry=2.0,
        satisfaction=0.70,
        reasons={"no_need": 5, "price": 3, "other": 2},
        trouble=Trouble(
            signs=("not started",),
            ramp_share=0.0,
            engagement_factor=0.0,
            satisfaction_loss=0.05,
            ticket_factor=0.5,
            answer_factor=0.6,
        ),
        starts_late=True,
    ),
    Character(
        name="growing",
        share=0.16,
        leaves_a_year=0.04,
        satisfaction=0.80,
        growth_a_year=0.7,
        reasons={"competitor": 4, "price": 3, "other": 1},
    ),
    Character(
        name="declining",
        share=0.11,
        leaves_a_year=0.34,
        satisfaction=0.70,
        reasons={"no_need": 4, "competitor": 3, "price": 2, "dissatisfaction": 2},
        trouble=Trouble(signs=("usage fell", "goals fell"), engagement_factor=0.15, satisfaction_loss=0.25, answer_factor=0.6),
    ),
    Character(
        name="silent",
        share=0.09,
        leaves_a_year=0.34,
        satisfaction=0.71,
        reasons={"no_need": 5, "other": 3, "competitor": 2},
        trouble=Trouble(signs=("silence",), engagement_factor=0.02, satisfaction_loss=0.1, ticket_factor=0.1, answer_factor=0.1),
    ),
    Character(
        name="angry",
        share=0.10,
        leaves_a_year=0.34,
        satisfaction=0.66,
        reasons={"dissatisfaction": 6, "attitude": 3, "competitor": 2},
        trouble=Trouble(
            signs=("tickets rose", "bad answers"),
            engagement_factor=0.85,
            satisfaction_loss=0.55,
            ticket_factor=14.0,
            answer_factor=1.3,
        ),
    ),
)

# Bad times that everybody has now and then and gets over: what makes an alert false.
DIPS: tuple[tuple[Trouble, tuple[int, int]], ...] = (
    (Trouble(signs=("holiday",), engagement_factor=0.08, ticket_factor=0.2, answer_factor=0.2), (8, 22)),
    (Trouble(signs=("slump",), engagement_factor=0.45, satisfaction_loss=0.05), (20, 55)),
    (Trouble(signs=("incident",), ticket_factor=4.0, satisfaction_loss=0.25), (7, 25)),
)
DIPS_A_YEAR = 0.9
TROUBLES_A_YEAR = 1.0
"""Bad times of a kind that others leave after, of those who have it in their character and stay."""

TROUBLE_DAYS = (18, 90)
"""How long before leaving the trouble of a customer begins; as long lasts the trouble of one who stays."""
TROUBLE_STRENGTH = (0.6, 1.0)
NEVER_STARTS_SHARE = 0.3
"""Of those who start late and stay, those who have not started at the end; whoever of them leaves never did."""
LATE_START_DAYS_MEDIAN = 40.0
LATE_START_SIGMA = 0.8
"""After how long the others start: log-normal."""

NEWCOMER_SHARE = 0.25
"""Of all customers, those whose story begins as a lead within the span; the others are `known` at its start."""
TRIAL_WITHOUT_CONTRACT_SHARE = 0.15
LAPSED_SHARE = 0.2
"""Of those who leave, those who let the contract run out instead of cancelling it."""
REACTIVATED_SHARE = 0.08
ERASED_SHARE = 0.04
"""Of those who leave and do not come back, those who ask some weeks later that everything be forgotten."""
CANCELS_BEFORE_RENEWAL_SHARE = 0.25
"""Of those who cancel, those who do it in the weeks before the contract would be renewed."""
TERM_DAYS: dict[int, int] = {90: 2, 180: 1, 365: 5}
"""How long a contract runs, with how often such a one is made."""
SATISFACTION_SD = 0.09
ACTIVITY_MEDIAN = 0.34
"""Chance of a working day with a session, before the customer's own habits, which differ by `ACTIVITY_SIGMA` (log-normal)."""
ACTIVITY_SIGMA = 0.4
TICKETS_A_DAY = 0.026
INTERACTIONS_A_DAY = 0.055
REFERRAL_SHARE: dict[CharacterName, float] = {
    "healthy": 0.3,
    "stalled": 0.0,
    "growing": 0.6,
    "declining": 0.15,
    "silent": 0.1,
    "angry": 0.05,
}

FEATURES: tuple[str, ...] = (
    "dashboard",
    "contacts",
    "reports",
    "templates",
    "workflows",
    "imports",
    "segments",
    "alerts",
    "integrations",
    "mobile_app",
    "forms",
    "api",
)
"""From the most used to the least."""
GOALS: dict[str, float] = {"workflow_completed": 5, "report_created": 3, "import_correct": 4, "setup_finished": 0.2}
"""With how often each is tried beside the others."""
PROMISED_GOALS: tuple[str, ...] = ("workflow_completed", "report_created", "import_correct")
PLANS: tuple[tuple[str, int], ...] = (("starter", 1_900), ("team", 3_900), ("business", 6_900))
"""Name and price a seat and month, in cents."""
SEGMENTS: tuple[tuple[str, int], ...] = (("standard", 8), ("enterprise", 2))
OWNERS: tuple[str, ...] = ("Ana", "Binh", "Chidi", "Dora", "Emre", "Fatima", "Goran", "Hanh")
CONSENT_SHARE = 0.95
OPTS_OUT_SHARE_A_YEAR = 0.03
"""Of those who have agreed to be asked, those who take it back."""
LATE_PAYMENT_SHARE = 0.03
"""Of a usual customer's payments, those that come late or fail; customers differ by `LATE_PAYMENT_SIGMA` (log-normal)."""
LATE_PAYMENT_SIGMA = 0.9
OVERRIDES_A_YEAR = 0.03
MUTES_A_YEAR = 0.01
