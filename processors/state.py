"""All that is kept of one customer."""

import msgspec
from msgspec import Struct, field

from processors.account_state import AccountState
from processors.commercial_rows import CommercialState
from processors.csat import CsatState
from processors.due import NEVER
from processors.effects import Causes
from processors.episodes import EpisodeBook
from processors.feedback import FeedbackState
from processors.health import Scores
from processors.journey import JourneyState
from processors.loyalty import LoyaltyState
from processors.nps import NpsState
from processors.promises import PromiseLedger
from processors.replayed import ReplayedLetters
from processors.responses import ResponseState
from processors.seen import SeenIds
from processors.survey_plan import PlanState
from processors.tickets import TicketsState
from processors.timeline import TimelineState
from processors.usage import UsageState


class CustomerState(Struct, array_like=True):
    """One customer's state: a part for each family of figures, and what has been published.

    It is mutated in place by the fold; whoever folds owns the way back, by decoding the committed bytes again. New fields go to
    the end and have a default, so that the bytes of an older version still decode. `last_seen_at` is the newest usage, ticket or
    answer (0: none yet), `snapshot_due_at` the time at which the next snapshot goes out at the latest (0: nothing new to show),
    `snapshot_at_s` the second of the last one, `snapshot_revision` counts the events that occurred before one and came after it,
    `erased_at` is set once the customer was erased: nothing may bring the data back. `next_due` is the next time at which
    something may change without an event, `first_day` the UTC day of the oldest event of any kind (0: none yet).
    """

    customer_id: str
    csat: CsatState = field(default_factory=CsatState)
    nps: NpsState = field(default_factory=NpsState)
    tickets: TicketsState = field(default_factory=TicketsState)
    usage: UsageState = field(default_factory=UsageState)
    account: AccountState = field(default_factory=AccountState)
    seen: dict[str, SeenIds] = {}
    last_seen_at: int = 0
    events_accepted: int = 0
    counters: dict[str, int] = {}
    health: Scores = field(default_factory=Scores)
    alerts: EpisodeBook = field(default_factory=EpisodeBook)
    sequences: dict[str, int] = {}
    causes: Causes = field(default_factory=Causes)
    config_version: int = 0
    snapshot_due_at: int = 0
    erased_at: int = 0
    next_due: int = NEVER
    loyalty: LoyaltyState = field(default_factory=LoyaltyState)
    interactions: dict[str, dict[int, int]] = {}
    timeline: TimelineState = field(default_factory=TimelineState)
    commercial: CommercialState = field(default_factory=CommercialState)
    promises: PromiseLedger = field(default_factory=PromiseLedger)
    journey: JourneyState = field(default_factory=JourneyState)
    feedback: FeedbackState = field(default_factory=FeedbackState)
    responses: ResponseState = field(default_factory=ResponseState)
    plan: PlanState = field(default_factory=PlanState)
    snapshot_at_s: int = 0
    snapshot_revision: int = 0
    first_day: int = 0
    replayed: ReplayedLetters = field(default_factory=ReplayedLetters)


encode = msgspec.msgpack.Encoder().encode
"""The state as bytes; how many they are depends on the state alone."""
