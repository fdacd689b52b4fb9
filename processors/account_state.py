"""What is known of an account: its stage, plan, revenue, owner, contacts, override and muted rules."""

from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from processors import registers
from processors.registers import HASH_BITS, History
from schemas.events import Reason

Stage = Literal[
    "unknown", "known", "lead", "trial", "contracted", "handed_over", "onboarded", "cancelled", "lapsed", "reactivated"
]

OVERDUE_DAYS: Final = 30
"""So long past its date a renewal that nobody told of is still expected; after that the date says nothing any more."""

FIELDS: Final = ("plan", "currency", "seats", "segment", "owner")
"""The fields that any event may set, by their places in `AccountState.versions`; revenue and renewal have their own histories."""

_SEATS: Final = FIELDS.index("seats")

RANK_BITS: Final = 4
"""How many bits of a stage's version say which of two in one millisecond counts."""


class Contact(Struct, array_like=True, gc=False):
    """Someone at the customer: locale and consent as the newest event that says anything of them; None when none did.

    `version` is that of the newest event; locale and consent have one of their own where an older event said them.
    """

    version: int
    locale: str | None = None
    consent: bool | None = None
    locale_version: int | None = None
    consent_version: int | None = None


class Override(Struct, array_like=True, gc=False):
    """A score set by a person instead of the computed one, until `expires_at`."""

    version: int
    author: str
    reason: str
    score: float
    expires_at: int


class Cancellation(Struct, array_like=True, gc=False):
    """Why the customer left, from the newest cancellation."""

    version: int
    reason: Reason | None = None
    text: str | None = None


class Mute(Struct, array_like=True, gc=False):
    """Until when a rule opens silently."""

    version: int
    until: int


class PreviousMrr(NamedTuple):
    """The revenue before the one of now, and the time from which it has been the one of now."""

    mrr_cents: int
    changed_at: int


class AccountState(Struct, array_like=True, gc=False):
    """What is known of the account.

    Versions are those of `processors.registers`, relative to `base_ms`; `versions` and `version_places` hold those of `FIELDS`.
    `mrr_history` holds (version, cents), oldest first, at most 24, `renewal_history` (version, renewal date - base_ms), at most
    12, `currency_history` (version, currency), at most 16. `stage_version` is (occurred_at - base_ms) * 16 + a rank, so that of
    two stages in one millisecond the later in the life of an account wins; such versions are also those of the newest end and of
    the newest start. Who has left stays gone until a start: a stage in `waiting_version` counts only then. A late renewal
    (`processors.life_course`) is such a start; `late_version` is that of the newest one. The other integers count what was
    dropped beyond a bound. `seats_before` holds (version, seats) of the seats before those of now, at most 16.
    """

    base_ms: int | None = None
    stage: Stage = "unknown"
    stage_version: int | None = None
    versions: list[int] = field(default_factory=list)
    version_places: int = 0
    plan: str | None = None
    currency: str | None = None
    seats: int | None = None
    segment: str | None = None
    owner: str | None = None
    mrr_history: History = field(default_factory=list)
    renewal_history: History = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    referred: dict[str, int] = field(default_factory=dict)
    override: Override | None = None
    mutes: dict[str, Mute] = field(default_factory=dict)
    cancellation: Cancellation | None = None
    forgotten_contacts: int = 0
    forgotten_referrals: int = 0
    forgotten_mutes: int = 0
    cut_terms: int = 0
    currency_history: list[tuple[int, str]] = field(default_factory=list)
    left_version: int | None = None
    came_version: int | None = None
    waiting_version: int | None = None
    seats_before: History = field(default_factory=list)
    late_version: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the customer has cancelled or lapsed and not come back."""
        return self.stage == "cancelled" or self.stage == "lapsed"

    @property
    def stage_since(self) -> int | None:
        """When the stage was reached; None when no event said so."""
        if self.stage_version is None or self.base_ms is None:
            return None
        return self.base_ms + (self.stage_version >> RANK_BITS)

    @property
    def mrr_cents(self) -> int | None:
        """The monthly recurring revenue of now, in cents of `currency`."""
        return self.mrr_history[-1][1] if self.mrr_history else None

    @property
    def renewal_at(self) -> int | None:
        """When the contract ends unless it is renewed; None for one without an end."""
        if not self.renewal_history or self.base_ms is None:
            return None
        return self.base_ms + self.renewal_history[-1][1]

    @property
    def previous_mrr(self) -> PreviousMrr | None:
        """The revenue before the last change of it that is remembered; None when there was none."""
        changed = None
        for version, cents in reversed(self.mrr_history):
            if cents != self.mrr_cents:
                return None if changed is None else PreviousMrr(cents, self.time_of(changed))
            changed = version
        return None

    @property
    def referrals(self) -> int:
        """How many customers this one has referred."""
        return len(self.referred) + self.forgotten_referrals

    def time_of(self, version: int) -> int:
        """The `occurred_at` that a version stands for."""
        assert self.base_ms is not None, "a version is relative to the base"
        return self.base_ms + (version >> HASH_BITS)

    @property
    def seats_version(self) -> int | None:
        """The version of the number of seats; None when it was never told."""
        return registers.unpacked(self.versions, self.version_places, len(FIELDS))[_SEATS]

    def seats_at(self, at_ms: int) -> int | None:
        """The seats in force right before a time; None when none were told by then, or that is too long ago."""
        version = self.seats_version
        if version is None or self.seats is None or self.base_ms is None:
            return None
        return registers.value_before([*self.seats_before, (version, self.seats)], at_ms - self.base_ms)

    def currency_at(self, at_ms: int) -> str:
        """The currency in force right before a time; before any was told the first one, and nothing when none ever was."""
        history = self.currency_history
        if not history or self.base_ms is None:
            return ""
        if len(history) == 1:
            return history[0][1]
        return registers.value_before(history, at_ms - self.base_ms) or history[0][1]

    def override_at(self, as_of_ms: int) -> Override | None:
        """The override in force, if there is one."""
        override = self.override
        return override if override is not None and as_of_ms < override.expires_at else None
